"""The article's training loop, as written."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest

from helpers.data import index_voc, read_block
from helpers.windows import Geometry, article_loop, compile_as_article, split_windows
from helpers.windows.article import one_hot


def small_fcn():
    return keras.Sequential(
        [keras.Input((8, 6, 3)), keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(21, 1)]
    )


class Optimizers(keras.callbacks.Callback):
    """The optimizer of each `fit`."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append(self.model.optimizer)


@pytest.mark.slow
def test_the_loop_reads_compiles_and_trains_anew_in_each_round(voc_folder, tmp_path):
    asked, optimizers = [], Optimizers()
    checkpoint = keras.callbacks.ModelCheckpoint(
        tmp_path / "FCN_8.keras", monitor="val_accuracy", save_best_only=True
    )

    def read(index, rows, size):
        asked.append((list(rows), size))
        return read_block(index, rows, size)

    geometry = Geometry(13, window=10, stride=2, size=(8, 6), batch_size=4, passes=2)
    histories = article_loop(
        small_fcn(), index_voc(voc_folder(13)), geometry,
        callbacks=[optimizers, checkpoint], read=read,
    )  # fmt: skip
    assert asked == [(list(range(10)), (8, 6)), (list(range(2, 12)), (8, 6))]
    assert [len(history["loss"]) for history in histories] == [2, 2]
    # Nine images for training, by fours, two passes; a new optimizer forgets its steps.
    assert [int(optimizer.iterations) for optimizer in optimizers.seen] == [6, 6]
    accuracies = [value for history in histories for value in history["val_accuracy"]]
    assert checkpoint.best == pytest.approx(max(accuracies)) and len(accuracies) == 4
    assert (tmp_path / "FCN_8.keras").is_file()


def test_each_window_is_split_by_tens_and_early_stopping_waits_for_3_epochs(voc_folder):
    """The network learns nothing, so its losses tell which images they are of."""
    index, model = index_voc(voc_folder(10)), small_fcn()
    model.trainable = False
    geometry = Geometry.one_window(10, (8, 6), 4, passes=6, seed=5)
    said = pytest.warns(UserWarning, match="does not have any trainable weights")
    with nullcontext() if keras.backend.backend() == "jax" else said:  # JAX does not say it
        (history,) = article_loop(model, index, geometry)
    assert len(history["val_loss"]) == 1 + 3
    ((_, held),) = split_windows(geometry.windows, 0.1, 5)
    images, masks = read_block(index, held, (8, 6))
    loss = model.evaluate(images, one_hot(masks, 21), verbose=0)[0]
    assert history["val_loss"][0] == pytest.approx(loss)


def test_one_hot_is_float64_with_zeros_for_void():
    found = one_hot(np.array([[[0, 2], [255, 1]]], np.uint8), 3)
    assert found.dtype == np.float64
    assert found.tolist() == [[[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 1, 0]]]]


def test_void_gives_no_loss_one_hot_or_not():
    images, masks = np.zeros((1, 8, 6, 3), np.uint8), np.full((1, 8, 6), 255, np.uint8)
    for is_one_hot, target in ((True, one_hot(masks, 21)), (False, masks)):
        model = small_fcn()
        compile_as_article(model, is_one_hot)
        assert model.evaluate(images, target, verbose=0)[0] == 0
        assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
