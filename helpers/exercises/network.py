"""Notebook 03: the sides of the score maps, void pixels, and bilinear upsampling."""

import numpy as np

from helpers.data import VOID
from helpers.exercises.judging import NotYetError, check, expect


@check
def check_score_map_sides(score_map_sides) -> None:
    """`score_map_sides(side)` -> the sides of the maps at strides 8, 16 and 32."""
    for side in (96, 224, 320):
        expected = [side // 8, side // 16, side // 32]
        found = list(score_map_sides(side))
        expect(found == expected, f"side {side}: expected {expected}, your function says {found}.")


@check
def check_valid_accuracy(valid_accuracy) -> None:
    """`valid_accuracy(truth, prediction)` -> share of right pixels, void left out."""
    truth = np.array([[0, 1, VOID], [2, 2, VOID]], dtype=np.uint8)
    prediction = np.array([[0, 2, 0], [2, 2, 2]], dtype=np.uint8)
    found = float(valid_accuracy(truth, prediction))
    if np.isclose(found, 3 / 6):
        raise NotYetError("void pixels are still counted: 4 pixels are valid here, not 6.")
    expect(np.isclose(found, 3 / 4), f"3 of 4 valid pixels are right; your function says {found}.")
    found = float(valid_accuracy(truth, np.zeros_like(truth)))
    expect(np.isclose(found, 1 / 4), f"all zeros: 1 of 4 is right; your function says {found}.")


@check
def check_double(double) -> None:
    """`double(values)` -> bilinear upsampling of a 1-D array by 2, as Conv2DTranspose does it."""
    for values in ([1.0, 5.0, 2.0], [0.0, 4.0], [3.0, 3.0, 3.0, 9.0]):
        padded = np.concatenate([[0.0], values, [0.0]])
        left, right = padded[:-1], padded[1:]
        between = np.stack([0.75 * left + 0.25 * right, 0.25 * left + 0.75 * right], axis=1)
        expected = between.ravel()[1:-1]
        found = np.asarray(double(np.array(values)), dtype=float)
        expect(
            found.shape == expected.shape,
            f"{len(values)} values become {len(expected)}; your function returns {found.shape}.",
        )
        expect(
            np.allclose(found, expected),
            f"{values} becomes {expected.tolist()}, your function says {found.tolist()}.",
        )
