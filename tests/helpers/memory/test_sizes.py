"""Predicted bytes, against NumPy's own count and against what a child process takes."""

import sys

import numpy as np
import pytest

from helpers.memory import measure_peak, predict_bytes
from helpers.units import MIB


@pytest.mark.parametrize("dtype", ["uint8", "float32", np.float64, np.dtype("int16"), bool])
def test_prediction_is_the_size_of_the_array(dtype):
    assert predict_bytes((3, 5, 7), dtype) == np.zeros((3, 5, 7), dtype).nbytes


def test_prediction_of_one_hot_masks_and_of_scalar_shapes():
    assert predict_bytes((10, 4, 4), "float32", one_hot=21) == 10 * 4 * 4 * 21 * 4
    assert predict_bytes(12) == predict_bytes([12]) == 12
    assert predict_bytes(()) == 1


def test_prediction_of_a_list_counts_objects_and_pointers():
    arrays = [np.empty((5, 7, 3), "uint8") for _ in range(4)]
    held = sum(sys.getsizeof(array) for array in arrays) + 4 * 8
    assert predict_bytes((4, 5, 7, 3), as_list=True) == held


def test_prediction_never_overflows():
    assert predict_bytes((10**12, 10**12), "float64") == 8 * 10**24
    assert type(predict_bytes(np.array([2, 3]), "float64")) is int


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (((-1, 2),), {}),
        (((1.5, 2),), {}),
        (((True, 2),), {}),
        (("12",), {}),
        (((2,), "float33"), {}),
        (((2,), None), {}),
        (((2,), object), {}),
        (((2,), "str"), {}),
        (((2,),), {"one_hot": 0}),
        (((2,),), {"one_hot": -1}),
        (((),), {"as_list": True}),
    ],
)
def test_nonsense_predictions_are_refused(arguments, options):
    with pytest.raises(ValueError):
        predict_bytes(*arguments, **options)


def one_array(shape, dtype):
    """What the first measurement runs."""
    return np.full(shape, 1, dtype).nbytes


def small_arrays(n, size):
    """What the second measurement runs."""
    return len([np.ones(size, "uint8") for _ in range(n)])


@pytest.mark.parametrize(
    ("shape", "dtype", "n_classes"),
    [
        ((220, MIB), "uint8", None),
        pytest.param((55, MIB), "float32", None, marks=pytest.mark.slow),
        pytest.param((30, MIB), "float64", None, marks=pytest.mark.slow),
        ((50, 224, 224), "float32", 21),
    ],
)
def test_prediction_matches_measurement_within_5_percent(shape, dtype, n_classes):
    predicted = predict_bytes(shape, dtype, one_hot=n_classes)
    assert predicted >= 200 * MIB
    full_shape = (*shape, n_classes) if n_classes else shape
    measured = measure_peak(one_array, full_shape, dtype)
    assert measured.value == predicted
    assert measured.increment_bytes == pytest.approx(predicted, rel=0.05)


def test_prediction_matches_measurement_for_a_list_of_small_arrays():
    predicted = predict_bytes((200_000, 300), as_list=True)
    measured = measure_peak(small_arrays, 200_000, 300)
    assert measured.value == 200_000
    assert measured.increment_bytes == pytest.approx(predicted, rel=0.1)
