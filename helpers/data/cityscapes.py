"""Cityscapes in its official layout: street scenes, 19 classes to train on."""

from pathlib import Path

from .index import Index
from .rewrite import folder_for, lookup, rewrite_masks

# What a label id of the masks counts as in training, by the table of the Cityscapes scripts:
# https://github.com/mcordts/cityscapesScripts (helpers/labels.py). All others are void.
TRAINED = {
    7: "road", 8: "sidewalk", 11: "building", 12: "wall", 13: "fence", 17: "pole",
    19: "traffic light", 20: "traffic sign", 21: "vegetation", 22: "terrain", 23: "sky",
    24: "person", 25: "rider", 26: "car", 27: "truck", 28: "bus", 31: "train", 32: "motorcycle",
    33: "bicycle",
}  # fmt: skip
CITYSCAPES_CLASSES = tuple(TRAINED.values())
LABEL_IDS = range(34)
IMAGE, LABELS = "_leftImg8bit.png", "_gtFine_labelIds.png"


def is_cityscapes(root: Path) -> bool:
    """Whether a folder has the layout of Cityscapes."""
    return (root / "leftImg8bit").is_dir() and (root / "gtFine").is_dir()


def index_cityscapes(root, split, cache, leave_out=()) -> Index:
    """Index `leftImg8bit/<split>/<city>/…` and `gtFine/<split>/<city>/…`.

    The label ids of the masks (0 to 33) become 19 class ids and void, in masks that are written
    into `cache` once. Images named in `leave_out`, as `city/…_leftImg8bit`, are passed over. Raises
    FileNotFoundError naming a folder or a mask that is missing.
    """
    root, table = Path(root), dict.fromkeys(LABEL_IDS, 255)
    images, masks = root / "leftImg8bit" / split, root / "gtFine" / split
    if not images.is_dir():
        raise FileNotFoundError(f"{images} is not a folder, so there is no split {split!r}.")
    names = sorted(path.relative_to(images).as_posix() for path in images.glob(f"*/*{IMAGE}"))
    if not names:
        raise FileNotFoundError(f"{images} has no folder of a city with images *{IMAGE}.")
    names = [name for name in names if name.removesuffix(".png") not in leave_out]
    of_masks = [name.removesuffix(IMAGE) + LABELS for name in names]
    missing = [name for name in of_masks if not (masks / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{masks / missing[0]} is missing ({len(missing):,} of {len(names):,} masks are). "
            "Unpack gtFine_trainvaltest.zip beside leftImg8bit, or remove the images."
        )
    index = Index.build(images, masks, CITYSCAPES_CLASSES, names, of_masks)
    table |= {label: class_id for class_id, label in enumerate(TRAINED)}
    return rewrite_masks(index, folder_for(cache, split, root), lookup(table))
