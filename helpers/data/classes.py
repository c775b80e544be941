"""Class names and their colours: Pascal VOC's, and the checks of others. And void."""

from collections import Counter

import numpy as np

VOID = 255
"""The id of pixels that belong to no class (VOC's object borders). Loss and metrics skip it."""

VOC_CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair",
    "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
    "train", "tvmonitor",
)  # fmt: skip


def voc_palette(n=256):
    """The colour map of the VOC development kit, uint8 (n, 3).

    The bits of the class id are dealt out to red, green and blue in turn, the lowest bits
    becoming the highest ones, so that neighbouring ids get very different colours.
    """
    ids = np.arange(n)
    palette = np.zeros((n, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= ((ids >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return palette


def checked_classes(names):
    """The names as a tuple; ValueError for fewer than 2, more than 255, or one twice."""
    names = (names,) if isinstance(names, str) else tuple(names)
    if not 2 <= len(names) <= VOID:
        raise ValueError(f"Give between 2 and {VOID} class names, background first: got {names!r}.")
    refuse_repeats(names, "the list of classes")
    return names


def checked_palette(palette, n_classes):
    """Colours as uint8 (n_classes, 3), VOC's for None; ValueError for any that cannot serve."""
    if palette is None:
        return voc_palette(n_classes)
    colours = np.asarray(palette)
    if colours.shape != (n_classes, 3) or not np.issubdtype(colours.dtype, np.integer):
        raise ValueError(
            f"The palette must be integers of shape ({n_classes}, 3), one colour for each class: "
            f"got {colours.dtype} {colours.shape}."
        )
    if colours.min() < 0 or colours.max() > 255:
        raise ValueError(
            f"The palette's values go from 0 to 255: got {colours.min()} to {colours.max()}."
        )
    refuse_repeats([tuple(colour) for colour in colours.tolist()], "the palette")
    return colours.astype(np.uint8)


def refuse_repeats(names, where):
    """ValueError that says which name stands more than once, and where."""
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ValueError(f"{name!r} stands {count} times in {where}. Keep one of them.")
