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
@given(geometries)
def test_every_round_equals_a_reload_and_no_image_is_read_twice(geometry):
    window, more, stride, tail, staged = geometry
    windows = sliding_windows(window + more, window, stride, tail)
    ring = ring_of(window + more, window, min(stride, window) if staged else 0)
    for number, now in enumerate(windows):
        ring.show(rows(now.start, now.stop))
        for after in windows[number + 1 : number + 2]:
            ring.prepare(rows(after.start, after.stop))
        assert_ring_holds(ring, range(now.start, now.stop))
        images, masks = ring.take(rows(now.start, now.stop)[::-1])
        assert rows_of(images) == list(range(now.start, now.stop))[::-1]
        assert masks[:, 0, 0].tolist() == [row % 2 for row in rows_of(images)]
    used = {row for now in windows for row in range(now.start, now.stop)}
    assert sorted(ring.read.rows) == sorted(used)
    assert ring.decoded == len(used)
    ring.close()
    assert decoding_threads() == []


@settings(deadline=None)
@given(geometries, st.lists(st.integers(0, 10**6), max_size=8))
def test_any_window_may_follow_and_only_what_is_missing_is_read(geometry, jumps):
    window, more, stride, tail, staged = geometry
    windows = sliding_windows(window + more, window, stride, tail)
    ring = ring_of(window + more, window, min(stride, window) if staged else 0)
    for jump in jumps:
        now = windows[jump % len(windows)]
        held, before = set(ring.rows), len(ring.read.rows)
        ring.show(rows(now.start, now.stop))
        assert_ring_holds(ring, range(now.start, now.stop))
        if not staged:
            assert set(ring.read.rows[before:]) == set(range(now.start, now.stop)) - held
        for after in windows[now.round + 1 : now.round + 2]:
            ring.prepare(rows(after.start, after.stop))
    ring.close()


def test_moving_on_keeps_the_same_arrays_and_touches_only_new_slots():
    ring = ring_of()
    assert (ring.rows == EMPTY).all()
    ring.show(rows(0, 20))
    images, masks, before = ring.images, ring.masks, ring.rows.copy()
    ring.show(rows(2, 22))
    assert ring.images is images and ring.masks is masks
    assert np.flatnonzero(ring.rows != before).tolist() == [0, 1]


def test_a_shorter_window_leaves_the_rest_as_it_is():
    ring = ring_of()
    ring.show(rows(0, 20))
    ring.show(rows(10, 25))
    assert_ring_holds(ring, range(5, 25))


@pytest.mark.parametrize("n_staged", [0, 8])
def test_rows_may_skip_some(n_staged):
    ring = ring_of(n_staged=n_staged)
    some = np.array([3, 5, 6, 9, 19, 20, 22])
    ring.show(some)
    assert_ring_holds(ring, some)
    assert ring.read.rows == some.tolist()
    ring.prepare(np.array([8, 11, 24]))
    ring.show(rows(5, 15))
    assert_ring_holds(ring, range(5, 15))
    ring.close()


def test_memory_is_the_window_and_the_staging_buffer():
    row = 4 * 5 * (3 + 1)
    ring = ring_of(100, 30, 7, size=(4, 5))
    assert ring.images.shape == (30, 4, 5, 3) and ring.masks.shape == (30, 4, 5)
    assert ring.images.nbytes + ring.masks.nbytes == 30 * row
    assert ring.nbytes == (30 + 7) * row
    arrays = [a for a in vars(ring).values() if isinstance(a, np.ndarray) and a.dtype == np.uint8]
    assert sum(array.nbytes for array in arrays) == ring.nbytes
    assert all(array.base is None for array in arrays)
    ring.close()
    assert ring.nbytes == 0


def test_what_is_taken_is_a_copy():
    ring = ring_of()
    ring.show(rows(0, 20))
    images, masks = ring.take(np.array([5, 2, 5]))
    assert rows_of(images) == [5, 2, 5] and images.dtype == masks.dtype == np.uint8
    images[:] = masks[:] = 77
    assert_ring_holds(ring, range(20))


def test_rows_that_are_not_held_are_refused():
    ring = ring_of(9, 4)
    ring.show(rows(2, 6))
    images, _ = ring.take(np.array([5, 2]))
    assert rows_of(images) == [5, 2]
    for wanted, first in (([3, 6, 7], 6), ([1], 1)):
        with pytest.raises(IndexError, match=f"Row {first} is not in the window"):
            ring.take(np.array(wanted))


def test_a_large_window_is_decoded_without_a_list_of_calls(voc_folder):
    """A waiting call takes some 1,900 bytes, so 3,000 at once would be over 5 MiB."""
    index = index_voc(voc_folder(2))[np.arange(3000) % 2]
    ring = RingBuffer(index, SIZE, 3000, 0, partial(read_block, threads=2))
    tracemalloc.start()
    try:
        ring.show(rows(0, 3000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    images, masks = read_block(index, [0, 1], SIZE)
    np.testing.assert_array_equal(ring.images, np.concatenate([images] * 1500))
    np.testing.assert_array_equal(ring.masks, np.concatenate([masks] * 1500))


# The thread


class SlowReader(CodedReader):
    """Waits, in a thread, until it is let go."""

    def __init__(self):
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, *given):
        if threading.current_thread() is not threading.main_thread():
            self.begun.set()
            self.go.wait(10)
        super().__call__(*given)


def test_the_next_rows_are_read_in_a_thread_while_the_window_is_in_use():
    ring = ring_of(n_staged=2, read=SlowReader())
    ring.show(rows(0, 20))
    ring.prepare(rows(2, 22))
    assert ring.read.begun.wait(10) and len(decoding_threads()) == 1
    assert_ring_holds(ring, range(20))
    assert ring.take(rows(0, 20))[0].shape == (20, *SIZE, 3)
    ring.read.go.set()
    ring.show(rows(2, 22))
    assert_ring_holds(ring, range(2, 22))
    assert decoding_threads() == [] and len(ring.read.threads) == 2
    ring.show(rows(4, 24))
    assert ring.read.rows == list(range(24)) and len(ring.read.threads) == 2


def test_nothing_is_prepared_without_a_staging_buffer_or_twice():
    ring = ring_of()
    ring.show(rows(0, 20))
    ring.prepare(rows(2, 22))
    assert decoding_threads() == [] and ring.decoded == 20
    ring = ring_of(n_staged=2)
    ring.show(rows(0, 20))
    ring.prepare(rows(0, 20))
    assert decoding_threads() == [] and ring.decoded == 20
    ring.prepare(rows(2, 22))
    ring.prepare(rows(4, 24))
    ring.show(rows(2, 22))
    assert ring.read.rows == list(range(22))
    ring.close()


def test_prepared_rows_that_are_not_shown_are_read_again_later():
    ring = ring_of(n_staged=2)
    ring.show(rows(10, 30))
    ring.prepare(rows(12, 32))
    ring.show(rows(0, 20))
    assert_ring_holds(ring, range(20))
    ring.show(rows(12, 32))
    assert_ring_holds(ring, range(12, 32))
    ring.close()


def test_closing_waits_for_the_thread():
    ring = ring_of(n_staged=2, read=SlowReader())
    ring.show(rows(0, 20))
    ring.prepare(rows(2, 22))
    assert ring.read.begun.wait(10)
    threading.Timer(0.05, ring.read.go.set).start()
    ring.close()
    assert decoding_threads() == [] and ring.nbytes == 0 and len(ring.rows) == 0


# Reading that fails


def test_rows_half_written_by_a_failing_reader_do_not_count():
    ring = ring_of(read=CodedReader(fail_on=[21]))
    ring.show(rows(0, 20))
    with pytest.raises(OSError, match=r"21.jpg"):
        ring.show(rows(2, 22))
    assert ring.decoded == 20 and set(ring.rows[:2]) == {EMPTY}
    ring.show(rows(0, 20))
    assert_ring_holds(ring, range(20))


def test_what_the_thread_raised_is_raised_when_its_rows_are_shown():
    ring = ring_of(n_staged=2, read=CodedReader(fail_on=[21]))
    ring.show(rows(0, 20))
    ring.prepare(rows(2, 22))
    assert_ring_holds(ring, range(20))
    with pytest.raises(OSError, match=r"21.jpg"):
        ring.show(rows(2, 22))
    assert_ring_holds(ring, range(20))
    ring.read.fail_on.clear()
    ring.show(rows(2, 22))
    assert_ring_holds(ring, range(2, 22))
    assert decoding_threads() == []


def test_closing_keeps_quiet_about_what_the_thread_raised():
    ring = ring_of(n_staged=2, read=CodedReader(fail_on=[21]))
    ring.show(rows(0, 20))
    ring.prepare(rows(2, 22))
    ring.close()
    assert decoding_threads() == []
