"""Pascal VOC's classes, their colours, and void."""

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
