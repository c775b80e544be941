"""Orders of the same images: how often each image is shown, and equal steps."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from experiments.claims.orders import (
    AVERAGE_KEEPS,
    ORDERS,
    AverageWeights,
    backwards,
    learn,
    main_classes,
    sorted_by_class,
    subset_in_order,
)
from helpers.data import index_voc
from helpers.network import ScoreHoldout
from helpers.windows import flip_horizontally
from helpers.workshop import Workshop
from tests.support import tiny_workshop


@pytest.fixture
def workshop():
    return tiny_workshop()


def shown(subset, workshop):
    """How often each image of the training list is seen in as many steps as the article's."""
    batches = [subset.geometry.batch(step) for step in range(workshop.geometry.n_steps)]
    names = subset.index.images[np.concatenate(batches)]
    assert set(names) <= set(workshop.train.images)
    return np.array([np.sum(names == name) for name in workshop.train.images])


def test_the_articles_windows_show_the_ends_of_the_list_a_tenth_as_often(workshop):
    with subset_in_order("article", workshop, seed=1) as subset:
        counts = shown(subset, workshop)
    assert (counts.min(), counts.max()) == (5, 50)


def test_a_reshuffled_list_shows_all_images_about_equally(workshop):
    with subset_in_order("reshuffled", workshop, seed=1) as subset:
        counts = shown(subset, workshop)
    assert counts.sum() == 100 * 20 and counts.min() >= 20 and counts.max() <= 45


def test_a_window_of_everything_shows_all_images_equally(workshop):
    with subset_in_order("everything", workshop, seed=1) as subset:
        counts = shown(subset, workshop)
    assert (counts.min(), counts.max()) == (37, 38)  # 300 steps are 37.5 passes


@pytest.mark.parametrize(
    ("order", "window", "stride", "passes", "n_rounds"),
    [
        ("everything", 58, None, 38, 1),
        ("reshuffled", 20, 2, 1, 100),
        ("article_reshuffled", 20, 2, 5, 20),
        ("article", 20, 2, 5, 20),
        ("one_epoch", 20, 2, 1, 100),
        ("disjoint", 20, 20, 5, 20),
        ("small", 24, 2, 5, 20),
        ("small_sorted", 24, 2, 5, 20),
        ("batch", 8, 8, 1, 300),
        ("averaged", 20, 2, 5, 20),
        ("backwards", 20, 2, 5, 20),
    ],
)
def test_each_cut_takes_the_articles_steps(order, window, stride, passes, n_rounds, workshop):
    with subset_in_order(order, workshop, seed=0) as subset:
        first, *others = subset.geometry.windows
        assert (first.stop, others[0].start if others else None) == (window, stride)
        assert (subset.geometry.passes, subset.n_rounds) == (passes, n_rounds)
        assert subset.augment is flip_horizontally
        assert 0 <= len(subset) - workshop.geometry.n_steps < subset.steps_per_round


def test_a_list_that_is_not_reshuffled_comes_again_in_the_same_order(workshop):
    with subset_in_order("one_epoch", workshop, seed=0) as subset:
        names = subset.index.images
    assert np.array_equal(names[:58], names[58:116])
    with subset_in_order("batch", workshop, seed=0) as subset:
        names = subset.index.images
    assert set(names[:58]) == set(names[58:116]) and not np.array_equal(names[:58], names[58:116])


def test_every_order_depends_on_the_seed(workshop):
    for order in ORDERS:
        with subset_in_order(order, workshop, 0) as one, subset_in_order(order, workshop, 1) as two:
            assert not np.array_equal(one.index.images, two.index.images)


def test_an_unknown_order_is_refused(workshop):
    with pytest.raises(ValueError, match="'random' is not an order; there are: everything"):
        subset_in_order("random", workshop, 0)


def test_learning_is_one_fit_of_four_quarters_over_the_batches_of_its_order(workshop, monkeypatch):
    trained = []

    def fit(data, *, steps_per_epoch, epochs, shuffle, verbose, callbacks):
        ((scored,), steps) = callbacks, steps_per_epoch * epochs
        assert isinstance(scored, ScoreHoldout) and (epochs, shuffle, verbose) == (4, False, 0)
        assert np.array_equal(scored.data.index.images, workshop.holdout.images)
        trained.extend(data[step] for step in range(steps))
        found = np.linspace(0.1, 0.4, 4)
        return SimpleNamespace(history={"val_mean_iou": found, "val_pixel_accuracy": 2 * found})

    monkeypatch.setattr(Workshop, "network", lambda self, seed: SimpleNamespace(fit=fit))
    run = learn(workshop, "reshuffled", seed=3, passes=1)
    # One pass instead of five: as many windows, a fifth of the steps.
    assert [row["step"] for row in run["rows"]] == [15, 30, 45, 60] and len(trained) == 60
    second = {"step": 30, "mean_iou": 0.2, "pixel_accuracy": 0.4, "decoded_images": 20 + 19 * 2}
    assert run["rows"][1] == second
    once = replace(workshop, geometry=replace(workshop.geometry, passes=1))
    with subset_in_order("reshuffled", once, 3) as subset:
        for found, batch in zip(trained, subset, strict=True):
            assert all(map(np.array_equal, found, batch))


def test_every_second_epoch_over_a_window_goes_backwards(workshop):
    with subset_in_order("backwards", workshop, seed=1) as subset:
        there, back, other = (subset.geometry.order(3, pass_) for pass_ in (2, 3, 4))
        assert np.array_equal(back, there[::-1]) and not np.array_equal(other, there)
        with subset_in_order("article", workshop, seed=1) as article:
            assert np.array_equal(there, article.geometry.order(3, 2))
    assert backwards(workshop.geometry).n_steps == workshop.geometry.n_steps


def test_the_average_is_scored_and_the_training_goes_on_with_its_own_weights():
    layers = [keras.layers.BatchNormalization(momentum=0.5), keras.layers.Dense(1, use_bias=False)]
    model = keras.Sequential([keras.Input((1,)), *layers])
    batches = [(np.full((4, 1), value, np.float32) + np.arange(4)[:, None],) for value in (1, 5)]

    class Subset:
        steps_per_round = 2

        def __getitem__(self, step):
            return batches[step % 2]

    seen = []
    scored = SimpleNamespace(
        set_model=lambda model: None,
        on_epoch_end=lambda epoch, logs: seen.append([np.array(w) for w in model.get_weights()]),
    )
    average = AverageWeights(Subset(), scored)
    average.set_model(model)
    kernel = layers[1].kernel
    for step, value in enumerate((7, 1, 7, 2)):  # rounds end with 1 and with 2
        kernel.assign([[value]])
        average.on_train_batch_end(step)
    own = [np.array(weight) for weight in model.get_weights()]
    average.on_epoch_end(0, {})
    ((_, _, mean, _, averaged),) = seen
    assert averaged.item() == pytest.approx(AVERAGE_KEEPS * 1 + (1 - AVERAGE_KEEPS) * 2)
    # From 0, with momentum 0.5, over batches of mean 2.5 and 6.5.
    assert mean.item() == pytest.approx(0.5 * 0.5 * 2.5 + 0.5 * 6.5)
    assert all(map(np.array_equal, own, model.get_weights()))


@pytest.mark.slow
@pytest.mark.parametrize("order", ["averaged", "backwards"])
def test_the_orders_of_the_literature_are_learnt(order, workshop):
    run = learn(workshop, order, seed=0, passes=1)
    assert len(run["rows"]) == 4 and all(0 < row["mean_iou"] < 1 for row in run["rows"])


def test_images_are_sorted_by_the_class_that_covers_most(voc_folder):
    root = voc_folder(5)
    index = index_voc(root)
    squares = {0: [], 1: [(3, 4)], 2: [(1, 2), (9, 9)], 3: [(2, 5)], 4: [(1, 8), (2, 3)]}
    for row, parts in squares.items():
        mask = np.zeros((10, 10), np.uint8)
        mask[0] = 255
        for k, (class_id, rows) in enumerate(parts):
            mask[1:, k * 5 : k * 5 + 5][:rows] = class_id
        Image.fromarray(mask).save(index[row].mask)
    assert main_classes(index, (10, 10)).tolist() == [0, 3, 9, 2, 1]
    order = [pair.id for pair in sorted_by_class(index, (10, 10))]
    assert order == [index[row].id for row in (0, 4, 3, 1, 2)]


def test_a_sorted_list_keeps_its_order(workshop):
    with subset_in_order("small_sorted", workshop, seed=0) as subset:
        classes = main_classes(subset.index, workshop.size)
        assert len(workshop.train) <= len(classes) < len(workshop.train) + 20
    once = classes[: len(workshop.train)]
    assert (np.diff(once) >= 0).all() and len(set(once.tolist())) > 3
