"""The same training on several backends: equal first weights, one row a run."""

import numpy as np
import pytest

from experiments.backends import draw_weights, train_on_backend
from helpers.network import build_fcn
from tests.support import tiny_workshop


def test_first_weights_are_numpys():
    one, other = (build_fcn(4, (32, 32, 3), seed=seed) for seed in (0, 1))
    draw_weights(one, 5)
    draw_weights(other, 5)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(a, b)
    draw_weights(other, 6)
    assert not all(map(np.array_equal, one.get_weights(), other.get_weights()))


@pytest.mark.slow
def test_a_run_says_what_it_took():
    (row,) = train_on_backend(tiny_workshop(), "tensorflow", 1)["rows"]
    assert 0 < row["mean_iou"] < 1 and row["images_per_s"] > 0
    assert row["base_mib"] < row["peak_mib"] < 3000
    assert row["window_mib"] == pytest.approx(22 * 64 * 64 * 4 / 2**20)


def test_another_backend_must_be_asked_for():
    with pytest.raises(ValueError, match="Keras is on tensorflow: set KERAS_BACKEND=jax"):
        train_on_backend(tiny_workshop(), "jax", 0)
