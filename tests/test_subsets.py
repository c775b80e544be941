"""Sliding windows: the arithmetic, the ring buffer, and what a real `fit` gets to see."""

import contextlib
import threading
import tracemalloc

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.article import article_loop, compile_as_article
from helpers.dataset import Index, index_voc
from helpers.images import read_block
from helpers.ring import RingBuffer
from helpers.subsets import (
    SlidingSubset,
    Window,
    flip_horizontally,
    sliding_windows,
    times_seen,
)

SIZE = (2, 3)


def index_of(n):
    return Index.build("images", "masks", ("background", "thing"), [str(i) for i in range(n)])


class Reader:
    """Stands in for `read_block`: every pixel of a picture tells its row, so that a batch says
    which rows it was made of. Remembers the rows it read."""

    def __init__(self, fail_on=()):
        self.read, self.fail_on, self.threads = [], set(fail_on), set()

    def __call__(self, index, rows, size, images, masks, threads):
        assert images.shape == (len(rows), *size, 3) and masks.shape == (len(rows), *size)
        self.threads.add(threading.current_thread())
        for slot, row in enumerate(rows):
            if row in self.fail_on:
                images[slot] = masks[slot] = 99
                raise OSError(f"{index[row].image} cannot be decoded")
            images[slot], masks[slot] = picture(row, size)
            self.read.append(int(row))


def picture(row, size=SIZE):
    """Row number in the first two channels; the columns count up in the third."""
    image = np.zeros((*size, 3), np.uint8)
    image[..., 0], image[..., 1], image[..., 2] = row % 256, row // 256, np.arange(size[1])
    return image, np.full(size, row % 2, np.uint8)


def rows_of(images):
    images = np.asarray(images).astype(int)
    return (images[:, 0, 0, 0] + 256 * images[:, 0, 0, 1]).tolist()


def subset_of(n=58, window=20, stride=2, size=SIZE, **options):
    options.setdefault("reader", Reader())
    return SlidingSubset(index_of(n), window, stride, size, **options)


def assert_holds(subset, start, stop):
    for row in range(start, stop):
        slot = row % len(subset.rows)
        image, mask = picture(row, subset.ring.size)
        assert subset.rows[slot] == row
        np.testing.assert_array_equal(subset.images[slot], image)
        np.testing.assert_array_equal(subset.masks[slot], mask)


def decoding_threads():
    return [t for t in threading.enumerate() if t.name.startswith(("RingBuffer", "read_block"))]


# Windows


def test_the_articles_windows():
    windows = sliding_windows(2913, 1000, 100)
    assert len(windows) == 20
    assert windows[0] == Window(0, 0, 1000) and windows[19] == Window(19, 1900, 2900)
    seen = times_seen(2913, windows)
    assert (seen == 0).sum() == 13 and not seen[2900:].any()
    assert seen.max() == 10 and seen.sum() == 20_000 and seen[0] == 1
    with_tail = sliding_windows(2913, 1000, 100, tail=True)
    assert with_tail[:20] == windows and with_tail[20:] == [Window(20, 1913, 2913)]
    assert times_seen(2913, with_tail).min() == 1


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 60), st.booleans())
def test_windows_of_any_geometry(n, size, stride, tail):
    if size > n:
        with pytest.raises(ValueError, match="Choose a smaller window"):
            sliding_windows(n, size, stride, tail)
        return
    windows = sliding_windows(n, size, stride, tail)
    assert [w.round for w in windows] == list(range(len(windows)))
    assert all(w.stop - w.start == size and w.start >= 0 and w.stop <= n for w in windows)
    starts = [w.start for w in windows]
    steps = np.diff(starts)
    assert (steps[:-1] == stride).all() and (steps > 0).all() and (steps <= stride).all()
    assert windows[-1].stop == n if tail else windows[-1].stop > n - stride


@pytest.mark.parametrize("wrong", [(0, 1, 1), (5, 0, 1), (5, 2, 0), (5, 2, -1)])
def test_nonsense_windows_are_refused(wrong):
    with pytest.raises(ValueError, match="must be 1 or more"):
        sliding_windows(*wrong)


@pytest.mark.parametrize("option", ["batch_size", "epochs_per_round"])
def test_nonsense_options_are_refused(option):
    with pytest.raises(ValueError, match=f"{option} must be 1 or more, got 0"):
        subset_of(**{option: 0})


# The ring buffer

geometries = st.tuples(
    st.integers(1, 40), st.integers(0, 60), st.integers(1, 50), st.booleans(), st.booleans()
)


@settings(deadline=None)
@given(geometries)
def test_every_round_equals_a_reload_and_no_picture_is_read_twice(geometry):
    window, more, stride, tail, background = geometry
    reader = Reader()
    with subset_of(
        window + more, window, stride, tail=tail, background=background, reader=reader,
        epochs_per_round=1, batch_size=7,
    ) as subset:  # fmt: skip
        for epoch, now in enumerate(subset.windows):
            subset.seek(epoch)
            assert_holds(subset, now.start, now.stop)
            trained = [row for images, _ in subset for row in rows_of(images)]
            assert sorted(trained) == list(range(now.start, now.stop))
        used = times_seen(window + more, subset.windows) > 0
        assert sorted(reader.read) == np.flatnonzero(used).tolist()
        assert subset.decoded == used.sum()


@settings(deadline=None)
@given(geometries, st.lists(st.integers(0, 10**6), max_size=8))
def test_seek_goes_anywhere_and_reads_only_what_is_missing(geometry, jumps):
    window, more, stride, tail, background = geometry
    reader = Reader()
    with subset_of(
        window + more, window, stride, tail=tail, background=background, reader=reader,
        epochs_per_round=2,
    ) as subset:  # fmt: skip
        for jump in jumps:
            epoch = jump % subset.n_epochs
            now = subset.windows[epoch // 2]
            held = set(subset.rows)
            before = len(reader.read)
            subset.seek(epoch)
            assert (subset.epoch, subset.round) == (epoch, epoch // 2)
            assert_holds(subset, now.start, now.stop)
            if not background:
                assert set(reader.read[before:]) == set(range(now.start, now.stop)) - held


def test_the_articles_schedule_decodes_each_picture_once_in_a_thread():
    reader = Reader()
    with subset_of(2913, 1000, 100, size=(1, 1), epochs_per_round=5, reader=reader) as subset:
        assert subset.n_epochs == 100
        for epoch in range(100):
            subset.seek(epoch)
            subset[0]
        assert subset.decoded == 2900
    assert sorted(reader.read) == list(range(2900))
    assert threading.main_thread() in reader.threads  # the first window
    assert reader.read[:1000] == list(range(1000)) and len(reader.threads) == 20


def test_memory_is_the_window_and_one_stride():
    row = 4 * 5 * (3 + 1)
    with subset_of(100, 30, 7, size=(4, 5)) as subset:
        subset.seek(0)
        subset.seek(subset.n_epochs - 1)
        assert subset.nbytes == (30 + 7) * row
        assert subset.images.nbytes + subset.masks.nbytes == 30 * row
        ring = vars(subset.ring).values()
        arrays = [a for a in ring if isinstance(a, np.ndarray) and a.dtype == np.uint8]
        assert sum(array.nbytes for array in arrays) == subset.nbytes
        assert all(array.base is None for array in arrays)
    assert subset.nbytes == 0
    assert subset_of(100, 30, 7, size=(4, 5), background=False).nbytes == 30 * row
    assert subset_of(100, 30, 50, size=(4, 5)).nbytes == (30 + 30) * row
    assert subset_of(30, 30, 7, size=(4, 5)).nbytes == 30 * row


def test_moving_on_keeps_the_same_arrays_and_touches_only_new_slots():
    with subset_of(epochs_per_round=1) as subset:
        subset.seek(0)
        images, before = subset.images, subset.rows.copy()
        subset.seek(1)
        assert subset.images is images
        assert np.flatnonzero(subset.rows != before).tolist() == [0, 1]


def test_real_pictures_equal_read_block(voc_folder):
    index = index_voc(voc_folder(9))
    with SlidingSubset(index, 4, 2, (8, 6), epochs_per_round=1) as subset:
        for epoch, now in enumerate(subset.windows):
            subset.seek(epoch)
            images, masks = read_block(index, range(now.start, now.stop), (8, 6))
            slots = np.arange(now.start, now.stop) % 4
            np.testing.assert_array_equal(subset.images[slots], images)
            np.testing.assert_array_equal(subset.masks[slots], masks)
        assert subset.decoded == 8


# Batches


def test_batches_are_fresh_uint8_arrays_and_the_last_may_be_short():
    with subset_of(window=20, batch_size=8) as subset:
        assert len(subset) == 3
        batches = list(subset)
        assert [len(images) for images, _ in batches] == [8, 8, 4]
        for images, masks in batches:
            assert images.dtype == masks.dtype == np.uint8
            assert images.shape[1:] == (2, 3, 3) and masks.shape[1:] == (2, 3)
            assert [row % 2 for row in rows_of(images)] == masks[:, 0, 0].tolist()
            images[:] = masks[:] = 77
        assert 77 not in subset.images and 77 not in subset.masks
        for wrong in (3, -1):
            with pytest.raises(IndexError, match="an epoch has 3"):
                subset[wrong]
    assert len(subset_of(window=20, batch_size=50)) == 1


def order_of(subset, epoch):
    subset.seek(epoch)
    return [row for images, _ in subset for row in rows_of(images)]


@pytest.mark.parametrize("background", [True, False])
def test_the_order_depends_on_seed_round_and_epoch_alone(background):
    with subset_of(seed=1) as reference:
        orders = [order_of(reference, epoch) for epoch in range(12)]
    assert len({tuple(order) for order in orders}) == 12
    with subset_of(seed=1, background=background) as subset:
        for epoch in (11, 3, 0, 7):
            np.random.seed(epoch)  # noqa: NPY002 - the global state must not matter
            assert order_of(subset, epoch) == orders[epoch]
    with subset_of(seed=2) as subset:
        assert order_of(subset, 3) != orders[3]


def test_rows_that_are_not_held_are_refused():
    ring = RingBuffer(index_of(9), SIZE, 4, 0, Reader())
    ring.show(2, 6)
    images, _ = ring.take(np.array([5, 2]))
    assert images[:, 0, 0, 0].tolist() == [5, 2]
    for rows, first in (([3, 6, 7], 6), ([1], 1)):
        with pytest.raises(IndexError, match=f"Row {first} is not in the window"):
            ring.take(np.array(rows))


def test_augmentation_is_repeatable_and_leaves_the_ring_alone():
    with subset_of(seed=4, augment=flip_horizontally) as subset:
        subset.seek(0)
        kept = subset.images.copy()
        first, again = subset[0], subset[0]
        np.testing.assert_array_equal(first[0], again[0])
        np.testing.assert_array_equal(subset.images, kept)
        flipped = [bool(image[0, 0, 2]) for image in subset[0][0]]
        assert True in flipped and False in flipped
        subset.seek(1)
        assert [bool(image[0, 0, 2]) for image in subset[0][0]] != flipped


def test_flipping_moves_a_mask_with_its_image():
    images = np.arange(40 * 2 * 3 * 3).reshape(40, 2, 3, 3).astype(np.uint8)
    masks = images[..., 0].copy()
    flipped, flipped_masks = flip_horizontally(
        images.copy(), masks.copy(), np.random.default_rng(0)
    )
    np.testing.assert_array_equal(flipped[..., 0], flipped_masks)
    mirrored = [not np.array_equal(a, b) for a, b in zip(images, flipped, strict=True)]
    assert 5 < sum(mirrored) < 35
    np.testing.assert_array_equal(flipped[mirrored], images[mirrored][:, :, ::-1])


def test_a_large_window_is_decoded_without_a_list_of_calls(voc_folder):
    """A waiting call takes some 1,900 bytes, so 3,000 at once would be over 5 MiB."""
    index = index_voc(voc_folder(2))[np.arange(3000) % 2]
    ring = RingBuffer(index, SIZE, 3000, 0, read_block, threads=2)
    tracemalloc.start()
    try:
        ring.show(0, 3000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    images, masks = read_block(index, [0, 1], SIZE)
    np.testing.assert_array_equal(ring.images, np.concatenate([images] * 1500))
    np.testing.assert_array_equal(ring.masks, np.concatenate([masks] * 1500))


# What `fit` sees


class Recorder(keras.Model):
    """Trains nothing, but tells `note` the rows of each batch that `fit` trains it on."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)
        self.note = None
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.compile("sgd", loss, run_eagerly=True)

    def call(self, images):
        return self.dense(keras.ops.cast(images, "float32") / 255)

    def train_step(self, *state_and_data):
        *state, data = state_and_data  # JAX hands its state over first and wants it back
        self.note(rows_of(keras.ops.convert_to_numpy(data[0])))
        logs = {"loss": keras.ops.zeros(())}
        return (logs, *state) if state else logs


class EpochRows(keras.callbacks.Callback):
    """{epoch: list of batches} as trained, with the round that the subset said it was in."""

    def __init__(self, subset):
        super().__init__()
        self.subset, self.seen, self.rounds = subset, {}, {}

    def on_epoch_begin(self, epoch, logs=None):
        self.seen[epoch] = []
        self.model.note = self.seen[epoch].append

    def on_epoch_end(self, epoch, logs=None):
        self.rounds[epoch] = self.subset.round


def fit(subset, model=None, callbacks=(), shuffle=False, data=None, **options):
    record = EpochRows(subset)
    model = model or Recorder()
    options.setdefault("epochs", subset.n_epochs)
    data = subset if data is None else data
    model.fit(data, shuffle=shuffle, verbose=0, callbacks=[record, *callbacks], **options)
    return record


def assert_exact(subset, record, epochs, shuffled=False):
    """Every epoch trained its window's rows once, in the subset's own order."""
    assert list(record.seen) == list(epochs)
    for epoch, batches in record.seen.items():
        now = subset.windows[epoch // subset.epochs_per_round]
        rows = [row for batch in batches for row in batch]
        assert sorted(rows) == list(range(now.start, now.stop))
        assert record.rounds[epoch] == now.round
        rng = np.random.default_rng((subset.seed, now.round, epoch))
        order = (now.start + rng.permutation(now.stop - now.start)).tolist()
        if shuffled:
            size = subset.batch_size
            drawn = [order[i : i + size] for i in range(0, len(order), size)]
            assert sorted(batches) == sorted(drawn)
        else:
            assert rows == order


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("batch_size", [32, 10, 6])
def test_one_plain_fit_trains_every_window(background, batch_size):
    with subset_of(
        30, 20, 2, epochs_per_round=3, batch_size=batch_size, background=background
    ) as subset:
        follow = [subset.follow_callback()] if needs_callback(subset) else []
        assert_exact(subset, fit(subset, callbacks=follow), range(18))
        assert subset.decoded == 30


def needs_callback(subset):
    return keras.backend.backend() != "tensorflow" and len(subset) <= 2


@pytest.mark.parametrize("geometry", [(30, 10, 10), (50, 8, 14), (27, 10, 4)])
def test_fit_with_windows_apart_and_with_a_tail(geometry):
    with subset_of(*geometry, tail=True, epochs_per_round=2, batch_size=3) as subset:
        assert_exact(subset, fit(subset), range(subset.n_epochs))


def test_a_shuffling_fit_trains_the_same_batches():
    with subset_of(30, 20, 2, epochs_per_round=2, batch_size=3) as subset:
        record = fit(subset, shuffle=True)
        assert_exact(subset, record, range(12), shuffled=True)
        with pytest.raises(AssertionError):
            assert_exact(subset, record, range(12))


def test_validation_changes_nothing():
    holdout = np.zeros((5, *SIZE, 3), np.uint8), np.zeros((5, *SIZE), np.uint8)
    with subset_of(30, 20, 2, batch_size=4) as subset:
        assert_exact(subset, fit(subset, validation_data=holdout, epochs=12), range(12))


def test_fits_one_after_another_go_on():
    with subset_of(30, 20, 2, batch_size=4) as subset:
        model = Recorder()
        assert_exact(subset, fit(subset, model, epochs=7), range(7))
        assert_exact(subset, fit(subset, model, initial_epoch=7, epochs=16), range(7, 16))
        subset.seek(3)
        assert_exact(subset, fit(subset, model, initial_epoch=3, epochs=6), range(3, 6))


def test_a_fit_that_starts_late_after_seek():
    with subset_of(30, 20, 2, batch_size=4) as subset:
        subset.seek(12)
        assert subset.decoded <= 22
        assert_exact(subset, fit(subset, initial_epoch=12), range(12, 30))
        assert subset.decoded == 26


@pytest.mark.parametrize("batch_size", [32, 12, 4])
def test_the_callback_makes_any_fit_exact(batch_size):
    with subset_of(30, 20, 2, batch_size=batch_size) as subset:
        model, follow = Recorder(), subset.follow_callback()
        for first, last in ((11, 14), (0, 6), (25, 30), (2, 3)):
            record = fit(subset, model, [follow], initial_epoch=first, epochs=last)
            assert_exact(subset, record, range(first, last))


def test_going_past_the_end_is_an_error():
    with subset_of(22, 20, 2, batch_size=4) as subset:
        with pytest.raises(ValueError, match=r"no epoch 10: 2 rounds of 5"):
            fit(subset, epochs=11)
        with pytest.raises(ValueError, match=r"no epoch -1"):
            subset.seek(-1)


class Stop(keras.callbacks.Callback):
    def __init__(self, epoch, error=None):
        super().__init__()
        self.epoch, self.error, self.now = epoch, error, None

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch and batch == 1:
            if self.error:
                raise self.error
            self.model.stop_training = True


def test_an_interrupt_leaves_no_thread_behind():
    reader = Reader()
    with pytest.raises(KeyboardInterrupt), subset_of(batch_size=4, reader=reader) as subset:
        fit(subset, callbacks=[Stop(7, KeyboardInterrupt())])
    assert decoding_threads() == [] and subset.nbytes == 0
    with pytest.raises(ValueError, match="closed"):
        subset[0]
    with pytest.raises(ValueError, match="closed"):
        subset.seek(0)


def test_leaving_while_the_thread_decodes_waits_for_it():
    release, begun = threading.Event(), threading.Event()

    def slow(index, rows, size, images, masks, threads):
        if threading.current_thread() is not threading.main_thread():
            begun.set()
            release.wait(10)
        images[:] = masks[:] = 0

    with pytest.raises(KeyboardInterrupt), subset_of(reader=slow) as subset:
        subset.seek(0)
        assert begun.wait(10) and len(decoding_threads()) == 1
        threading.Timer(0.05, release.set).start()
        raise KeyboardInterrupt
    assert decoding_threads() == []


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_after_an_interrupt_seek_or_callback_go_on_exactly(error):
    with subset_of(30, 20, 2, batch_size=2) as subset:
        model = Recorder()
        for follow in ([], [subset.follow_callback()]):
            subset.seek(0)
            try:
                fit(subset, model, [*follow, Stop(6, error)])
            except KeyboardInterrupt:
                assert error
            if not follow:
                subset.seek(6)
            record = fit(subset, model, follow, initial_epoch=6, epochs=9)
            assert_exact(subset, record, range(6, 9))


@pytest.mark.parametrize("batch_size", [32, 12, 4])
def test_as_tf_data_every_fit_trains_the_same_batches(batch_size):
    with subset_of(30, 20, 2, batch_size=batch_size) as subset:
        data, model = subset.tf_data(), Recorder()
        assert not data.options().autotune.enabled and len(data) == len(subset)
        assert_exact(subset, fit(subset, model, data=data, epochs=7), range(7))
        later = {"initial_epoch": 7, "epochs": 30}
        assert_exact(subset, fit(subset, model, data=data, **later), range(7, 30))
        assert subset.decoded == 30
        follow = subset.follow_callback()
        for first, last in ((11, 14), (0, 6), (2, 3)):
            options = {"initial_epoch": first, "epochs": last}
            record = fit(subset, model, [follow], data=data, **options)
            assert_exact(subset, record, range(first, last))


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_as_tf_data_an_interrupted_fit_goes_on_exactly(error):
    with subset_of(30, 20, 2, batch_size=2) as subset:
        data, model = subset.tf_data(), Recorder()
        with contextlib.suppress(KeyboardInterrupt):
            fit(subset, model, [Stop(6, error)], data=data)
        subset.seek(6)
        record = fit(subset, model, data=data, initial_epoch=6, epochs=9)
        assert_exact(subset, record, range(6, 9))


def test_as_tf_data_an_error_keeps_its_words():
    with subset_of(22, 20, 2, batch_size=4) as subset:
        follow = [subset.follow_callback()]
        with pytest.raises(ValueError, match=r"no epoch 10: 2 rounds of 5"):
            fit(subset, callbacks=follow, data=subset.tf_data(), epochs=11)
        with pytest.raises(tf.errors.OpError, match=r"callback that led the last fit is silent"):
            fit(subset, data=subset.tf_data(), epochs=1)


def test_doubt_about_the_epoch_is_an_error():
    with subset_of(30, 20, 2, batch_size=2) as subset:
        with pytest.raises(RuntimeError, match=r"left before their last batch.*follow_callback"):
            fit(subset, steps_per_epoch=4, epochs=5)
        subset.seek(0)
        with pytest.raises(RuntimeError, match=r"more than once"):
            peek = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: subset[0])
            fit(subset, callbacks=[peek], epochs=2)
        subset.seek(0)
        with pytest.raises(KeyboardInterrupt):
            fit(subset, callbacks=[subset.follow_callback(), Stop(2, KeyboardInterrupt())])
        with pytest.raises(RuntimeError, match=r"callback that led the last fit is silent"):
            fit(subset, epochs=1)


def test_more_workers_are_refused():
    with subset_of() as subset:
        subset.workers = 2
        with pytest.raises(ValueError, match="Leave workers at 1"):
            fit(subset)


# Decoding that fails


@pytest.mark.parametrize("background", [True, False])
def test_a_failing_decode_reaches_the_caller_with_its_file(background):
    reader = Reader(fail_on=[23])
    with subset_of(batch_size=4, reader=reader, background=background) as subset:
        with pytest.raises(OSError, match=r"23.jpg"):
            fit(subset)
        assert subset.round == 1  # rows 22 and 23 belong to round 2
        with pytest.raises(OSError, match=r"23.jpg"):
            subset.seek(10)
        reader.fail_on.clear()
        subset.seek(10)
        assert_holds(subset, 4, 24)
    assert decoding_threads() == []


def test_rows_half_written_by_a_failing_decode_do_not_count():
    reader = Reader(fail_on=[21])
    with subset_of(reader=reader, background=False) as subset:
        subset.seek(0)
        with pytest.raises(OSError, match=r"21.jpg"):
            subset.seek(5)
        subset.seek(0)
        assert_holds(subset, 0, 20)


def test_a_failing_first_window_reaches_the_caller():
    with subset_of(reader=Reader(fail_on=[3])) as subset, pytest.raises(OSError, match=r"3.jpg"):
        fit(subset)


def test_a_batch_is_never_of_two_windows():
    """A thread gathers without pause, as Keras' own may, while the window moves on."""
    with subset_of(400, 40, 40, size=(8, 8), epochs_per_round=1, batch_size=40) as subset:
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


# The article's loop


def small_fcn(n_classes):
    return keras.Sequential(
        [keras.Input((8, 6, 3)), keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(n_classes, 1)]
    )


@pytest.mark.parametrize("one_hot", [True, False])
def test_the_articles_loop_runs_as_written(voc_folder, tmp_path, one_hot):
    index = index_voc(voc_folder(14))
    model, compiled, done = small_fcn(21), [], []

    def compile_model(model):
        compile_as_article(model, one_hot)
        model.run_eagerly = True  # here quicker than to trace it
        compiled.append(model.optimizer)

    histories = article_loop(
        model, index, sliding_windows(14, 10, 2), (8, 6), epochs=2, batch_size=4,
        compile_model=compile_model, checkpoint=tmp_path / "FCN_8.keras", one_hot=one_hot,
        after_round=done.append,
    )  # fmt: skip
    assert len(histories) == 3 and [window.round for window in done] == [0, 1, 2]
    for history in histories:
        assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(history)
        assert 1 <= len(history["loss"]) <= 2 and np.isfinite(history["loss"]).all()
    assert len({id(optimizer) for optimizer in compiled}) == 3
    assert int(compiled[0].iterations) == len(histories[0]["loss"]) * 3  # 9 images by fours
    assert (tmp_path / "FCN_8.keras").is_file()


def test_the_articles_checkpoint_lives_through_all_rounds(voc_folder, tmp_path, monkeypatch):
    made = []
    checkpoint = keras.callbacks.ModelCheckpoint

    def counted(*args, **options):
        made.append(checkpoint(*args, **options))
        return made[-1]

    monkeypatch.setattr(keras.callbacks, "ModelCheckpoint", counted)
    histories = article_loop(
        small_fcn(21), index_voc(voc_folder(14)), sliding_windows(14, 10, 4), (8, 6), epochs=2,
        checkpoint=tmp_path / "best.keras", one_hot=False,
    )  # fmt: skip
    (only,) = made
    accuracies = [value for history in histories for value in history["val_accuracy"]]
    assert only.best == pytest.approx(max(accuracies)) and len(accuracies) == 4


def test_the_articles_loop_can_compile_once(voc_folder):
    index, compiled = index_voc(voc_folder(12)), []

    def compile_model(model):
        compiled.append(model)
        model.compile("sgd", "mse", metrics=["accuracy"], run_eagerly=True)

    windows = sliding_windows(12, 10, 2)
    article_loop(
        small_fcn(21), index, windows, (8, 6), epochs=1, compile_each_round=False,
        compile_model=compile_model,
    )  # fmt: skip
    assert len(windows) == 2 and len(compiled) == 1
