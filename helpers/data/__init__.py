"""From paths to arrays: which image belongs to which mask, and how to read them.

The drawn data set is in `data.shapes`, the download of Pascal VOC 2012 in `data.voc2012`.
"""

from .classes import VOC_CLASSES, VOID, voc_palette
from .index import Index, Pair, index_folder, index_voc
from .layouts import DataSet, index_data
from .read import read_block, read_image, read_mask, read_pair, segmentation_array

__all__ = [
    "VOC_CLASSES",
    "VOID",
    "DataSet",
    "Index",
    "Pair",
    "index_data",
    "index_folder",
    "index_voc",
    "read_block",
    "read_image",
    "read_mask",
    "read_pair",
    "segmentation_array",
    "voc_palette",
]
