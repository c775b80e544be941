"""PyTorch's and MONAI's loaders, where `make race-monai` has installed them."""

from itertools import chain, islice

import numpy as np
import pytest

from experiments.race.measure import _close
from helpers.data import read_block
from tests.support import race_schedule

pytest.importorskip("monai", reason="MONAI is optional")


@pytest.fixture
def schedule(tmp_path):
    return race_schedule(tmp_path)


def rows_of_batches(schedule, batches):
    geometry = schedule.geometry
    images, masks = read_block(schedule.index, range(geometry.n_images), geometry.size)
    row_of = {mask.tobytes(): row for row, mask in enumerate(masks)}
    found = []
    for batch_images, batch_masks in batches:
        rows = [row_of[mask.tobytes()] for mask in batch_masks]
        assert np.array_equal(batch_images, images[rows])
        found.append(rows)
    return found


def test_the_pool_is_passed_over_and_then_replaced_by_a_stride(schedule):
    from experiments.race.torch_loaders import smart_cache

    geometry, feed = schedule.geometry, smart_cache(schedule)
    steps = rows_of_batches(schedule, islice(feed, 2 * geometry.steps_per_round))
    n = geometry.steps_per_round
    first, second = [*chain(*steps[:n])], [*chain(*steps[n:])]
    assert all(first.count(row) == geometry.passes for row in first)
    assert len({*first}) == len({*second}) == geometry.window
    assert len({*second} - {*first}) == geometry.stride
    _close(feed)
    # Each image of the pool once, those that have replaced, and those of the next replacement.
    assert schedule.reader.decoded <= geometry.window + 2 * geometry.stride


def test_pytorchs_loader_goes_through_the_list_again_and_again(schedule):
    from experiments.race.torch_loaders import torch_data_loader

    geometry, feed = schedule.geometry, torch_data_loader(schedule)
    per_pass = geometry.n_images // geometry.batch_size
    steps = rows_of_batches(schedule, islice(feed, 2 * per_pass))
    passes = [[*chain(*steps[:per_pass])], [*chain(*steps[per_pass:])]]
    assert [sorted(rows) for rows in passes] == [[*range(geometry.n_images)]] * 2
    assert passes[0] != passes[1]
    _close(feed)
