"""Orders of the same images: how often each image is shown, and equal steps."""

import numpy as np
import pytest
from PIL import Image

from experiments.claims.orders import ORDERS, learn, main_classes, sorted_by_class, subset_in_order
from helpers.data import index_voc
from tests.support import tiny_workshop


@pytest.fixture
def workshop():
    return tiny_workshop()


def shown(subset, workshop):
    """How often each image of the training list is seen in as many steps as the article's."""
    counts = dict.fromkeys((pair.id for pair in workshop.train), 0)
    left = workshop.geometry.n_steps
    for epoch in range(subset.n_epochs):
        subset.seek(epoch)
        for row in subset.geometry.rows(subset.round):
            counts[subset.ring.index[row].id] += 1
        left -= len(subset)
    assert left <= 0 and left > -len(subset), "more or fewer epochs than are needed"
    return np.array(list(counts.values()))


def test_the_articles_windows_show_the_ends_of_the_list_a_tenth_as_often(workshop):
    with subset_in_order("article", workshop, seed=1) as subset:
        counts = shown(subset, workshop)
        assert (subset.n_rounds, subset.geometry.passes) == (20, 5)
        assert subset.decoded == len(workshop.train) == 58
    assert (counts.min(), counts.max()) == (5, 50)


def test_a_reshuffled_list_shows_all_images_about_equally(workshop):
    with subset_in_order("reshuffled", workshop, seed=1) as subset:
        counts = shown(subset, workshop)
        assert (subset.n_rounds, subset.geometry.passes) == (100, 1)
        assert subset.decoded == 20 + 99 * 2  # one window, then a stride for each epoch
        assert subset.nbytes == (20 + 2) * 64 * 64 * 4
    assert counts.sum() == 100 * 20 and counts.min() >= 20 and counts.max() <= 45


def test_a_window_of_everything_shows_all_images_equally(workshop):
    with subset_in_order("everything", workshop, seed=1) as subset:
        counts = shown(subset, workshop)
    assert counts.min() == counts.max() == 38  # 300 steps are 37.5 passes


@pytest.mark.parametrize(
    ("order", "window", "stride", "passes", "n_rounds"),
    [
        ("article_reshuffled", 20, 2, 5, 20),
        ("one_epoch", 20, 2, 1, 100),
        ("disjoint", 20, 20, 5, 20),
        ("small", 24, 2, 5, 20),
        ("small_sorted", 24, 2, 5, 20),
        ("batch", 8, 8, 1, 300),
    ],
)
def test_each_cut_takes_the_articles_steps(order, window, stride, passes, n_rounds, workshop):
    with subset_in_order(order, workshop, seed=0) as subset:
        first, second = subset.geometry.windows[:2]
        assert (first.stop, second.start) == (window, stride)
        assert (subset.geometry.passes, subset.n_rounds) == (passes, n_rounds)
        assert 0 <= len(subset) * subset.n_epochs - workshop.geometry.n_steps < len(subset) * passes


def test_a_list_that_is_not_reshuffled_comes_again_in_the_same_order(workshop):
    with subset_in_order("one_epoch", workshop, seed=0) as subset:
        names = subset.ring.index.images
    assert np.array_equal(names[:58], names[58:116])
    with subset_in_order("batch", workshop, seed=0) as subset:
        names = subset.ring.index.images
    assert set(names[:58]) == set(names[58:116]) and not np.array_equal(names[:58], names[58:116])


def test_every_order_depends_on_the_seed(workshop):
    for order in ORDERS:
        with subset_in_order(order, workshop, 0) as one, subset_in_order(order, workshop, 1) as two:
            assert not np.array_equal(one.ring.index.images, two.ring.index.images)


def test_an_unknown_order_is_refused(workshop):
    with pytest.raises(ValueError, match="'random' is not an order; there are: everything"):
        subset_in_order("random", workshop, 0)


def test_fewer_passes_are_a_shorter_training_with_as_many_windows(workshop):
    run = learn(workshop, "reshuffled", passes=1)
    assert (run["order"], run["seed"], run["decoded_images"]) == ("reshuffled", 0, 20 + 19 * 2)
    assert [score["step"] for score in run["scores"]] == [15, 30, 45, 60]
    assert set(run["scores"][0]) == {"step", "mean_iou", "pixel_accuracy"}


@pytest.mark.slow
def test_learning_takes_the_articles_steps_and_scores_each_quarter(workshop):
    run = learn(workshop, "everything", seed=2)
    assert (run["order"], run["seed"], run["decoded_images"]) == ("everything", 2, 58)
    assert [score["step"] for score in run["scores"]] == [75, 150, 225, 300]
    assert all(0 < score["mean_iou"] < 1 for score in run["scores"])


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
        classes = main_classes(subset.ring.index, workshop.size)
        assert len(workshop.train) <= len(classes) < len(workshop.train) + 20
    once = classes[: len(workshop.train)]
    assert (np.diff(once) >= 0).all() and len(set(once.tolist())) > 3
