"""Which layout a folder has: VOC's, Cityscapes', COCO's, or two folders of one's own."""

from pathlib import Path
from typing import NamedTuple

from .cityscapes import index_cityscapes, is_cityscapes
from .classes import VOC_CLASSES
from .coco import index_coco, is_coco
from .folder import index_own, is_own, left_out_of, with_classes
from .index import Index, index_voc


class DataSet(NamedTuple):
    """Two indexes, and sentences on what no file of the folder has decided."""

    train: Index
    holdout: Index
    notes: list[str]


def index_data(root, cache, seed=0) -> DataSet:
    """Index a folder in any of the known layouts, which it is recognised by.

    `JPEGImages` and `SegmentationClass`: Pascal VOC's, `index_voc`. `leftImg8bit` and `gtFine`:
    Cityscapes'. `annotations/panoptic_….json`: COCO's. `images` and `masks`: one's own, see
    `index_own`. Where a layout has a split of its own, `train` feeds the windows and `val` is the
    hold-out. `cache` is a folder for masks of class ids, which are written once where a data set
    has others.

    Raises FileNotFoundError for a folder of another layout, and what the layouts raise.

    Notebook 07, "Look first".
    """
    root = Path(root)
    if is_own(root):
        return DataSet(*index_own(root, cache, seed))
    for known, index in ((is_cityscapes, index_cityscapes), (is_coco, index_coco)):
        if known(root):
            left_out, notes = left_out_of(root)
            both = (index(root, split, cache, left_out) for split in ("train", "val"))
            return DataSet(*both, notes)
    if (root / "JPEGImages").is_dir():
        return _voc(root, cache)
    raise FileNotFoundError(
        f"{root} has none of the layouts that are known: images and masks (your own); JPEGImages, "
        "SegmentationClass and ImageSets/Segmentation (Pascal VOC); leftImg8bit and gtFine "
        "(Cityscapes); annotations/panoptic_*.json (COCO). docs/own-images.md describes them."
        + _hint(root)
    )


def _voc(root, cache):
    """VOC's layout; its masks may still have been saved by a program that means another thing."""
    left_out, notes = left_out_of(root)
    train, holdout = (index_voc(root, split, left_out) for split in ("train", "val"))
    both, of_classes = with_classes(train + holdout, root, cache, default=VOC_CLASSES)
    return DataSet(both[: len(train)], both[len(train) :], [*notes, *of_classes])


def _hint(root):
    """The nearest folder that has a layout, as a sentence."""
    for folder in [root.parent, *sorted(root.glob("*/")), *sorted(root.glob("*/*/"))]:
        if is_own(folder) or is_cityscapes(folder) or (folder / "JPEGImages").is_dir():
            return f" Give {folder} instead."
    return ""
