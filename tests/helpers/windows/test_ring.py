"""The ring buffer: what lies in it, what it reads, and what its thread may do."""

import threading
import tracemalloc
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import index_voc, read_block
from helpers.windows.geometry import sliding_windows
from helpers.windows.ring import EMPTY, RingBuffer
from tests.support import (
    CodedReader,
    assert_ring_holds,
    decoding_threads,
    index_of_names,
    rows_of,
)

SIZE = (2, 3)


def ring_of(n=58, window=20, n_staged=0, size=SIZE, read=None):
    return RingBuffer(index_of_names(n), size, window, n_staged, read or CodedReader())


def rows(start, stop):
    return np.arange(start, stop)


# What it holds

geometries = st.tuples(
    st.integers(1, 40), st.integers(0, 60), st.integers(1, 50), st.booleans(), st.booleans()
)


@settings(deadline=None)
@given(geometries, st.lists(st.integers(0, 10**6), max_size=8))
def test_any_window_may_follow_and_only_what_is_missing_is_read(geometry, jumps):
    """In order, which decodes each image once, is a test of `SlidingSubset`."""
    window, more, stride, tail, staged = geometry
    windows = sliding_windows(window + more, window, stride, tail)
    ring = ring_of(window + more, window, min(stride, window) if staged else 0)
    for jump in jumps:
        now = windows[jump % len(windows)]
        held, before = set(ring.rows), len(ring.read.rows)
        ring.hold(rows(now.start, now.stop))
        assert_ring_holds(ring, range(now.start, now.stop))
        if not staged:
            assert set(ring.read.rows[before:]) == set(range(now.start, now.stop)) - held
        for after in windows[now.round + 1 : now.round + 2]:
            ring.prepare(rows(after.start, after.stop))
    ring.close()


def test_moving_on_keeps_the_same_arrays_and_touches_only_new_slots():
    ring = ring_of()
    assert (ring.rows == EMPTY).all()
    ring.hold(rows(0, 20))
    arrays, before = [*ring.arrays], ring.rows.copy()
    ring.hold(rows(2, 22))
    assert all(now is array for now, array in zip(ring.arrays, arrays, strict=True))
    assert np.flatnonzero(ring.rows != before).tolist() == [0, 1]


def test_a_shorter_window_leaves_the_rest_as_it_is():
    ring = ring_of()
    ring.hold(rows(0, 20))
    ring.hold(rows(10, 25))
    assert_ring_holds(ring, range(5, 25))


@pytest.mark.parametrize("n_staged", [0, 8])
def test_rows_may_skip_some(n_staged):
    ring = ring_of(n_staged=n_staged)
    some = np.array([3, 5, 6, 9, 19, 20, 22])
    ring.hold(some)
    assert_ring_holds(ring, some)
    assert ring.read.rows == some.tolist()
    ring.prepare(np.array([8, 11, 24]))
    ring.hold(rows(5, 15))
    assert_ring_holds(ring, range(5, 15))
    ring.close()


def test_memory_is_the_window_and_the_staging_buffer():
    row = 4 * 5 * (3 + 1)
    ring = ring_of(100, 30, 7, size=(4, 5))
    assert [array.shape for array in ring.arrays] == [(30, 4, 5, 3), (30, 4, 5)]
    assert ring.nbytes == (30 + 7) * row and not ring.closed
    kept = [array for value in vars(ring).values() for array in arrays_in(value)]
    assert sum(array.nbytes for array in kept) == ring.nbytes
    assert all(array.base is None for array in kept)
    ring.close()
    assert ring.nbytes == 0 and ring.closed


def arrays_in(value):
    """The pixels among what a ring holds."""
    return [a for a in (value if isinstance(value, list) else [value]) if is_pixels(a)]


def is_pixels(value):
    return isinstance(value, np.ndarray) and value.dtype == np.uint8


class Sounds:
    """Three arrays a row: 16-bit samples, a label, a weight for each sample."""

    def declare(self, index, size):
        assert len(index) == 58
        return [((*size, 2), np.int16), ((), np.int64), (size, np.float32)]

    def __call__(self, index, rows, size, samples, labels, weights):
        samples[:] = (300 * rows).reshape(-1, 1, 1, 1)
        labels[:] = 10**6 + rows
        weights[:] = (rows / 2).reshape(-1, 1, 1)


def test_a_read_may_declare_other_arrays():
    ring = ring_of(n_staged=2, read=Sounds())
    assert ring.nbytes == 22 * (2 * 3 * 2 * 2 + 8 + 2 * 3 * 4)
    ring.hold(rows(0, 20))
    ring.prepare(rows(2, 22))
    ring.hold(rows(2, 22))
    samples, labels, weights = ring.take(np.array([21, 4]))
    assert samples.dtype == np.int16 and samples.shape == (2, *SIZE, 2)
    assert samples[:, 1, 2, 1].tolist() == [6300, 1200]
    assert labels.dtype == np.int64 and labels.tolist() == [1_000_021, 1_000_004]
    assert weights.dtype == np.float32 and weights[:, 1, 2].tolist() == [10.5, 2]
    ring.close()


def test_what_is_taken_is_a_copy():
    ring = ring_of()
    ring.hold(rows(0, 20))
    images, masks = ring.take(np.array([5, 2, 5]))
    assert rows_of(images) == [5, 2, 5]
    images[:] = masks[:] = 77
    assert_ring_holds(ring, range(20))


def test_rows_that_are_not_held_are_refused():
    ring = ring_of(9, 4)
    ring.hold(rows(2, 6))
    for wanted, first in (([3, 6, 7], 6), ([1], 1)):
        with pytest.raises(IndexError, match=f"Row {first} is not in the window"):
            ring.take(np.array(wanted))


@pytest.mark.slow
def test_a_large_window_is_decoded_without_a_list_of_calls(voc_folder):
    """A waiting call takes some 1,900 bytes, so 1,500 at once would be over 2.5 MiB."""
    index = index_voc(voc_folder(2))[np.arange(1500) % 2]
    ring = RingBuffer(index, SIZE, 1500, 0, partial(read_block, threads=2))
    tracemalloc.start()
    try:
        ring.hold(rows(0, 1500))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    for array, pair in zip(ring.arrays, read_block(index, [0, 1], SIZE), strict=True):
        np.testing.assert_array_equal(array, np.concatenate([pair] * 750))


# The thread


class SlowReader(CodedReader):
    """Waits, in a thread, until it is let go."""

    def __init__(self):
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, *given):
        if threading.current_thread() is not threading.main_thread():
            self.begun.set()
            self.go.wait(60)
        super().__call__(*given)


def test_the_next_rows_are_read_in_a_thread_while_the_window_is_in_use():
    ring = ring_of(n_staged=2, read=SlowReader())
    ring.hold(rows(0, 20))
    ring.prepare(rows(2, 22))
    assert ring.read.begun.wait(60) and len(decoding_threads()) == 1
    assert_ring_holds(ring, range(20))
    assert ring.take(rows(0, 20))[0].shape == (20, *SIZE, 3)
    ring.read.go.set()
    ring.hold(rows(2, 22))
    assert_ring_holds(ring, range(2, 22))
    assert decoding_threads() == [] and ring.read.at_once == list(range(20))
    ring.hold(rows(4, 24))
    assert ring.read.rows == list(range(24)) and ring.read.at_once[20:] == [22, 23]


def test_nothing_is_prepared_without_a_staging_buffer_or_twice():
    ring = ring_of()
    ring.hold(rows(0, 20))
    ring.prepare(rows(2, 22))
    assert decoding_threads() == [] and ring.decoded == 20
    ring = ring_of(n_staged=2)
    ring.hold(rows(0, 20))
    ring.prepare(rows(0, 20))
    assert decoding_threads() == [] and ring.decoded == 20
    ring.prepare(rows(2, 22))
    ring.prepare(rows(4, 24))
    ring.hold(rows(2, 22))
    assert ring.read.rows == list(range(22))
    ring.close()


def test_prepared_rows_that_are_not_shown_are_read_again_later():
    ring = ring_of(n_staged=2)
    ring.hold(rows(10, 30))
    ring.prepare(rows(12, 32))
    ring.hold(rows(0, 20))
    assert_ring_holds(ring, range(20))
    assert ring.decoded == 20 + 2 + 10  # rows 10 to 19 were kept
    ring.hold(rows(12, 32))
    assert_ring_holds(ring, range(12, 32))
    ring.close()


def test_closing_waits_for_the_thread():
    ring = ring_of(n_staged=2, read=SlowReader())
    ring.hold(rows(0, 20))
    ring.prepare(rows(2, 22))
    assert ring.read.begun.wait(60)
    threading.Timer(0.05, ring.read.go.set).start()
    ring.close()
    assert decoding_threads() == [] and ring.nbytes == 0 and len(ring.rows) == 0
    with pytest.raises(ValueError, match=r"This window is closed\. Make a new"):
        ring.hold(rows(0, 20))


# Reading that fails


def test_rows_half_written_by_a_failing_reader_do_not_count():
    ring = ring_of(read=CodedReader(fail_on=[21]))
    ring.hold(rows(0, 20))
    with pytest.raises(OSError, match=r"21.jpg"):
        ring.hold(rows(2, 22))
    assert ring.decoded == 20 and set(ring.rows[:2]) == {EMPTY}
    ring.hold(rows(0, 20))
    assert_ring_holds(ring, range(20))


def test_what_the_thread_raised_is_raised_when_its_rows_are_shown():
    ring = ring_of(n_staged=2, read=CodedReader(fail_on=[21]))
    ring.hold(rows(0, 20))
    ring.prepare(rows(2, 22))
    assert_ring_holds(ring, range(20))
    with pytest.raises(OSError, match=r"21.jpg"):
        ring.hold(rows(2, 22))
    assert_ring_holds(ring, range(20))
    ring.read.fail_on.clear()
    ring.hold(rows(2, 22))
    assert_ring_holds(ring, range(2, 22))
    assert decoding_threads() == []


def test_closing_keeps_quiet_about_what_the_thread_raised():
    ring = ring_of(n_staged=2, read=CodedReader(fail_on=[21]))
    ring.hold(rows(0, 20))
    ring.prepare(rows(2, 22))
    ring.close()
    assert decoding_threads() == []
