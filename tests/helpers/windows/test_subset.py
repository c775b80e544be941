"""A batch is a function of its step: what it holds, what is decoded for it, what Keras asks."""

import gc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import VOID, index_voc, read_block
from helpers.windows import Geometry, SlidingSubset, flip_horizontally, times_seen
from helpers.windows.subset import STEPS_PAST_THE_END
from tests.support import (
    CodedReader,
    assert_ring_holds,
    coded_image,
    decoding_threads,
    fresh_python,
    index_of_names,
    rows_of,
)

SIZE = (2, 3)
# 20 windows of 20, 15 steps each: the geometry of the tiny set.
TINY = Geometry(58, 20, 2, SIZE, batch_size=8)
# Windows 0-6, 4-10 and the tail 8-12: 6, 6 and 4 steps.
TAILED = Geometry(12, 6, 4, SIZE, batch_size=2, passes=2, tail=True)


def coded(geometry=TINY, *args, read=None, **options):
    """A subset of coded images."""
    read = read or CodedReader()
    return SlidingSubset(index_of_names(geometry.n_images), geometry, *args, read=read, **options)


@st.composite
def geometries(draw):
    window = draw(st.integers(1, 12))
    return Geometry(
        window + draw(st.integers(0, 25)),
        window,
        stride=draw(st.integers(1, 15)),
        size=SIZE,
        batch_size=draw(st.integers(1, 14)),
        passes=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 9)),
        shuffle=draw(st.booleans()),
        tail=draw(st.booleans()),
    )


def assert_reloaded(batch, geometry, step):
    """The batch is what one gets who reads the rows of this step, and nothing else."""
    found = [coded_image(row, geometry.size) for row in geometry.batch(step)]
    for array, expected in zip(batch, zip(*found, strict=True), strict=True):
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(array, np.stack(expected))


# Its batches


@settings(deadline=None)
@given(geometries())
def test_in_order_each_step_equals_a_reload_and_no_image_is_decoded_twice(geometry):
    with coded(geometry) as subset:
        assert len(subset) == geometry.n_steps and subset.decoded == 0
        for step, batch in enumerate(subset):
            assert_reloaded(batch, geometry, step)
        assert step == len(subset) - 1
        used = np.flatnonzero(times_seen(geometry.n_images, geometry.windows))
        assert sorted(subset.ring.read.rows) == used.tolist()
        assert subset.decoded == len(used)
        rounds = [geometry.place(step).round for step in range(geometry.n_steps)]
        assert subset.steps_asked.tolist() == np.bincount(rounds).tolist()
    assert decoding_threads() == []


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(geometries(), st.lists(st.integers(0, 10**6), max_size=8), st.integers(0, 10**6))
def test_in_any_order_and_from_a_view_each_step_equals_a_reload(geometry, steps, first):
    first %= geometry.n_rounds
    with coded(geometry) as subset:
        view, skipped = subset.from_round(first), first * geometry.steps_per_round
        for step in [*reversed(range(len(subset))), *(step % len(subset) for step in steps)]:
            assert_reloaded(subset[step], geometry, step)
            step %= len(view)
            assert_reloaded(view[step], geometry, skipped + step)


def test_real_images_equal_read_block(voc_folder):
    index = index_voc(voc_folder(9))
    geometry = Geometry(9, 4, 2, (8, 6), batch_size=3, passes=1)
    with SlidingSubset(index, geometry) as subset:
        for step, batch in enumerate(subset):
            for array, expected in zip(
                batch, read_block(index, geometry.batch(step), (8, 6)), strict=True
            ):
                np.testing.assert_array_equal(array, expected)
        assert subset.decoded == 8


def test_two_threads_that_ask_at_once_get_right_batches():
    """As Keras' own threads may, of which one belongs to an iterator that was given up."""
    geometry = Geometry(60, 20, 20, SIZE, batch_size=10, passes=1)
    with coded(geometry) as subset, ThreadPoolExecutor(2) as pool:
        steps = [*range(len(subset))] * 30
        for step, batch in zip(steps, pool.map(subset.__getitem__, steps), strict=True):
            assert_reloaded(batch, geometry, step)


def test_the_order_is_drawn_from_seed_round_and_epoch_alone():
    with coded(replace(TINY, seed=3)) as subset:
        np.random.seed(1)  # noqa: NPY002 - the global state must not matter
        # Round 7, its pass 2, is the epoch 37 of 100.
        pass_ = [row for step in range(111, 114) for row in rows_of(subset[step][0])]
        drawn = 14 + np.random.default_rng((3, 7, 37)).permutation(20)
        assert pass_ == drawn.tolist()


def test_batches_are_fresh_arrays():
    with coded() as subset:
        for array in subset[0]:
            array[:] = 77
        assert_ring_holds(subset.ring, range(20))
        assert_reloaded(subset[0], TINY, 0)


def test_memory_is_one_window_and_one_stride_all_along():
    with coded() as subset:
        arrays = [*subset.ring.arrays, *subset.ring._staging]
        assert subset.nbytes == TINY.nbytes == sum(array.nbytes for array in arrays)
        for _ in subset:
            kept = [*subset.ring.arrays, *subset.ring._staging]
            assert all(now is array for now, array in zip(kept, arrays, strict=True))
    for geometry in (replace(TINY, stride=30), Geometry.one_window(58, SIZE)):
        assert coded(geometry).nbytes == geometry.nbytes


def test_a_geometry_for_another_number_of_images_is_refused():
    with pytest.raises(ValueError, match=r"holds 57 images, the geometry is made for 58\."):
        SlidingSubset(index_of_names(57), TINY)


class Sounds:
    """16-bit images, each with an integer; `weights`: and a weight for each pixel."""

    def __init__(self, weights):
        self.weights = weights

    def declare(self, index, size):
        declared = [((*size, 3), np.uint16), ((), np.int64), (size, np.float32)]
        return declared[: 2 + self.weights]

    def __call__(self, index, rows, size, images, labels, weights=None):
        images[:] = 1000 * np.reshape(rows, (-1, 1, 1, 1)) + np.arange(3)
        labels[:] = rows
        if weights is not None:
            weights[:] = np.reshape(rows, (-1, 1, 1)) / 4


@pytest.mark.parametrize("weights", [False, True])
def test_a_read_with_other_arrays_goes_through_window_and_staging_buffer(weights):
    read = Sounds(weights)
    augment = (lambda *given: (given[0] // 2, *given[1:-1])) if weights else None
    with coded(TAILED, augment, read=read) as subset:
        for step, batch in enumerate(subset):
            rows = TAILED.batch(step)
            declared = read.declare(subset.index, SIZE)
            expected = [np.zeros((len(rows), *shape), dtype) for shape, dtype in declared]
            read(subset.index, rows, SIZE, *expected)
            if weights:
                expected[0] //= 2
            assert [a.dtype for a in batch] == [a.dtype for a in expected]
            for array, right in zip(batch, expected, strict=True):
                np.testing.assert_array_equal(array, right)
        assert subset.decoded == 12


def test_augmentation_is_repeatable_and_leaves_the_ring_alone():
    with coded(TINY, flip_horizontally) as subset, coded(TINY, flip_horizontally) as other:
        first, flips = subset[20], []
        assert_ring_holds(subset.ring, range(2, 22))
        for batch in (subset[20], other.from_round(1)[5]):
            for array, expected in zip(batch, first, strict=True):
                np.testing.assert_array_equal(array, expected)
        for step in (15, 18, 19, 20, 21):
            images, _ = subset[step]
            flips.append(tuple(images[:, 0, 0, 2] != 0))
        # Round 1, its pass 1, is the epoch 6; step 20 is the batch 2 of it, with 4 images.
        assert flips[3] == tuple(np.random.default_rng((0, 1, 6, 2)).random(4) < 0.5)
        assert len(set(flips)) == 5


def test_randomness_of_its_own_is_refused_at_the_first_batch():
    rng = np.random.default_rng(0)
    subset = coded(TINY, lambda images, masks, _: flip_horizontally(images, masks, rng))
    with subset, pytest.raises(ValueError, match="two batches for one and the same rng"):
        subset[3]


def test_after_the_first_batch_augment_is_called_once_for_each():
    calls = []

    def count(images, masks, rng):
        calls.append(len(images))
        return images, masks

    with coded(TINY, count) as subset:
        for step in range(3):
            subset[step]
    assert calls == [8] * 2 + [8, 4]


def test_weights_give_a_third_array_in_which_void_is_0():
    def with_void(index, rows, size, images, masks):
        CodedReader()(index, rows, size, images, masks)
        masks[:, 0, 0] = VOID

    with coded(TINY, weights=[0.5, 3], read=with_void) as subset, coded(TINY) as plain:
        images, masks, weights = subset[1]
        shown, ids = plain[1]
    void = np.zeros(ids.shape, bool)
    void[:, 0, 0] = True
    assert np.array_equal(images, shown) and masks.dtype == np.uint8
    assert np.array_equal(masks, np.where(void, 0, ids))
    assert weights.dtype == np.float32
    assert np.array_equal(weights, np.where(void, 0, np.where(ids == 1, 3, 0.5)))


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [1, -1], [1, np.nan]])
def test_weights_that_are_not_one_for_each_class_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be 2 numbers of 0 or more"):
        coded(TINY, weights=weights)


def test_augmentation_may_crop_to_one_shape():
    def crop(images, masks, rng):
        left = rng.integers(2)
        return images[:, :, left : left + 2], masks[:, :, left : left + 2]

    with coded(TINY, crop) as subset:
        trained = fit(subset, epochs=1)
        assert [len(rows) for rows in trained] == [8, 8, 4] * 5
        lefts = {int(subset[step][0][0, 0, 0, 2]) for step in range(15)}
        assert lefts == {0, 1} and subset[0][1].shape == (8, 2, 2)


# What Keras asks, and first of all, for the shapes: it then begins again.
LOOKS = {"tensorflow": (0, 1), "jax": (0,), "torch": (0,)}


class Noting(keras.Model):
    """Learns nothing, but notes the rows of each batch that `fit` gives it."""

    def __init__(self):
        super().__init__()
        self.noted = []
        self.compile(run_eagerly=True)

    def call(self, images):
        return images

    def train_step(self, *given):
        *state, data = given  # JAX gives its state as well, and wants it back
        self.noted.append(rows_of(keras.ops.convert_to_numpy(data[0])))
        logs = {"loss": keras.ops.zeros(())}
        return (logs, *state) if state else logs


class Recording(SlidingSubset):
    """Remembers the steps that it was asked for."""

    steps = ()

    def __getitem__(self, step):
        self.steps += (step,)
        return super().__getitem__(step)


def fit(subset, **options):
    """`fit` as the lesson has it, with other `options`; returns the rows of each batch."""
    options = {
        "steps_per_epoch": subset.steps_per_round,
        "epochs": subset.n_rounds,
        "shuffle": False,
        "verbose": 0,
    } | options
    model = Noting()
    model.fit(subset, **options)
    return model.noted


def all_batches(geometry, first=0):
    return [geometry.batch(step).tolist() for step in range(first, geometry.n_steps)]


@pytest.mark.parametrize(
    ("geometry", "decoded"),
    [
        (TINY, 58),
        pytest.param(replace(Geometry.article(), size=(1, 1)), 2900, marks=pytest.mark.slow),
    ],
)
def test_fit_asks_for_each_step_once_through_all_rounds(geometry, decoded):
    subset = Recording(index_of_names(geometry.n_images), geometry, read=CodedReader())
    with subset:
        assert fit(subset) == all_batches(geometry)
        steps, n_steps = subset.steps, geometry.n_steps
        # Once or twice to learn the shapes; and TensorFlow asks ahead, also at the end.
        looks = LOOKS[keras.backend.backend()]
        asked = steps[len(looks) :]
        assert steps[: len(looks)] == looks and asked == (*range(len(asked)),)
        assert n_steps <= len(asked) < n_steps + STEPS_PAST_THE_END
        assert subset.decoded == decoded and len(set(subset.ring.read.rows)) == decoded


def test_fit_goes_on_from_a_round():
    with coded() as subset:
        trained = fit(subset.from_round(17), initial_epoch=17)
        assert trained == all_batches(TINY, 17 * 15)
        assert subset.decoded == 20 + 2 * 2


def test_a_fit_of_what_is_done_ends_at_once():
    """A run that is killed after its last round is resumed like any other."""
    with coded(TAILED) as subset:
        view = subset.from_round(3)
        assert len(view) == 0 and list(view) == []
        assert fit(view, initial_epoch=3) == []


def test_without_steps_per_epoch_the_user_reads_the_line_to_write():
    line = r"There is no step 116: .* Fit with steps_per_epoch=subset\.steps_per_round, epochs="
    # TensorFlow wraps what is raised in its thread.
    error = tf.errors.OpError if keras.backend.backend() == "tensorflow" else IndexError
    with coded(TAILED) as subset, pytest.raises(error, match=line):
        fit(subset, steps_per_epoch=None, epochs=1)


def test_a_shuffling_fit_trains_the_same_batches_in_the_same_order():
    with coded(TAILED) as subset:
        with pytest.warns(UserWarning, match="`shuffle=True` was passed, but will be ignored"):
            trained = fit(subset, shuffle=True, epochs=2)
        assert trained == all_batches(TAILED)[:12]


def test_past_the_end_the_last_batch_is_given_and_nothing_decoded():
    for geometry, past in ((TAILED, 100), (replace(TINY, passes=40), 120)):
        with coded(geometry) as subset:
            subset[len(subset) - 1]
            decoded = subset.decoded
            for step in (len(subset), len(subset) + past - 1):
                assert_reloaded(subset[step], geometry, len(subset) - 1)
            assert subset.decoded == decoded and decoding_threads() == []
            for step in (len(subset) + past, -1):
                with pytest.raises(IndexError, match=f"There is no step {step}: the steps are 0"):
                    subset[step]


# Finite


def test_a_finite_one_has_its_steps_and_no_more_in_each_pass():
    geometry = Geometry.stream(10, SIZE, 4)
    with coded(geometry, finite=True) as subset:
        assert subset.num_batches == len(subset) == 3
        for decoded in (10, 20):
            assert [rows_of(images) for images, _ in subset] == all_batches(geometry)
            assert subset.decoded == decoded
        for step in (3, -1):
            with pytest.raises(IndexError, match=f"There is no step {step}: the steps are 0 to 2"):
                subset[step]
    assert coded(geometry).num_batches is None and len(coded(geometry)) == 3


@pytest.mark.slow
def test_a_window_and_a_stream_validate_evaluate_and_predict_equally():
    model = keras.Sequential([keras.Input((*SIZE, 3)), keras.layers.Conv2D(2, 1)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss, metrics=["accuracy"])
    found = []
    for geometry, decoded in (
        (Geometry.one_window(10, SIZE, 4), 10), (Geometry.stream(10, SIZE, 4), 50),
    ):  # fmt: skip
        with coded(geometry, finite=True) as held, coded(TAILED) as subset:
            history = model.fit(
                subset, steps_per_epoch=6, epochs=2, shuffle=False, verbose=0, validation_data=held
            ).history
            predicted = model.predict(held, verbose=0)
            found.append([*model.evaluate(held, verbose=0), predicted])
            assert history["val_loss"] == [found[-1][0]] * 2
            assert history["val_accuracy"] == [found[-1][1]] * 2
            # Four passes; in a stream, the shapes cost a step or two more each time.
            assert decoded <= held.decoded <= (decoded if geometry.n_rounds == 1 else 70)
    (loss, accuracy, predicted), (*numbers, other) = found
    assert [loss, accuracy] == numbers
    np.testing.assert_array_equal(predicted, other)
    images, masks = (
        np.stack(a) for a in zip(*(coded_image(i, SIZE) for i in range(10)), strict=True)
    )
    assert model.evaluate(images, masks, verbose=0) == pytest.approx([loss, accuracy])
    np.testing.assert_allclose(predicted, model.predict(images, verbose=0), rtol=1e-5)


# From a round


def test_a_view_shares_all_but_where_it_begins():
    with coded() as subset:
        view = subset.from_round(5).from_round(18)
        assert len(view) == 30 and view.n_rounds == 20 and view.steps_per_round == 15
        assert rows_of(view[0][0]) == TINY.batch(18 * 15).tolist()
        assert view.ring is subset.ring and view.decoded == subset.decoded >= 20
        assert view.steps_asked is subset.steps_asked and subset.steps_asked[18] == 1
        assert len(subset) == 300 and len(view.from_round(0)) == 300
        for wrong in (-1, 21):
            with pytest.raises(IndexError, match=f"no round {wrong}: the rounds are 0 to 19"):
                view.from_round(wrong)
        view.close()
        assert subset.closed and view.closed and subset.nbytes == 0


# In words


def test_a_step_in_words():
    geometry = replace(TAILED, shuffle=False)
    with coded(geometry) as subset:
        assert subset.explain(0).splitlines() == [
            "step 0: round 0, pass 0, batch 0",
            "the window holds rows 0 to 5",
            "this batch: rows 0 1; slots 0 1",
            "new in the window: rows 0 to 5, decoded now",
            "prepared meanwhile for round 1: rows 6 to 9",
        ]
        assert subset.explain(2).splitlines() == [
            "step 2: round 0, pass 0, batch 2",
            "the window holds rows 0 to 5",
            "this batch: rows 4 5; slots 4 5",
            "prepared meanwhile for round 1: rows 6 to 9",
        ]
        assert subset.explain(6).splitlines() == [
            "step 6: round 1, pass 0, batch 0",
            "the window holds rows 4 to 9",
            "this batch: rows 4 5; slots 4 5",
            "new in the window: rows 6 to 9, copied from the staging buffer",
            "prepared meanwhile for round 2: rows 10 to 11",
        ]
        assert subset.from_round(1).explain(9).splitlines() == [
            "step 9: round 2, pass 1, batch 1",
            "the window holds rows 8 to 11",
            "this batch: rows 10 11; slots 4 5",
        ]
        assert subset.decoded == 0


@pytest.mark.parametrize("first", [0, 1])
def test_the_words_are_what_happens(first):
    with coded(TAILED) as subset:
        read, view = subset.ring.read, subset.from_round(first)
        for step in range(len(view)):
            words, held, before = view.explain(step), set(subset.ring.rows), [*read.at_once]
            images, _ = view[step]
            rows, now = rows_of(images), subset.ring.rows
            slots = [now.tolist().index(row) for row in rows]
            assert f"batch: rows {join(rows)}; slots {join(slots)}" in words
            place = TAILED.place(view._first + step)
            window = TAILED.windows[place.round]
            assert words.startswith(f"step {step}: round {place.round}, pass {place.pass_}, batch")
            assert f"window holds rows {window.start} to {window.stop - 1}" in words
            assert {*range(window.start, window.stop)} <= {*now}
            new = sorted({*now} - held)
            assert ("new in the window" in words) == bool(new)
            if new:
                how = "decoded now" if read.at_once != before else "copied from the staging buffer"
                assert f"new in the window: rows {new[0]} to {new[-1]}, {how}" in words
            for thread in decoding_threads():
                thread.join()
            ahead = sorted({*read.rows} - {*range(window.stop)})
            assert ("prepared meanwhile" in words) == bool(ahead)
            if ahead:
                of_round = f"for round {place.round + 1}: rows {ahead[0]} to {ahead[-1]}"
                assert of_round in words


def join(numbers):
    return " ".join(map(str, numbers))


# Threads, errors, the end


def test_more_workers_are_refused():
    with coded() as subset:
        subset.workers = 1
        with pytest.raises(ValueError, match="Leave workers at 1"):
            subset.workers = 2
        assert subset.workers == 1


def test_an_interrupt_in_fit_leaves_no_thread_and_no_memory():
    def interrupt(batch, logs):
        if batch == 1:
            raise KeyboardInterrupt

    press = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
    with pytest.raises(KeyboardInterrupt), coded() as subset:
        fit(subset, callbacks=[press])
    assert decoding_threads() == [] and subset.closed and subset.nbytes == 0
    subset.close()
    with pytest.raises(ValueError, match="closed"):
        subset[0]


@pytest.mark.parametrize(("row", "step"), [(3, 0), (7, 6)])
def test_an_image_that_cannot_be_read_is_named_and_once_mended_is_trained_on(row, step):
    """Row 3 is read into the window, row 7 into the staging buffer, for round 1."""
    with coded(TAILED, read=CodedReader(fail_on=[row])) as subset:
        with pytest.raises((OSError, tf.errors.OpError), match=rf"{row}\.jpg cannot be decoded"):
            fit(subset)
        for _ in range(2):
            with pytest.raises(OSError, match=rf"{row}\.jpg cannot be decoded"):
                subset[step]
        subset.ring.read.fail_on.clear()
        for later in range(step, len(subset)):
            assert_reloaded(subset[later], TAILED, later)
    assert decoding_threads() == []


STOPPED_IN_MID_EPOCH = """
import gc, threading, time
from helpers.quiet import keras
from helpers.data import read_block
from helpers.windows import Geometry, SlidingSubset
from tests.support import tiny_workshop

ended = threading.Event()

def read(index, rows, size, *arrays):
    found = read_block(index, rows, size, *arrays)
    if threading.current_thread().name.startswith("RingBuffer"):
        ended.wait(60)  # a slow disk: still reading when fit has ended
        time.sleep(0.5)
        kept = [[] for _ in range(400_000)]  # so that the collector looks through everything
    return found

class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch == 5  # as TerminateOnNaN does

geometry = Geometry(58, 20, 2, (32, 32), batch_size=8, passes=2)
model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(8, 1)])
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(ignore_class=255))
subset = SlidingSubset(tiny_workshop().train, geometry, read=read)
gc.collect()
gc.set_threshold(700, 10, 1)
options = {"steps_per_epoch": 6, "epochs": 3, "shuffle": False, "verbose": 0}
model.fit(subset, **options, callbacks=[Stop()])
ended.set()
subset.close()
print(subset.steps_asked[1], gc.isenabled())
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow asks ahead")
def test_a_fit_that_is_stopped_in_mid_epoch_leaves_no_threads_that_wait_for_each_other():
    asked_of_the_next_round, enabled = fresh_python(STOPPED_IN_MID_EPOCH).split()
    assert int(asked_of_the_next_round) >= 1 and enabled == "True"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is TensorFlow's iterator")
def test_closing_frees_the_iterator_that_a_stopped_fit_has_left():
    """Freed only at the end of Python, it would now and then wait there for ever."""

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    def iterators():
        return sum(type(found).__name__ == "OwnedIterator" for found in gc.get_objects())

    gc.collect()
    before = iterators()
    gc.disable()  # it may come at any time: not before we have looked
    try:
        with coded() as subset:
            fit(subset, callbacks=[Stop()])
            assert iterators() > before
        assert iterators() == before
    finally:
        gc.enable()
