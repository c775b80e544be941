"""The plain loop of claims and race. The article's loop is one choice of its parts."""

import weakref
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from experiments.loop import train_windows
from helpers.data import index_voc, read_block
from helpers.windows import Geometry, article_loop, compile_as_article, split_windows
from helpers.windows.article import one_hot
from tests.support import coded_image, rows_of

SIZE = (8, 6)
GEOMETRY = Geometry(13, window=10, stride=2, size=SIZE, batch_size=4, passes=2, seed=3)


@pytest.fixture
def index(voc_folder):
    return index_voc(voc_folder(13))


class Watched(keras.Sequential):
    """A small network that keeps weak references to the arrays that `fit` is given."""

    def __init__(self):
        super().__init__([keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(21, 1)])
        self.build((None, *SIZE, 3))
        self.given = []

    def compile(self, *choices, **options):
        super().compile(*choices, run_eagerly=True, **options)  # quicker than to trace it

    def fit(self, *arrays, validation_data, **options):
        self.given += map(weakref.ref, (*arrays, *validation_data))
        return super().fit(*arrays, validation_data=validation_data, **options)


def train_as_article(model, index, **changes):
    options = {
        "epochs": GEOMETRY.passes,
        "batch_size": GEOMETRY.batch_size,
        "compile_model": lambda model, round_: compile_as_article(model),
        "as_targets": lambda masks: one_hot(masks, index.n_classes),
        "callbacks": [keras.callbacks.EarlyStopping(monitor="val_loss", patience=3)],
    }
    splits = split_windows(GEOMETRY.windows, 0.1, GEOMETRY.seed)
    return train_windows(model, index, SIZE, GEOMETRY.windows, splits, **options | changes)


@pytest.mark.slow
def test_with_the_articles_choices_it_is_the_articles_loop(index):
    def ours(model):
        return train_as_article(model, index)

    def the_articles(model):
        return article_loop(model, index, GEOMETRY)

    histories, weights = [], []
    for loop in (ours, the_articles):
        keras.utils.set_random_seed(1)  # the first weights, and the order within an epoch
        model = Watched()
        histories.append(loop(model))
        weights.append(model.get_weights())
    assert histories[0] == histories[1] and len(histories[0]) == GEOMETRY.n_rounds == 2
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_no_array_outlives_its_round(index):
    model, alive = Watched(), []

    def read(index, rows, size):
        alive.append([array() is not None for array in model.given])
        arrays = read_block(index, rows, size)
        model.given += map(weakref.ref, arrays)
        return arrays

    train_as_article(model, index, read=read)
    alive.append([array() is not None for array in model.given])
    assert alive == [[], [False] * 6, [False] * 12]


@pytest.mark.slow
def test_class_ids_can_be_learnt_without_validation_from_another_read():
    fits = []

    def fit(images, masks, **options):
        fits.append((rows_of(images), masks, options["validation_data"]))
        return SimpleNamespace(history={"loss": [len(fits)]})

    def read(index, rows, size):
        images, masks = zip(*(coded_image(row, size) for row in rows), strict=True)
        return np.stack(images), np.stack(masks)

    windows = GEOMETRY.windows
    splits = split_windows(windows, 0)
    histories = train_windows(
        SimpleNamespace(fit=fit), None, SIZE, windows, splits, epochs=2, batch_size=4, read=read
    )
    assert histories == [{"loss": [1]}, {"loss": [2]}]
    for (rows, masks, held), (train, _) in zip(fits, splits, strict=True):
        assert rows == train.tolist() and held is None
        assert masks.dtype == np.uint8 and masks[:, 0, 0].tolist() == (train % 2).tolist()
