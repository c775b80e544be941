"""The loaders: same images, same number of steps, and how often each decodes."""

import keras
import numpy as np
import pytest

from experiments.race.loaders import ARRAYS, LOADERS, LOOPS, installed, loader
from helpers.data import read_block
from tests.support import one_pass_of, race_schedule

DATA_SETS = [name for name in installed() if name not in LOOPS]
# The limit repeats a batch; the first window of a reshuffled list holds any images.
NOT_ONE_PASS = ("constant_batch", "sliding_subset_reshuffled")


@pytest.fixture
def schedule(tmp_path):
    return race_schedule(tmp_path)


class Steps(keras.callbacks.Callback):
    """Counts the steps, and ends training after as many as the schedule has."""

    def __init__(self, n_steps):
        super().__init__()
        self.n_steps, self.steps = n_steps, 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self.model.stop_training = self.steps >= self.n_steps


def sorted_by_content(images, masks):
    return sorted(
        image.tobytes() + mask.tobytes() for image, mask in zip(images, masks, strict=True)
    )


def tiny_network(schedule):
    """Float and uint8 images in, scores of all classes out; next to nothing to compute."""
    layers = keras.layers.Conv2D(schedule.index.n_classes, 1)
    model = keras.Sequential([keras.Input((*schedule.geometry.size, 3)), layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile("sgd", loss)
    return model


@pytest.mark.parametrize("method", [name for name in DATA_SETS if name not in NOT_ONE_PASS])
def test_all_methods_give_the_same_images(method, schedule):
    geometry = schedule.geometry
    images, masks = one_pass_of(loader(method)(schedule), geometry)
    n = geometry.window if LOADERS[method].kind == "subset" else geometry.n_images
    true_images, true_masks = read_block(schedule.index, range(n), geometry.size)
    assert images.shape == true_images.shape and len(images) == n
    if not method.startswith("tf_data"):
        assert sorted_by_content(images.astype(np.uint8), masks) == sorted_by_content(
            true_images, true_masks
        )
        return
    # TensorFlow resizes with other roundings: masks are equal, pixels nearly.
    order = [[mask.tobytes() for mask in masks].index(mask.tobytes()) for mask in true_masks]
    assert sorted(order) == list(range(n))
    assert np.abs(images[order].astype(int) - true_images).mean() < 2


@pytest.mark.parametrize(
    ("method", "decoded"),
    [
        ("sliding_subset", 16),  # each image once
        ("sliding_subset_waiting", 16),
        ("sliding_subset_reshuffled", 8 + 5 * 4),  # six rounds of one epoch
        ("article_as_meant", 3 * 8),  # each window anew
        ("article_as_written", 16),  # all images stay in memory
        ("uint8_in_memory", 16),
        ("uint8_batches", 16),
        ("memmap", 16),
        ("tf_data_cached", 16),
        ("train_on_batch", 4),
    ],
)
def test_all_take_the_same_steps_and_decode_as_often_as_they_say(method, decoded, schedule):
    clock, model = Steps(schedule.geometry.n_steps), tiny_network(schedule)
    if method in LOOPS:
        loader(method)(schedule, model, [clock])
    else:
        feed = loader(method)(schedule)
        arrays = {"x": feed[0], "y": feed[1]} if isinstance(feed, tuple) else {"x": feed}
        model.fit(**arrays, batch_size=4 if "y" in arrays else None, epochs=6, verbose=0,
                  shuffle=False, callbacks=[clock])  # fmt: skip
    assert clock.steps == schedule.geometry.n_steps == 12
    assert schedule.reader.decoded == decoded


def test_each_has_a_label_of_its_own_and_those_that_are_no_data_set_are_named():
    labels = [chosen.label for chosen in LOADERS.values()]
    assert len(set(labels)) == len(labels)
    assert {*ARRAYS, *LOOPS} < set(LOADERS)


def test_what_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr("experiments.race.loaders.find_spec", lambda name: None)
    assert set(LOADERS) - set(installed()) == {"grain"}


def test_a_name_that_is_no_loader_is_refused():
    with pytest.raises(ValueError, match=r"'tf\.data' is not a loader; there are: constant_batch"):
        loader("tf.data")
