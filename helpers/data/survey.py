"""What all files of a data set hold together: the values of its masks, the range of its images.

Some things no single file can say. A mask of 0 and 255 may be a cell on background, or void beside
background; an image of 16 bits may come from a camera of 12.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from ..files import read_json, write_json
from .classes import VOID
from .index import Index
from .pixels import naming
from .read import in_threads
from .rewrite import folder_for

N_VALUES = 2**16
# Black and white of images with more than 8 bits: so that a few hot pixels do not decide.
PERCENTILES = 0.1, 99.9
AT_ONCE = 32  # histograms in memory


def survey(index: Index, cache: Path) -> dict:
    """Walk over all pairs, once: what was found is kept in `cache` until a file changes.

    Returns a dict of `values`, the values that the masks hold, a sorted list of int, or None for
    coloured masks; `numbered`, whether they look like numbers of objects (see `look_numbered`); and
    `levels`, None where all images have 8 bits, otherwise (black, white): the values below which
    0.1 % and 99.9 % of the pixels of all grey images with more bits lie. Raises OSError naming a
    file that cannot be decoded.
    """
    files = [path.stat() for pair in index for path in (pair.image, pair.mask)]
    newest, n_bytes = max(f.st_mtime for f in files), sum(f.st_size for f in files)
    about = (str(index.image_folder), str(index.mask_folder), len(index), n_bytes, newest)
    known = folder_for(cache, "surveyed", about) / "found.json"
    if known.is_file():
        return read_json(known)
    in_masks, in_images = np.zeros(N_VALUES, bool), np.zeros(N_VALUES, np.int64)
    coloured, highest = False, []
    looks = in_threads(_look_at, index, at_once=AT_ONCE, bar="looking at all files")
    for of_mask, of_image in looks:
        coloured |= of_mask is None
        if of_mask is not None:
            in_masks[of_mask] = True
            highest.append(highest_number(of_mask))
        if of_image is not None:
            in_images += of_image
    found = {
        "values": None if coloured else np.flatnonzero(in_masks).tolist(),
        "numbered": not coloured and look_numbered(highest),
        "levels": _levels(in_images) if in_images.any() else None,
    }
    write_json(known, found)
    return found


def highest_number(values: np.ndarray) -> int | None:
    """k where a mask's sorted values, but for 0 and void, are 1 to k without a gap; else None."""
    values = values[(values != 0) & (values != VOID)]
    k = len(values)
    return k if k == 0 or values[-1] == k else None


def look_numbered(highest: list[int | None]) -> bool:
    """Whether masks look as if they numbered objects: each from 1 on, some further than others.

    `highest` is what `highest_number` says of each mask. Up to 1 there is nothing to ask.
    """
    return None not in highest and len({*highest}) > 1 and max(highest) > 1


def refuse_two_readings(
    values: list[int], n_classes: int | None, masks: Path, answer: Path, numbered: bool
) -> None:
    """ValueError where the values of all masks can be read in two ways, or where they do not fit.

    `n_classes` is None where no file names the classes. `answer` is the classes.csv that would say
    which reading is meant. `numbered` is what `look_numbered` says of the masks.
    """
    classes = [value for value in values if value != VOID]
    example = f"Say it in {answer}, a first line name,value and a line for each class, such as "
    if classes == [0] and VOID in values:
        raise ValueError(
            f"The masks in {masks} hold 0 and 255 and nothing else. As class ids, 255 is void, "
            f"and nothing would be learnt; as many programs save them, 255 is the object. "
            f"{example}background,0 and object,255."
        )
    too_high = n_classes is not None and classes and classes[-1] >= n_classes
    if classes and classes[0] > 0 and (too_high or n_classes is None):
        raise ValueError(
            f"The masks in {masks} hold {classes[0]} to {classes[-1]} and no 0. Is there a "
            f"background that no mask shows, or do the classes begin with {classes[0]}? {example}"
            f"first class,{classes[0]}."
        )
    if too_high:
        raise ValueError(
            f"The masks in {masks} hold the value {classes[-1]}, and {n_classes} classes have the "
            f"ids 0 to {n_classes - 1}. Add the class, or give the values. {example}background,0."
        )
    if numbered and n_classes is None:
        raise ValueError(
            f"The masks in {masks} hold 0 to {classes[-1]}, each mask all numbers from 1 on, some "
            f"further than others. Are these {classes[-1]} classes, then name them in classes.txt? "
            f"Or are they the numbers of objects, which are one class? {example}background,0 and "
            f"object,1-{N_VALUES - 1}."
        )


def _look_at(pair):
    """(values of the mask, None if it has colours; histogram of the image, None for 8 bits)."""
    with naming(pair.mask), Image.open(pair.mask) as mask:
        # A JPEG blurs ids; `read_mask` says so, better than its values would.
        as_ids = mask.mode not in ("RGB", "RGBA") and mask.format != "JPEG"
        values = np.unique(_checked(np.asarray(mask))) if as_ids else None
    with naming(pair.image), Image.open(pair.image) as image:
        if not image.mode.startswith("I"):
            return values, None
        pixels = _checked(np.asarray(image))
    return values, np.bincount(pixels.ravel(), minlength=N_VALUES)


def _checked(values):
    if values.min() < 0 or values.max() >= N_VALUES:
        raise ValueError(f"it holds values outside 0 to {N_VALUES - 1}")
    return values.astype(np.int64)


def _levels(histogram):
    """The values at the percentiles, at least one apart."""
    below = np.cumsum(histogram) / histogram.sum()
    black, white = (int(np.searchsorted(below, share / 100)) for share in PERCENTILES)
    return [black, max(white, black + 1)]
