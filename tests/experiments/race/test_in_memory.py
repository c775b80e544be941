"""What stays in memory: its type and its bytes. What it trains on is in `test_loaders.py`."""

import numpy as np
import pytest

from experiments.race import in_memory
from tests.support import race_schedule


@pytest.fixture
def schedule(tmp_path):
    return race_schedule(tmp_path)


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
def test_what_lies_in_memory_has_the_dtype_it_is_named_for(dtype, schedule):
    images, _ = getattr(in_memory, f"{dtype}_in_memory")(schedule)
    assert images.dtype == dtype and images.nbytes == 16 * 32 * 32 * 3 * images.itemsize


def test_the_limit_is_one_batch_again_and_again(schedule):
    batches = list(in_memory.constant_batch(schedule))
    assert len(batches) == 2 and schedule.reader.decoded == schedule.geometry.batch_size
    assert np.array_equal(batches[0][0], batches[1][0])


def test_the_ring_buffer_holds_a_window_and_a_stride_and_without_a_thread_the_window(schedule):
    for make, images in ((in_memory.sliding_subset, 12), (in_memory.sliding_subset_waiting, 8)):
        with make(schedule) as subset:
            assert subset.nbytes == images * 32 * 32 * 4


def test_over_a_reshuffled_list_each_window_serves_for_one_pass(schedule):
    with in_memory.sliding_subset_reshuffled(schedule) as subset:
        geometry = subset.geometry
        assert (geometry.passes, geometry.n_rounds) == (1, 6)
        assert geometry.n_steps == schedule.geometry.n_steps
        names = subset.ring.index.images
    assert len(names) == 8 + 5 * 4
    assert set(names[:16].tolist()) == set(schedule.used.images.tolist())
