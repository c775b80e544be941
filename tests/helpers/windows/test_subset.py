"""One window in memory that feeds Keras: what it holds, its batches, and what a real `fit` sees."""

import contextlib
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import index_voc, read_block
from helpers.windows import Geometry, SlidingSubset, flip_horizontally, times_seen
from tests.support import (
    CodedReader,
    assert_ring_holds,
    assert_trained,
    coded_subset,
    decoding_threads,
    fit_and_record,
    index_of_names,
    row_recorder,
    rows_of,
    stop_at,
)

# The windows in memory

geometries = st.tuples(st.integers(1, 40), st.integers(0, 60), st.integers(1, 50), st.booleans())


@settings(deadline=None)
@given(geometries)
def test_every_round_equals_a_reload_and_no_image_is_read_twice(geometry):
    window, more, stride, background = geometry
    reader = CodedReader()
    with coded_subset(
        window + more, window, stride, background=background, read=reader,
        passes=1, batch_size=7,
    ) as subset:  # fmt: skip
        for epoch, now in enumerate(subset.geometry.windows):
            subset.seek(epoch)
            assert_ring_holds(subset.ring, range(now.start, now.stop))
            trained = [row for images, _ in subset for row in rows_of(images)]
            assert sorted(trained) == list(range(now.start, now.stop))
        used = times_seen(window + more, subset.geometry.windows) > 0
        assert sorted(reader.rows) == np.flatnonzero(used).tolist()
        assert subset.decoded == used.sum()


@settings(deadline=None)
@given(geometries, st.lists(st.integers(0, 10**6), max_size=8))
def test_seek_goes_anywhere_and_reads_only_what_is_missing(geometry, jumps):
    window, more, stride, background = geometry
    reader = CodedReader()
    with coded_subset(
        window + more, window, stride, background=background, read=reader,
        passes=2,
    ) as subset:  # fmt: skip
        for jump in jumps:
            epoch = jump % subset.n_epochs
            now = subset.geometry.windows[epoch // 2]
            held = set(subset.ring.rows)
            before = len(reader.rows)
            subset.seek(epoch)
            assert (subset.epoch, subset.round) == (epoch, epoch // 2)
            assert_ring_holds(subset.ring, range(now.start, now.stop))
            if not background:
                assert set(reader.rows[before:]) == set(range(now.start, now.stop)) - held


def test_the_articles_schedule_decodes_each_image_once_in_a_thread():
    reader = CodedReader()
    with coded_subset(2913, 1000, 100, size=(1, 1), passes=5, read=reader) as subset:
        assert subset.n_epochs == 100
        for epoch in range(100):
            subset.seek(epoch)
            subset[0]
        assert subset.decoded == 2900
    assert sorted(reader.rows) == list(range(2900))
    assert threading.main_thread() in reader.threads  # the first window
    assert reader.rows[:1000] == list(range(1000)) and len(reader.threads) == 20


def test_memory_is_the_window_and_one_stride():
    row = 4 * 5 * (3 + 1)
    with coded_subset(100, 30, 7, size=(4, 5)) as subset:
        subset.seek(0)
        subset.seek(subset.n_epochs - 1)
        assert subset.nbytes == (30 + 7) * row
        assert subset.ring.images.nbytes + subset.ring.masks.nbytes == 30 * row
        ring = vars(subset.ring).values()
        arrays = [a for a in ring if isinstance(a, np.ndarray) and a.dtype == np.uint8]
        assert sum(array.nbytes for array in arrays) == subset.nbytes
        assert all(array.base is None for array in arrays)
    assert subset.nbytes == 0
    assert coded_subset(100, 30, 7, size=(4, 5), background=False).nbytes == 30 * row
    assert coded_subset(100, 30, 50, size=(4, 5)).nbytes == (30 + 30) * row
    assert coded_subset(30, 30, 7, size=(4, 5)).nbytes == 30 * row
    for n, stride in ((100, 7), (100, 50), (30, 7)):
        subset = coded_subset(n, 30, stride, size=(4, 5))
        assert subset.nbytes == subset.geometry.nbytes


def test_real_images_equal_read_block(voc_folder):
    index = index_voc(voc_folder(9))
    with SlidingSubset(index, Geometry(9, 4, 2, (8, 6), passes=1)) as subset:
        for epoch, now in enumerate(subset.geometry.windows):
            subset.seek(epoch)
            images, masks = read_block(index, range(now.start, now.stop), (8, 6))
            slots = np.arange(now.start, now.stop) % 4
            np.testing.assert_array_equal(subset.ring.images[slots], images)
            np.testing.assert_array_equal(subset.ring.masks[slots], masks)
        assert subset.decoded == 8


@pytest.mark.parametrize(
    ("n", "options", "message"),
    [
        (57, {}, "holds 57 images, the geometry is made for 58"),
        (59, {}, "holds 59 images, the geometry is made for 58"),
        (58, {"tail": True}, "leave tail at False"),
    ],
)
def test_a_geometry_that_does_not_fit_is_refused(n, options, message):
    with pytest.raises(ValueError, match=message):
        SlidingSubset(index_of_names(n), Geometry(58, 20, 2, (2, 3), **options))


# Batches


def test_batches_are_fresh_uint8_arrays_and_the_last_may_be_short():
    with coded_subset(window=20, batch_size=8) as subset:
        assert len(subset) == 3
        batches = list(subset)
        assert [len(images) for images, _ in batches] == [8, 8, 4]
        for images, masks in batches:
            assert images.dtype == masks.dtype == np.uint8
            assert images.shape[1:] == (2, 3, 3) and masks.shape[1:] == (2, 3)
            assert [row % 2 for row in rows_of(images)] == masks[:, 0, 0].tolist()
            images[:] = masks[:] = 77
        assert 77 not in subset.ring.images and 77 not in subset.ring.masks
        for wrong in (3, -1):
            with pytest.raises(IndexError, match="an epoch has 3"):
                subset[wrong]
    assert len(coded_subset(window=20, batch_size=50)) == 1


def order_of(subset, epoch):
    subset.seek(epoch)
    return [row for images, _ in subset for row in rows_of(images)]


@pytest.mark.parametrize("background", [True, False])
def test_the_order_depends_on_seed_round_and_epoch_alone(background):
    with coded_subset(seed=1) as reference:
        orders = [order_of(reference, epoch) for epoch in range(12)]
    assert len({tuple(order) for order in orders}) == 12
    with coded_subset(seed=1, background=background) as subset:
        for epoch in (11, 3, 0, 7):
            np.random.seed(epoch)  # noqa: NPY002 - the global state must not matter
            assert order_of(subset, epoch) == orders[epoch]
    with coded_subset(seed=2) as subset:
        assert order_of(subset, 3) != orders[3]


def test_batches_are_those_of_the_geometry():
    with coded_subset(30, 20, 5, batch_size=8, passes=2, seed=3) as subset:
        steps = []
        for epoch in range(subset.n_epochs):
            subset.seek(epoch)
            steps += [rows_of(images) for images, _ in subset]
        geometry = subset.geometry
        assert steps == [geometry.batch(step).tolist() for step in range(geometry.n_steps)]
        assert subset.n_rounds == geometry.n_rounds == 3 and subset.n_epochs == 6


def test_without_shuffle_rows_come_in_the_order_of_the_list():
    with coded_subset(30, 20, 5, batch_size=8, shuffle=False) as subset:
        assert order_of(subset, 0) == order_of(subset, 1) == list(range(20))
        assert order_of(subset, 5) == list(range(5, 25))


def test_augmentation_is_repeatable_and_leaves_the_ring_alone():
    with coded_subset(seed=4, augment=flip_horizontally) as subset:
        subset.seek(0)
        kept = subset.ring.images.copy()
        first, again = subset[0], subset[0]
        np.testing.assert_array_equal(first[0], again[0])
        np.testing.assert_array_equal(subset.ring.images, kept)
        flipped = [bool(image[0, 0, 2]) for image in subset[0][0]]
        assert True in flipped and False in flipped
        subset.seek(1)
        assert [bool(image[0, 0, 2]) for image in subset[0][0]] != flipped


# What `fit` sees


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("batch_size", [32, 10, 6])
def test_one_plain_fit_trains_every_window(background, batch_size):
    with coded_subset(30, 20, 2, passes=3, batch_size=batch_size, background=background) as subset:
        follow = [subset.follow_callback()] if needs_callback(subset) else []
        assert_trained(subset, fit_and_record(subset, callbacks=follow), range(18))
        assert subset.decoded == 30


def needs_callback(subset):
    return keras.backend.backend() != "tensorflow" and len(subset) <= 2


@pytest.mark.parametrize("geometry", [(30, 10, 10), (50, 8, 14), (27, 10, 4)])
def test_fit_with_windows_apart(geometry):
    with coded_subset(*geometry, passes=2, batch_size=3) as subset:
        assert_trained(subset, fit_and_record(subset), range(subset.n_epochs))


def test_a_shuffling_fit_trains_the_same_batches():
    with coded_subset(30, 20, 2, passes=2, batch_size=3) as subset:
        record = fit_and_record(subset, shuffle=True)
        assert_trained(subset, record, range(12), shuffled=True)
        with pytest.raises(AssertionError):
            assert_trained(subset, record, range(12))


def test_an_interrupt_leaves_no_thread_behind():
    reader = CodedReader()
    with pytest.raises(KeyboardInterrupt), coded_subset(batch_size=4, read=reader) as subset:
        fit_and_record(subset, callbacks=[stop_at(7, KeyboardInterrupt())])
    assert decoding_threads() == [] and subset.nbytes == 0
    with pytest.raises(ValueError, match="closed"):
        subset[0]
    with pytest.raises(ValueError, match="closed"):
        subset.seek(0)


def test_leaving_while_the_thread_decodes_waits_for_it():
    release, begun = threading.Event(), threading.Event()

    def slow(index, rows, size, images, masks):
        if threading.current_thread() is not threading.main_thread():
            begun.set()
            release.wait(10)
        images[:] = masks[:] = 0

    with pytest.raises(KeyboardInterrupt), coded_subset(read=slow) as subset:
        subset.seek(0)
        assert begun.wait(10) and len(decoding_threads()) == 1
        threading.Timer(0.05, release.set).start()
        raise KeyboardInterrupt
    assert decoding_threads() == []


def test_more_workers_are_refused():
    with coded_subset() as subset:
        subset.workers = 2
        with pytest.raises(ValueError, match="Leave workers at 1"):
            fit_and_record(subset)


# As `tf.data`


@pytest.mark.parametrize("batch_size", [32, 12, 4])
def test_as_tf_data_every_fit_trains_the_same_batches(batch_size):
    with coded_subset(30, 20, 2, batch_size=batch_size) as subset:
        data, model = subset.tf_data(), row_recorder()
        assert not data.options().autotune.enabled and len(data) == len(subset)
        assert_trained(subset, fit_and_record(subset, model, data=data, epochs=7), range(7))
        later = {"initial_epoch": 7, "epochs": 30}
        assert_trained(subset, fit_and_record(subset, model, data=data, **later), range(7, 30))
        assert subset.decoded == 30
        follow = subset.follow_callback()
        for first, last in ((11, 14), (0, 6), (2, 3)):
            options = {"initial_epoch": first, "epochs": last}
            record = fit_and_record(subset, model, [follow], data=data, **options)
            assert_trained(subset, record, range(first, last))


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_as_tf_data_an_interrupted_fit_goes_on_exactly(error):
    with coded_subset(30, 20, 2, batch_size=2) as subset:
        data, model = subset.tf_data(), row_recorder()
        with contextlib.suppress(KeyboardInterrupt):
            fit_and_record(subset, model, [stop_at(6, error)], data=data)
        subset.seek(6)
        record = fit_and_record(subset, model, data=data, initial_epoch=6, epochs=9)
        assert_trained(subset, record, range(6, 9))


def test_as_tf_data_an_error_keeps_its_words():
    with coded_subset(22, 20, 2, batch_size=4) as subset:
        follow = [subset.follow_callback()]
        with pytest.raises(ValueError, match=r"no epoch 10: 2 rounds of 5"):
            fit_and_record(subset, callbacks=follow, data=subset.tf_data(), epochs=11)
        with pytest.raises(tf.errors.OpError, match=r"callback that led the last fit is silent"):
            fit_and_record(subset, data=subset.tf_data(), epochs=1)


# Decoding that fails


@pytest.mark.parametrize("background", [True, False])
def test_a_failing_decode_reaches_the_caller_with_its_file(background):
    reader = CodedReader(fail_on=[23])
    with coded_subset(batch_size=4, read=reader, background=background) as subset:
        with pytest.raises(OSError, match=r"23.jpg"):
            fit_and_record(subset)
        assert subset.round == 1  # rows 22 and 23 belong to round 2
        with pytest.raises(OSError, match=r"23.jpg"):
            subset.seek(10)
        reader.fail_on.clear()
        subset.seek(10)
        assert_ring_holds(subset.ring, range(4, 24))
    assert decoding_threads() == []


def test_a_failing_first_window_reaches_the_caller():
    with (
        coded_subset(read=CodedReader(fail_on=[3])) as subset,
        pytest.raises(OSError, match=r"3.jpg"),
    ):
        fit_and_record(subset)


def test_a_batch_is_never_of_two_windows():
    """A thread gathers without pause, as Keras' own may, while the window moves on."""
    with coded_subset(400, 40, 40, size=(8, 8), passes=1, batch_size=40) as subset:
        subset.seek(0)
        done, mixed = threading.Event(), []

        def gather():
            while not done.is_set():
                rows = sorted(rows_of(subset[0][0]))
                if rows != list(range(rows[0], rows[0] + 40)):
                    mixed.append(rows)

        thread = threading.Thread(target=gather)
        thread.start()
        for lap in range(30):
            for epoch in range(subset.n_epochs):
                subset.seek(epoch if lap % 2 else subset.n_epochs - 1 - epoch)
        done.set()
        thread.join()
        assert mixed == []
