"""Orders of the same images: how often each image is shown, and equal steps."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from experiments.claims.orders import ORDERS, learn, main_classes, sorted_by_class, subset_in_order
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
    assert (run["order"], run["seed"], run["decoded_images"]) == ("reshuffled", 3, 20 + 19 * 2)
    assert [score["step"] for score in run["scores"]] == [15, 30, 45, 60] and len(trained) == 60
    assert run["scores"][1] == {"step": 30, "mean_iou": 0.2, "pixel_accuracy": 0.4}
    once = replace(workshop, geometry=replace(workshop.geometry, passes=1))
    with subset_in_order("reshuffled", once, 3) as subset:
        for found, batch in zip(trained, subset, strict=True):
            assert all(map(np.array_equal, found, batch))


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
