"""Keras data sets whose batches are fetched when they are due: their order, and files of bytes."""

import numpy as np
import pytest

from experiments.race import per_batch
from tests.support import race_schedule


@pytest.fixture
def schedule(tmp_path):
    return race_schedule(tmp_path)


def test_a_step_has_its_batch_in_whatever_order_it_is_asked(schedule):
    class Rows(per_batch.StepDataset):
        def take(self, rows):
            return rows

    feed = Rows(schedule)
    backwards = [feed[step] for step in reversed(range(8))]
    shown = np.array([feed[step] for step in range(8)])
    assert np.array_equal(shown, backwards[::-1]) and feed.num_batches is None
    first, second = shown.reshape(2, 16).tolist()  # two passes
    assert sorted(first) == sorted(second) == list(range(16)) and first != second


def test_the_files_of_the_memmap_hold_the_bytes_of_all_images(schedule):
    per_batch.memmap(schedule)
    sizes = {path.name: path.stat().st_size for path in schedule.folder.iterdir()}
    assert sizes == {"images.raw": 16 * 32 * 32 * 3, "masks.raw": 16 * 32 * 32}


def test_the_limit_is_one_batch_again_and_again(schedule):
    feed = per_batch.constant_batch(schedule)
    assert feed[0] is feed[11] and feed[0][0].dtype == np.uint8
    assert schedule.reader.decoded == schedule.geometry.batch_size
