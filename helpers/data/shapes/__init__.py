"""The offline data set: seven kinds of paper cut-outs, drawn in Pascal VOC's own layout."""

from .compose import CLASS_NAMES, draw_pair
from .dataset import TINY, draw_set, is_complete

__all__ = ["CLASS_NAMES", "TINY", "draw_pair", "draw_set", "is_complete"]
