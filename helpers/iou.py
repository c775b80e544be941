"""Intersection over union: one confusion matrix over the data set, and every score from it.

The way of the FCN authors (Long, Shelhamer, Darrell 2015): count pixels in one matrix over all
pictures, leave void (255) out, and compute the scores once at the end.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

from helpers.dataset import VOID
from helpers.images import read_block, read_pair


def confusion_matrix(truth, prediction, n_classes: int, void: int = VOID) -> np.ndarray:
    """Count pixels: int64 (n_classes, n_classes), rows are the truth, columns the prediction.

    `truth` and `prediction` are integer arrays of class ids of the same shape, any shape. Pixels
    that are `void` in the truth are not counted. Matrices of several pictures may be added.
    Raises ValueError for ids outside 0 … n_classes - 1, other shapes and dtypes.
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape:
        raise ValueError(f"truth has the shape {truth.shape}, prediction {prediction.shape}")
    valid = truth != void
    truth, prediction = truth[valid], prediction[valid]
    for name, ids in (("truth", truth), ("prediction", prediction)):
        if not np.issubdtype(ids.dtype, np.integer):
            raise ValueError(f"{name} must hold integer class ids, not {ids.dtype}")
        if ids.size and (ids.min() < 0 or ids.max() >= n_classes):
            wrong = ids.min() if ids.min() < 0 else ids.max()
            raise ValueError(f"{name} holds the id {wrong}; allowed are 0 to {n_classes - 1}")
    # Each pair (row, column) becomes one number, so that one bincount fills the whole matrix.
    cells = truth.astype(np.int64) * n_classes + prediction
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


@dataclass(frozen=True, eq=False)
class Scores:
    """What a confusion matrix says, each score between 0 and 1, nan where there is no pixel."""

    pixel_accuracy: float
    mean_accuracy: float
    per_class_iou: np.ndarray
    mean_iou: float
    frequency_weighted_iou: float


def scores(matrix: np.ndarray) -> Scores:
    """Scores of a confusion matrix (C, C), by the formulas of the FCN paper, section 5.

    `per_class_iou` is float64 (C,): nan for a class that is neither in the truth nor in the
    prediction, 0 for one that was predicted but is not there. `mean_iou` is the mean over the
    classes that are not nan, as in `keras.metrics.MeanIoU`; `mean_accuracy` is the mean over the
    classes of the truth.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a confusion matrix is square, (C, C); this one is {matrix.shape}")
    hits, truth, total = np.diag(matrix), matrix.sum(axis=1), matrix.sum()
    iou = _divide(hits, truth + matrix.sum(axis=0) - hits)
    return Scores(
        pixel_accuracy=float(_divide(hits.sum(), total)),
        mean_accuracy=_mean(_divide(hits, truth)),
        per_class_iou=iou,
        mean_iou=_mean(iou),
        frequency_weighted_iou=float(_divide(np.nansum(truth * iou), total)),
    )


def averages(matrices) -> dict[str, float]:
    """Five ways to average the same IoUs, from one confusion matrix a picture: (n, C, C).

    Only "data set" is what VOC and the FCN paper report.
    """
    matrices = np.asarray(matrices)
    if matrices.ndim != 3 or len(matrices) == 0:
        raise ValueError(f"expected one matrix a picture, (n, C, C), got {matrices.shape}")
    whole = scores(matrices.sum(axis=0))
    per_picture = np.array([scores(matrix).mean_iou for matrix in matrices])
    return {
        "data set": whole.mean_iou,
        "mean of pictures": _mean(per_picture),
        "absent classes as 0": float(np.nan_to_num(whole.per_class_iou).mean()),
        "without background": _mean(whole.per_class_iou[1:]),
        "frequency weighted": whole.frequency_weighted_iou,
    }


def predict_masks(model, images: np.ndarray, batch_size: int = 32) -> np.ndarray:
    """Most likely class of each pixel: uint8 (n, h, w) for images (n, h, w, 3), 0 … 255.

    One batch of logits is in memory at a time: `model.predict` would keep them all, four bytes
    for each class and pixel.
    """
    masks = np.empty(images.shape[:3], np.uint8)
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        masks[rows] = model.predict_on_batch(images[rows]).argmax(axis=-1)
    return masks


def picture_matrices(
    model, index, size, *, native: bool = False, batch_size: int = 32
) -> Iterator[np.ndarray]:
    """One confusion matrix a picture, in the order of `index`, with one batch in memory.

    `size` is the network's (height, width). With `native=True` the logits are resized bilinearly
    to the mask's own size before the argmax, and compared with the mask as it is on disk: this
    is how the FCN authors score. Otherwise the mask is resized to `size` (nearest neighbour).
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
    """The confusion matrix of a whole index, int64 (C, C); see `picture_matrices`."""
    matrix = np.zeros((index.n_classes, index.n_classes), np.int64)
    for one in picture_matrices(model, index, size, native=native, batch_size=batch_size):
        matrix += one
    return matrix


def objects(truth: np.ndarray, prediction: np.ndarray, void: int = VOID) -> list[dict]:
    """One dict for each object of a picture: `class_id`, `area` (pixels), `recall`, `iou`.

    An object is a connected region of one class (not background) in the mask `truth` (h, w);
    neighbours on the diagonal count as connected. Its IoU compares it with the predicted regions
    of its class that touch it; what they cover of *other* objects of that class, or of void, is
    right or unknown, and does not count against it.
    """
    eight = np.ones((3, 3), int)
    found = []
    for class_id in np.setdiff1d(truth, [0, void]):
        labels, n_objects = ndimage.label(truth == class_id, eight)
        regions, n_regions = ndimage.label((prediction == class_id) & (truth != void), eight)
        for label in range(1, n_objects + 1):
            here = labels == label
            touches = np.zeros(n_regions + 1, bool)
            touches[regions[here]] = True
            touches[0] = False
            hits = np.count_nonzero(regions[here])
            extra = np.count_nonzero(touches[regions] & (labels == 0))
            area = np.count_nonzero(here)
            iou = hits / (area + extra)
            row = {"class_id": int(class_id), "area": area, "recall": hits / area, "iou": iou}
            found.append(row)
    return found


def iou_by_object_size(truths, predictions, edges=(0, 50, 200, 800, np.inf)) -> list[dict]:
    """Mean recall and IoU of objects (see `objects`), grouped by their area in pixels.

    `truths` and `predictions` are sequences of masks (h, w). Group i holds the objects with
    edges[i] <= area < edges[i + 1]. Each group is a dict of `smallest`, `largest` (the edges),
    `n_objects`, `recall` and `iou`; the last two are nan for an empty group.
    """
    pairs = zip(truths, predictions, strict=True)
    found = [item for truth, prediction in pairs for item in objects(truth, prediction)]
    groups = []
    for low, high in pairwise(edges):
        group = [item for item in found if low <= item["area"] < high]
        recall, iou = (_mean(np.array([item[key] for item in group])) for key in ("recall", "iou"))
        sizes = {"smallest": low, "largest": high, "n_objects": len(group)}
        groups.append(sizes | {"recall": recall, "iou": iou})
    return groups


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


def _divide(numerator, denominator) -> np.ndarray:
    """Divide, with nan (and no warning) where the denominator is 0."""
    quotient = np.full(np.shape(denominator), np.nan)
    return np.divide(numerator, denominator, out=quotient, where=np.asarray(denominator) > 0)


def _mean(values: np.ndarray) -> float:
    """The mean of the values that are not nan; nan when there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
