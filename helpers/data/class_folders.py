"""A folder of folders, one for each class: images with a label in place of a mask.

The window does not care what lies beside an image. `index_class_folders` and `read_labelled` are
for `SlidingSubset(index, geometry, read=read_labelled)`.
"""

import os
from pathlib import Path

import numpy as np

from .index import Index, is_image
from .read import in_threads, read_image


def index_class_folders(root) -> Index:
    """Index `root/<class>/<image>`: the classes are the folders, in the order of the alphabet.

    The "mask" of a `Pair` is its class's folder. Raises FileNotFoundError or ValueError for a
    folder without at least two classes with images.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not a folder.")
    names, classes = [], []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        found = sorted(path.name for path in folder.iterdir() if is_image(path.name))
        if found:
            classes.append(folder.name)
            names += [f"{folder.name}/{name}" for name in found]
    if len(classes) < 2:
        raise ValueError(
            f"{root} holds {len(classes)} folders with images: one for each class is needed, two "
            "at least."
        )
    return Index.build(root, root, classes, names, [os.path.dirname(name) for name in names])  # noqa: PTH120


def read_labelled(index, rows, size, images, labels) -> None:
    """Fill `images`, uint8 (n, h, w, 3), and `labels`, int64 (n,), the class's place in the names.

    Raises OSError naming a file that cannot be decoded.
    """
    label_of = {name: label for label, name in enumerate(index.class_names)}

    def read(slot):
        pair = index[rows[slot]]
        images[slot] = read_image(pair.image, size, index.levels)
        labels[slot] = label_of[pair.mask.name]

    for _ in in_threads(read, range(len(rows))):
        pass


def _declare(index, size):
    return [((*size, 3), np.uint8), ((), np.int64)]


read_labelled.declare = _declare
