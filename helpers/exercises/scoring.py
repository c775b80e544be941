"""Notebook 04: IoU from a confusion matrix, and a prediction that fools the accuracy."""

import numpy as np

from helpers.exercises.judging import NotYetError, check, expect

# Class 3 is predicted but never there: its IoU is 0. Class 4 occurs nowhere: it has none.
CONFUSION = np.array(
    [[50, 2, 3, 1, 0], [4, 10, 1, 0, 0], [6, 0, 4, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
)


@check
def check_iou_of_class(iou_of_class) -> None:
    """`iou_of_class(matrix, k)` -> intersection over union of class k; rows are the truth."""
    for k in range(3):
        union = CONFUSION[k].sum() + CONFUSION[:, k].sum() - CONFUSION[k, k]
        expected = CONFUSION[k, k] / union
        found = float(iou_of_class(CONFUSION, k))
        expect(
            np.isclose(found, expected),
            f"class {k}: {CONFUSION[k, k]} / {union} = {expected:.3f}, you say {found:.3f}.",
        )


@check
def check_mean_iou(mean_iou) -> None:
    """`mean_iou(matrix)` -> mean over the classes that occur in truth or prediction."""
    inside = np.diag(CONFUSION)[:4]
    union = CONFUSION.sum(axis=0)[:4] + CONFUSION.sum(axis=1)[:4] - inside
    expected = float((inside / union).mean())
    with np.errstate(invalid="ignore"):  # 0 / 0 is answered below, in words
        found = float(mean_iou(CONFUSION))
    if np.isnan(found):
        raise NotYetError(
            "the mean is nan. Class 4 occurs nowhere: its union is 0, and 0 / 0 is nan, which a "
            "mean passes on. Leave such classes out first."
        )
    if np.isclose(found, expected * 4 / 5):
        raise NotYetError("class 4 never occurs; it must not count as a zero.")
    if np.isclose(found, expected * 4 / 3):
        raise NotYetError("class 3 was predicted, wrongly; its IoU of 0 counts.")
    if np.isclose(found, np.trace(CONFUSION) / CONFUSION.sum()):
        raise NotYetError("that is the pixel accuracy.")
    expect(np.isclose(found, expected), f"expected {expected:.4f}, your function says {found:.4f}.")


@check
def check_fool_accuracy(fool_accuracy) -> None:
    """`fool_accuracy(truth)` -> a prediction with high pixel accuracy and a poor mean IoU."""
    truth = np.zeros((40, 40), dtype=np.uint8)
    truth[:4, :10], truth[20:23, 5:13], truth[30:33, 30:36] = 1, 2, 3
    prediction = np.asarray(fool_accuracy(truth.copy()))
    expect(prediction.shape == truth.shape, f"return an array of shape {truth.shape}.")
    accuracy = float((prediction == truth).mean())
    ious = [
        ((truth == k) & (prediction == k)).sum() / ((truth == k) | (prediction == k)).sum()
        for k in range(4)
    ]
    expect(accuracy >= 0.9, f"accuracy is {accuracy:.3f}; it should be at least 0.9.")
    mean = float(np.mean(ious))
    expect(mean <= 0.3, f"mean IoU is {mean:.3f}; a poor one is at most 0.3.")
