"""Predict batch by batch, and count what is right: one confusion matrix an image."""

import numpy as np

from helpers.data.read import in_threads
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
        masks[rows] = _argmax(model.predict_on_batch(images[rows]))
    return masks


def evaluate(model, data, *, per_image: bool = False) -> np.ndarray:
    """The confusion matrix of a data set, int64 (C, C); `per_image`: of each image, (n, C, C).

    `data` is a finite one such as `workshop.holdout_data()`: batches of images (b, h, w, 3) and of
    masks (b, h, w) in the network's size. C is the number of the network's classes, and matrices
    come in the order of the data. One batch is in memory. Raises ValueError for an infinite one.

    Notebook 03, "Train, 20 rounds, one window in memory".
    """
    if getattr(data, "num_batches", 0) is None:
        raise ValueError("This data set never ends: make the SlidingSubset with finite=True.")
    n_classes = model.output_shape[-1]
    matrices = []
    for step in range(len(data)):
        images, truths = data[step]
        predictions = _argmax(model.predict_on_batch(images))
        found = [
            confusion_matrix(*pair, n_classes) for pair in zip(truths, predictions, strict=True)
        ]
        matrices += found if per_image else [sum(found)]
    return np.stack(matrices) if per_image else sum(matrices)


def evaluate_native(model, index, size, batch_size: int = 32) -> np.ndarray:
    """The confusion matrix of an index at the masks' own sizes, int64 (C, C).

    The images are read at `size`, the network's (height, width). Its logits are resized bilinearly
    to each mask's size before the argmax: this is how the FCN authors score.

    Notebook 04, "At the masks' own size".
    """
    matrix = np.zeros((index.n_classes, index.n_classes), np.int64)
    for start in range(0, len(index), batch_size):
        images, truths = _read_native(index[start : start + batch_size], size)
        for logits, truth in zip(model.predict_on_batch(images), truths, strict=True):
            matrix += confusion_matrix(truth, _resized_argmax(logits, truth), index.n_classes)
    return matrix


def _argmax(logits) -> np.ndarray:
    return np.asarray(logits).argmax(axis=-1)


def _read_native(index, size) -> tuple[np.ndarray, list[np.ndarray]]:
    """Images uint8 (n, *size, 3), and the masks in the sizes that they have on disk."""

    def read(row):
        return index.read(row, size, native_mask=True)

    images, masks = zip(*in_threads(read, range(len(index))), strict=True)
    return np.stack(images), list(masks)


def _resized_argmax(logits: np.ndarray, truth: np.ndarray) -> np.ndarray:
    import keras  # here, so that the rest of the module works without loading a backend

    resized = keras.ops.image.resize(logits[None], truth.shape, interpolation="bilinear")
    return _argmax(keras.ops.convert_to_numpy(resized)[0])
