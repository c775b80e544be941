"""Windows over shares beside a shuffle of everything: the same steps, images and first weights."""

import importlib.util

import numpy as np
import pytest

from experiments.shares import WAYS, data_in, learn_in_shares
from helpers.windows import SideBySide
from tests.support import tiny_workshop

NEEDS_GRAIN = pytest.mark.skipif(
    importlib.util.find_spec("grain") is None, reason="grain is not installed: make bench"
)
EACH_WAY = [pytest.param(way, marks=NEEDS_GRAIN if way == "grain" else ()) for way in WAYS]


@pytest.fixture(scope="module")
def workshop():
    return tiny_workshop().with_fcn()


@pytest.mark.parametrize("way", EACH_WAY)
def test_a_batch_is_a_function_of_its_step_and_of_the_seed(way, workshop):
    with data_in(way, workshop, 1) as data, data_in(way, workshop, 2) as other:
        first, third = data[0], data[2]
        assert np.array_equal(data[0][0], first[0]) and not np.array_equal(third[0], first[0])
        assert not np.array_equal(other[0][0], first[0])
        assert first[0].shape[1:] == (*workshop.size, 3) and first[1].shape[1:] == workshop.size
        assert data.num_batches is None


@pytest.mark.parametrize("way", [way for way in WAYS if way.startswith("windows")])
def test_shares_hold_all_images_once_and_take_as_many_steps(way, workshop):
    n = int(way[-1])
    with data_in(way, workshop, 0) as data:
        assert isinstance(data, SideBySide) and len(data.subsets) == n
        names = [{pair.id for pair in subset.index} for subset in data.subsets]
        assert sum(map(len, names)) == len(set.union(*names)) <= len(workshop.train)
        assert len(set.union(*names)) > len(workshop.train) - n
        assert len(data) >= workshop.geometry.n_steps // 4 * 4


@NEEDS_GRAIN
def test_grain_shows_every_image_once_a_pass(workshop):
    with data_in("grain", workshop, 3) as data:
        rows = np.concatenate([data.rows[step] for step in range(8)])
        n = len(workshop.train)
        assert sorted(rows[:n]) == [*range(n)]
        assert rows[:n].tolist() != [*range(n)]


@pytest.mark.slow
def test_a_run_has_four_rows(workshop):
    rows = learn_in_shares(workshop, "windows_2", 1)["rows"]
    quarter = workshop.geometry.n_steps // 4
    assert [row["step"] for row in rows] == [quarter * k for k in (1, 2, 3, 4)]
    assert all(0 < row["mean_iou"] < 1 for row in rows)


def test_an_unknown_way_is_named(workshop):
    with pytest.raises(ValueError, match="'all' is not a way; there are: everything"):
        learn_in_shares(workshop, "all")
