"""Masks whose values are not class ids, written once more as masks that are.

A camera set may number its classes from 7, a microscope's masks may hold 0 and 255, COCO numbers
objects. The tools that come with Cityscapes and COCO write such masks anew before a training, and
so do we: palette PNGs of class ids, which every program can read and a person can look at.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..files import replacing
from .classes import VOID, voc_palette
from .index import Index
from .pixels import mask_array, naming
from .read import in_threads

UNKNOWN = -1


def rewrite_masks(index: Index, folder: Path, ids_of) -> Index:
    """The same index with its masks written anew into `folder`, as palette PNGs of class ids.

    `ids_of(mask)` is given the path of a mask and returns its class ids, uint8 (h, w). A mask that
    is there already, and not older than its source, is left as it is: what was interrupted goes
    on. The first error of `ids_of` reaches the caller.
    """
    names = [f"{Path(pair.mask).relative_to(index.mask_folder).with_suffix('')}.png"
             for pair in index]  # fmt: skip
    to_do = [
        (pair.mask, folder / name)
        for pair, name in zip(index, names, strict=True)
        if _is_older(folder / name, pair.mask)
    ]
    for parent in {target.parent for _, target in to_do}:
        parent.mkdir(parents=True, exist_ok=True)

    def write(job):
        source, target = job
        save_ids(target, ids_of(source))

    for _ in in_threads(write, to_do, bar="masks as class ids"):
        pass
    encoded = Index.build(folder, folder, index.class_names, names, names).masks
    return replace(index, mask_folder=folder, masks=encoded)


def lookup(values: dict[int, int]):
    """A function for `rewrite_masks`: what a mask holds -> class id, by the table `values`.

    255 stays void unless the table names it. Raises ValueError naming the file and the values that
    the table lacks.
    """
    table = np.full(2**16, UNKNOWN)
    table[VOID] = VOID
    table[[*values]] = [*values.values()]

    def ids_of(path):
        found = stored_values(path)
        ids = table[found]
        if (ids == UNKNOWN).any():
            wrong = ", ".join(map(str, np.unique(found[ids == UNKNOWN])[:5]))
            known = ", ".join(_spans(sorted(values)))
            raise ValueError(
                f"{path} holds the values {wrong}, and the classes have the values {known}. "
                "Correct the mask, or add the class."
            )
        return ids.astype(np.uint8)

    return ids_of


def ids_of_colours(palette: np.ndarray, voids: np.ndarray):
    """A function for `rewrite_masks`: the colours of a mask -> class ids.

    `palette` (n, 3) has the colours of the classes, `voids` (k, 3) those that are void, beside
    VOC's.
    """

    def ids_of(path):
        with naming(path):
            image = Image.open(path)
        with image:
            return mask_array(image, path, None, len(palette), palette, voids)

    return ids_of


def _spans(numbers):
    """Sorted numbers as text, those that follow each other as one: "0", "2-9"."""
    ends = np.flatnonzero(np.diff(numbers) != 1)
    pairs = zip([0, *(ends + 1)], [*ends, len(numbers) - 1], strict=True)
    return [
        f"{numbers[first]}" if first == last else f"{numbers[first]}-{numbers[last]}"
        for first, last in pairs
    ]


def folder_for(cache, name, about) -> Path:
    """A folder in `cache` for what was made in the way that `about` says, as text that is unique:
    made in another way, it lies elsewhere."""
    return Path(cache) / f"{name}-{hashlib.sha256(repr(about).encode()).hexdigest()[:8]}"


def stored_values(path) -> np.ndarray:
    """What a grey or palette mask holds, int (h, w), unchanged but for the EXIF orientation.

    Raises OSError naming a file that cannot be decoded, ValueError naming a coloured one.
    """
    with naming(path), Image.open(path) as image:
        ImageOps.exif_transpose(image, in_place=True)
        values, mode = np.asarray(image), image.mode
    if mode not in ("P", "L", "1") and not mode.startswith("I"):
        raise ValueError(
            f"{path} has mode {mode!r}, not grey or palette. Give the colours of the classes in "
            "classes.csv, or save the masks as class ids."
        )
    if values.min() < 0 or values.max() >= 2**16:
        raise ValueError(f"{path} holds values outside 0 to 65535: it is no mask of classes.")
    return values.astype(int)


def save_ids(path: Path, ids: np.ndarray) -> None:
    """Write class ids, uint8 (h, w), as a palette PNG in VOC's colours, in one step."""
    image = Image.fromarray(ids)
    image.putpalette(voc_palette().tobytes())
    with replacing(path) as partial:
        image.save(partial)


def _is_older(target, source):
    """Whether `target` is missing, or was written before `source` was."""
    return not target.exists() or target.stat().st_mtime < Path(source).stat().st_mtime
