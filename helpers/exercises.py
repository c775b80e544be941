"""The checks of the exercises: each says "Right" or what is still wrong, and returns True or False.

A check never raises for a wrong answer, so a notebook with unsolved exercises runs to its end. The
values are chosen so that the usual mistakes give a different result.
"""

import functools
import tracemalloc
from collections.abc import Callable

import numpy as np

from helpers.dataset import VOID


class _NotYetError(Exception):
    """A wrong answer; its text tells the learner what to look at."""


def _check(judge: Callable) -> Callable[..., bool]:
    """Turn a function that raises `_NotYetError` into one that prints and returns True or False."""

    @functools.wraps(judge)
    def check(answer) -> bool:
        try:
            judge(answer)
        except _NotYetError as hint:
            print(f"Not yet: {hint}")
            return False
        except Exception as error:  # the learner's own code may raise anything
            print(f"Not yet: your code stopped with {type(error).__name__}: {error}")
            return False
        print("Right!")
        return True

    return check


def _expect(condition: bool, hint: str) -> None:
    if not condition:
        raise _NotYetError(hint)


def _traced(function: Callable, *args) -> tuple:
    """What the function returns, and the bytes that it held at its peak."""
    tracemalloc.start()
    try:
        answer = function(*args)
        return answer, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- notebook 01


@_check
def check_bytes_needed(bytes_needed) -> None:
    """`bytes_needed(n_images, height, width, channels, dtype)` -> bytes of the array."""
    for shape, dtype in (((7, 30, 50, 3), "uint8"), ((5, 20, 10, 4), "float32"),
                         ((2, 9, 11, 1), "float64")):  # fmt: skip
        expected = np.empty(shape, dtype).nbytes
        found = bytes_needed(*shape, dtype)
        _expect(
            found == expected,
            f"{shape} of {dtype} takes {expected:,} bytes, your function says {found!r}.",
        )


@_check
def check_to_unit_range(to_unit_range) -> None:
    """`to_unit_range(images)` -> float32 between 0 and 1, the input unchanged."""
    images = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
    before = images.copy()
    scaled, peak = _traced(to_unit_range, images)
    _expect(np.array_equal(images, before), "the images that came in have changed.")
    _expect(isinstance(scaled, np.ndarray), "return a NumPy array.")
    right = scaled.shape == images.shape and np.allclose(scaled, before / 255.0, atol=1e-6)
    _expect(right, "the values should be those of images / 255.")
    _expect(
        scaled.dtype == np.float32,
        f"the result is {scaled.dtype}, {scaled.itemsize} bytes a number; float32 needs 4.",
    )
    _expect(
        peak < 2.5 * scaled.nbytes,
        f"the result is right, but on the way you held {peak / scaled.nbytes:.1f} times its size.",
    )


@_check
def check_stack(stack) -> None:
    """`stack(readers, height, width)` -> uint8 (n, height, width, 3), never two copies of it."""
    n, height, width = 64, 64, 96
    readers = [functools.partial(np.full, (height, width, 3), k, dtype=np.uint8) for k in range(n)]
    stacked, peak = _traced(stack, readers, height, width)
    expected = np.arange(n, dtype=np.uint8)
    right = (
        isinstance(stacked, np.ndarray)
        and stacked.shape == (n, height, width, 3)
        and stacked.dtype == np.uint8
        and bool((stacked == expected[:, None, None, None]).all())
    )
    _expect(right, f"return uint8 pictures in one array of shape ({n}, {height}, {width}, 3).")
    _expect(
        peak < 1.5 * stacked.nbytes,
        f"at its peak your function held {peak / stacked.nbytes:.1f} times the array's own size.",
    )


# --- notebook 02


@_check
def check_count_rounds(count_rounds) -> None:
    """`count_rounds(n_images, window, stride)` -> how many whole windows fit."""
    cases = (
        (2913, 1000, 100),
        (2900, 1000, 100),
        (1000, 1000, 100),
        (1099, 1000, 100),
        (58, 20, 3),
    )
    for n_images, window, stride in cases:
        expected = sum(1 for start in range(0, n_images, stride) if start + window <= n_images)
        found = count_rounds(n_images, window, stride)
        _expect(
            found == expected,
            f"{n_images} images, window {window}, stride {stride}: {expected} windows fit, "
            f"your function says {found!r}.",
        )


@_check
def check_slots_to_fill(slots_to_fill) -> None:
    """`slots_to_fill(round_, window, stride)` -> the slots that change from round_ to the next."""
    for window, stride in ((10, 2), (10, 3), (7, 5), (4, 4)):
        slots = np.arange(window)
        for round_ in range(12):
            new_rows = np.arange(round_ * stride + window, round_ * stride + window + stride)
            changed = slots.copy()
            changed[new_rows % window] = new_rows
            expected = sorted(int(slot) for slot in np.flatnonzero(changed != slots))
            found = sorted(int(slot) for slot in slots_to_fill(round_, window, stride))
            _expect(
                found == expected,
                f"window {window}, stride {stride}, round_={round_}: slots {expected} change, "
                f"your function says {found}.",
            )
            slots = changed


@_check
def check_largest_window(largest_window) -> None:
    """`largest_window(budget_bytes, height, width)` -> window of ten strides that fits in it.

    The ring buffer holds the window and one stride more, as uint8 images and masks.
    """
    for budget, height, width in ((512 * 2**20, 224, 224), (64 * 2**20, 96, 96), (10**7, 100, 60)):
        row = height * width * 4
        expected = 10 * (budget // (11 * row))
        found = largest_window(budget, height, width)
        _expect(
            found == expected,
            f"{budget:,} bytes at {height}×{width}: a window of {expected} is the largest that is "
            f"ten strides long and fits with its spare stride; your function says {found!r}.",
        )


# --- notebook 03


@_check
def check_score_map_sides(score_map_sides) -> None:
    """`score_map_sides(side)` -> the sides of the maps at strides 8, 16 and 32."""
    for side in (96, 224, 320):
        expected = [side // 8, side // 16, side // 32]
        found = list(score_map_sides(side))
        _expect(found == expected, f"side {side}: expected {expected}, your function says {found}.")


@_check
def check_valid_accuracy(valid_accuracy) -> None:
    """`valid_accuracy(truth, prediction)` -> share of right pixels, void left out."""
    truth = np.array([[0, 1, VOID], [2, 2, VOID]], dtype=np.uint8)
    prediction = np.array([[0, 2, 0], [2, 2, 2]], dtype=np.uint8)
    found = float(valid_accuracy(truth, prediction))
    if np.isclose(found, 3 / 6):
        raise _NotYetError("void pixels are still counted: 4 pixels are valid here, not 6.")
    _expect(np.isclose(found, 3 / 4), f"3 of 4 valid pixels are right; your function says {found}.")
    found = float(valid_accuracy(truth, np.zeros_like(truth)))
    _expect(np.isclose(found, 1 / 4), f"all zeros: 1 of 4 is right; your function says {found}.")


@_check
def check_double(double) -> None:
    """`double(values)` -> bilinear upsampling of a 1-D array by 2, as Conv2DTranspose does it."""
    for values in ([1.0, 5.0, 2.0], [0.0, 4.0], [3.0, 3.0, 3.0, 9.0]):
        padded = np.concatenate([[0.0], values, [0.0]])
        left, right = padded[:-1], padded[1:]
        between = np.stack([0.75 * left + 0.25 * right, 0.25 * left + 0.75 * right], axis=1)
        expected = between.ravel()[1:-1]
        found = np.asarray(double(np.array(values)), dtype=float)
        _expect(
            found.shape == expected.shape,
            f"{len(values)} values become {len(expected)}; your function returns {found.shape}.",
        )
        _expect(
            np.allclose(found, expected),
            f"{values} becomes {expected.tolist()}, your function says {found.tolist()}.",
        )


# --- notebook 04

# Class 3 is predicted but never there: its IoU is 0. Class 4 occurs nowhere: it has none.
CONFUSION = np.array(
    [[50, 2, 3, 1, 0], [4, 10, 1, 0, 0], [6, 0, 4, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
)


@_check
def check_iou_of_class(iou_of_class) -> None:
    """`iou_of_class(matrix, k)` -> intersection over union of class k; rows are the truth."""
    for k in range(3):
        union = CONFUSION[k].sum() + CONFUSION[:, k].sum() - CONFUSION[k, k]
        expected = CONFUSION[k, k] / union
        found = float(iou_of_class(CONFUSION, k))
        _expect(
            np.isclose(found, expected),
            f"class {k}: {CONFUSION[k, k]} / {union} = {expected:.3f}, you say {found:.3f}.",
        )


@_check
def check_mean_iou(mean_iou) -> None:
    """`mean_iou(matrix)` -> mean over the classes that occur in truth or prediction."""
    inside = np.diag(CONFUSION)[:4]
    union = CONFUSION.sum(axis=0)[:4] + CONFUSION.sum(axis=1)[:4] - inside
    expected = float((inside / union).mean())
    found = float(mean_iou(CONFUSION))
    if np.isclose(found, expected * 4 / 5):
        raise _NotYetError("class 4 never occurs; it must not count as a zero.")
    if np.isclose(found, expected * 4 / 3):
        raise _NotYetError("class 3 was predicted, wrongly; its IoU of 0 counts.")
    if np.isclose(found, np.trace(CONFUSION) / CONFUSION.sum()):
        raise _NotYetError("that is the pixel accuracy.")
    _expect(
        np.isclose(found, expected), f"expected {expected:.4f}, your function says {found:.4f}."
    )


@_check
def check_fool_accuracy(fool_accuracy) -> None:
    """`fool_accuracy(truth)` -> a prediction with high pixel accuracy and a poor mean IoU."""
    truth = np.zeros((40, 40), dtype=np.uint8)
    truth[:4, :10], truth[20:23, 5:13], truth[30:33, 30:36] = 1, 2, 3
    prediction = np.asarray(fool_accuracy(truth.copy()))
    _expect(prediction.shape == truth.shape, f"return an array of shape {truth.shape}.")
    accuracy = float((prediction == truth).mean())
    ious = [
        ((truth == k) & (prediction == k)).sum() / ((truth == k) | (prediction == k)).sum()
        for k in range(4)
    ]
    _expect(accuracy >= 0.9, f"accuracy is {accuracy:.3f}; it should be at least 0.9.")
    mean = float(np.mean(ious))
    _expect(mean <= 0.3, f"mean IoU is {mean:.3f}; a poor one is at most 0.3.")
