"""COCO's panoptic masks in their official layout: objects become classes.

A panoptic PNG has a colour for each object and each region; a JSON says of which category it is:
https://cocodataset.org/#format-data (4. panoptic segmentation).
"""

from pathlib import Path

import numpy as np
from PIL import Image

from ..files import read_json, write_json
from .classes import VOID
from .index import Index
from .lists import lines_of
from .pixels import naming
from .rewrite import folder_for, rewrite_masks

UNLABELLED = 0  # the object id of pixels that nobody labelled: black
MOST_CLASSES = VOID


def is_coco(root: Path) -> bool:
    """Whether a folder has the layout of COCO's panoptic annotations."""
    return (root / "annotations").is_dir() and any(root.glob("annotations/panoptic_*.json"))


def index_coco(root, split, cache, leave_out=()) -> Index:
    """Index `<split><year>/…jpg` with the masks of `annotations/panoptic_<split><year>.json`.

    Its PNGs are in `annotations/panoptic_<split><year>` or in `panoptic_<split><year>` (unpack the
    zip of that name). Classes are all categories, things and stuff, in the order of the JSON; with
    a `classes.txt` in `root` those that it names, of which the first is the background: everything
    else that is labelled. What is not labelled is void. Masks of class ids are written into `cache`
    once; after that the JSON is not read again. Images whose stems are in `leave_out` are passed
    over.

    Raises FileNotFoundError naming what is missing, and ValueError naming a category that COCO does
    not have, or an object that the JSON lacks.
    """
    root = Path(root)
    images, annotations, masks = _places(root, split)
    chosen = root / "classes.txt"
    wanted = lines_of(chosen) if chosen.is_file() else None
    state = annotations.stat()
    folder = folder_for(cache, split, (state.st_size, state.st_mtime, wanted, sorted(leave_out)))
    known = folder / "index.json"
    if known.is_file():
        found = read_json(known)
        return Index.build(images, folder, found["names"], found["images"], found["masks"])
    panoptic = read_json(annotations)
    class_of, names = _classes(panoptic["categories"], wanted, chosen)
    image_of = {image["id"]: image["file_name"] for image in panoptic["images"]}
    objects = {
        masks / one["file_name"]: {
            part["id"]: class_of[part["category_id"]] for part in one["segments_info"]
        }
        for one in panoptic["annotations"]
    }
    used = [
        (image_of[one["image_id"]], one["file_name"])
        for one in panoptic["annotations"]
        if image_of[one["image_id"]].rpartition(".")[0] not in leave_out
    ]
    of_images, of_masks = ([pair[k] for pair in used] for k in (0, 1))
    index = Index.build(images, masks, names, of_images, of_masks)
    if missing := [pair.image for pair in index if not pair.image.is_file()]:
        raise FileNotFoundError(
            f"{missing[0]} is missing ({len(missing):,} of {len(index):,} images are)."
        )
    index = rewrite_masks(index, folder, lambda path: _ids(path, objects[path]))
    write_json(known, {"names": names, "images": of_images, "masks": of_masks})
    return index


def _places(root, split):
    """The folder of the images, the JSON, and the folder of the masks of a split."""
    found = sorted((root / "annotations").glob(f"panoptic_{split}*.json"))
    if not found:
        raise FileNotFoundError(
            f"{root / 'annotations'} has no panoptic_{split}….json. Unpack COCO's panoptic "
            "annotations there."
        )
    annotations = found[-1]
    images = root / annotations.stem.removeprefix("panoptic_")
    if not images.is_dir():
        raise FileNotFoundError(f"{images} is not a folder: unpack COCO's images there.")
    for masks in (root / "annotations" / annotations.stem, root / annotations.stem):
        if masks.is_dir():
            return images, annotations, masks
    raise FileNotFoundError(
        f"{root / 'annotations' / annotations.stem} is not a folder. Unpack {annotations.stem}.zip "
        "there."
    )


def _classes(categories, wanted, chosen):
    """{category id: class id}, and the names of the classes."""
    if wanted is None:
        names = [category["name"] for category in categories]
        if len(names) > MOST_CLASSES:
            raise ValueError(f"{len(names)} categories do not fit 8 bits: choose in {chosen}.")
        return {one["id"]: class_id for class_id, one in enumerate(categories)}, names
    known = {category["name"] for category in categories}
    if unknown := [name for name in wanted[1:] if name not in known]:
        raise ValueError(
            f"{chosen} names {unknown[0]!r}, which is no category of COCO. The first line is the "
            f"background; the others are of: {', '.join(sorted(known))}."
        )
    place = {name: class_id for class_id, name in enumerate(wanted) if class_id > 0}
    return {one["id"]: place.get(one["name"], 0) for one in categories}, wanted


def _ids(path, class_of):
    """The class ids of one panoptic PNG, whose colours are red + 256 green + 65,536 blue."""
    with naming(path), Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    objects, where = np.unique(pixels @ [1, 256, 65536], return_inverse=True)
    if missing := [one for one in objects if one != UNLABELLED and int(one) not in class_of]:
        raise ValueError(f"{path} has the object {missing[0]}, which its JSON does not name.")
    ids = np.array([class_of.get(int(one), VOID) for one in objects], np.uint8)
    return ids[where].reshape(pixels.shape[:2])
