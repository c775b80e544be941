"""Intersection over union: one confusion matrix over the data set, and every score from it.

The way of the FCN authors (Long, Shelhamer, Darrell 2015): count pixels in one matrix over all
images, leave void (255) out, and compute the scores once at the end.
"""

from dataclasses import dataclass

import numpy as np

from helpers.data import VOID


def confusion_matrix(truth, prediction, n_classes: int, void: int = VOID) -> np.ndarray:
    """Count pixels: int64 (n_classes, n_classes), rows are the truth, columns the prediction.

    `truth` and `prediction` are integer arrays of class ids of the same shape, any shape. Pixels
    that are `void` in the truth are not counted. Matrices of several images may be added.
    Raises ValueError for ids outside 0 … n_classes - 1, other shapes and dtypes.

    Notebook 04, "Nine pixels".
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

    Notebook 04, "Nine pixels".
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a confusion matrix is square, (C, C); this one is {matrix.shape}")
    hits, truth, total = np.diag(matrix), matrix.sum(axis=1), matrix.sum()
    iou = _divide(hits, truth + matrix.sum(axis=0) - hits)
    return Scores(
        pixel_accuracy=float(_divide(hits.sum(), total)),
        mean_accuracy=mean_of_known(_divide(hits, truth)),
        per_class_iou=iou,
        mean_iou=mean_of_known(iou),
        frequency_weighted_iou=float(_divide(np.nansum(truth * iou), total)),
    )


def averages(matrices) -> dict[str, float]:
    """Five ways to average the same IoUs, from one confusion matrix an image: (n, C, C).

    Only "data set" is what VOC and the FCN paper report.

    Notebook 04, "Five ways to average".
    """
    matrices = np.asarray(matrices)
    if matrices.ndim != 3 or len(matrices) == 0:
        raise ValueError(f"expected one matrix an image, (n, C, C), got {matrices.shape}")
    whole = scores(matrices.sum(axis=0))
    per_image = np.array([scores(matrix).mean_iou for matrix in matrices])
    return {
        "data set": whole.mean_iou,
        "mean of images": mean_of_known(per_image),
        "absent classes as 0": float(np.nan_to_num(whole.per_class_iou).mean()),
        "without background": mean_of_known(whole.per_class_iou[1:]),
        "frequency weighted": whole.frequency_weighted_iou,
    }


def _divide(numerator, denominator) -> np.ndarray:
    """Divide, with nan (and no warning) where the denominator is 0."""
    quotient = np.full(np.shape(denominator), np.nan)
    return np.divide(numerator, denominator, out=quotient, where=np.asarray(denominator) > 0)


def mean_of_known(values: np.ndarray) -> float:
    """The mean of the values that are not nan; nan when there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
