"""Predict an index batch by batch, and count what is right: one confusion matrix an image."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from helpers.data import read_block, read_pair
from helpers.scoring.matrix import confusion_matrix


def predict_masks(model, images: np.ndarray, batch_size: int = 32) -> np.ndarray:
    """Most likely class of each pixel: uint8 (n, h, w) for images (n, h, w, 3), 0 … 255.

    One batch of logits is in memory at a time: `model.predict` would keep them all, four bytes
    for each class and pixel.

    Notebook 03, "Look at what it does".
    """
    masks = np.empty(images.shape[:3], np.uint8)
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        masks[rows] = model.predict_on_batch(images[rows]).argmax(axis=-1)
    return masks


def image_matrices(
    model, index, size, *, native: bool = False, batch_size: int = 32
) -> Iterator[np.ndarray]:
    """One confusion matrix an image, in the order of `index`, with one batch in memory.

    `size` is the network's (height, width). With `native=True` the logits are resized bilinearly
    to the mask's own size before the argmax, and compared with the mask as it is on disk: this
    is how the FCN authors score. Otherwise the mask is resized to `size` (nearest neighbour).

    Notebook 04, "A real network".
    """
    for start in range(0, len(index), batch_size):
        rows = range(start, min(start + batch_size, len(index)))
        if not native:
            images, truths = read_block(index, rows, size)
            predictions = predict_masks(model, images, batch_size)
        else:
            images, truths = _read_native(index[rows.start : rows.stop], size)
            logits = model.predict_on_batch(images)
            predictions = (_resized_argmax(*pair) for pair in zip(logits, truths, strict=True))
        for truth, prediction in zip(truths, predictions, strict=True):
            yield confusion_matrix(truth, prediction, index.n_classes)


def evaluate(model, index, size, *, native: bool = False, batch_size: int = 32) -> np.ndarray:
    """The confusion matrix of a whole index, int64 (C, C); see `image_matrices`.

    Notebook 04, "A real network".
    """
    matrix = np.zeros((index.n_classes, index.n_classes), np.int64)
    for one in image_matrices(model, index, size, native=native, batch_size=batch_size):
        matrix += one
    return matrix


def _read_native(index, size) -> tuple[np.ndarray, list[np.ndarray]]:
    """Images uint8 (n, *size, 3), and the masks in the sizes that they have on disk."""

    def read(pair):
        return read_pair(pair, size, index.n_classes, index.palette, native_mask=True)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        images, masks = zip(*pool.map(read, index), strict=True)
    return np.stack(images), list(masks)


def _resized_argmax(logits: np.ndarray, truth: np.ndarray) -> np.ndarray:
    import keras  # here, so that the rest of the module works without loading a backend

    resized = keras.ops.image.resize(logits[None], truth.shape, interpolation="bilinear")
    return keras.ops.convert_to_numpy(resized)[0].argmax(axis=-1)
