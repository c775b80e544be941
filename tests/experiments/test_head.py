"""A head learns from photographs: as many steps in every way, and what each has in memory."""

from dataclasses import replace

import numpy as np
import pytest

from experiments import head
from helpers.data import VOID, read_block
from helpers.scoring import scores
from helpers.settings import load_settings
from helpers.windows import SlidingSubset
from helpers.workshop import open_workshop


@pytest.fixture(scope="module")
def workshop():
    """Tiny, with a head on a backbone of random weights."""
    tiny = open_workshop(load_settings({"TUTORIAL_PROFILE": "tiny"}))
    settings = replace(tiny.settings, network="head", backbone="mobilenet")
    geometry = replace(tiny.geometry, size=(80, 80), passes=1)
    return replace(tiny, settings=settings, geometry=geometry)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["everything", "second_stage"])
def test_a_run_is_scored_on_two_sets(workshop, way, monkeypatch):
    monkeypatch.setattr(head, "N_REPORTED", 12)
    monkeypatch.setattr(head, "FREQUENT", 3)
    row, matrix = head.train_and_score(workshop, way, 1)
    found = scores(np.array(matrix))
    assert row["mean_iou"] == found.mean_iou
    for name in ("", "third_"):
        assert 0 <= row[f"{name}mean_iou"] <= 1 and 0 <= row[f"{name}frequent_iou"] <= 1
        assert 1 < row[f"{name}n_classes"] <= workshop.train.n_classes
    n_held = {"everything": 58, "second_stage": 20 + 2}[way]
    assert row["window_mib"] == pytest.approx(n_held * 80 * 80 * 4 / 2**20)
    assert row["decoded_images"] == {"everything": 58, "second_stage": 20 + 19 * 2}[way]


def test_an_unknown_way_is_named(workshop):
    with pytest.raises(ValueError, match="'all' is not a way; there are: article, reshuffled"):
        head.learn_photographs(workshop, "all")


def test_a_stage_goes_on_where_the_other_ended(workshop):
    geometry = replace(workshop.geometry, size=(8, 8), passes=2)
    asked = []

    class Model:
        def fit(self, data, steps_per_epoch, **options):
            asked.extend(data[step] for step in range(steps_per_epoch))

    with SlidingSubset(workshop.train, geometry) as subset:
        head.fit(Model(), subset, subset.steps_per_round)
        head.fit(Model(), subset.from_round(1), 9 - subset.steps_per_round)
        expected = [subset[step] for step in range(9)]
    assert len(asked) == 9
    for one, other in zip(asked, expected, strict=True):
        assert all(map(np.array_equal, one, other))


def test_the_images_of_a_class_are_counted(workshop):
    counts = head.images_per_class(workshop.train, (64, 64))
    masks = read_block(workshop.train, range(len(workshop.train)), (64, 64))[1]
    expected = [sum((mask == k).any() for mask in masks) for k in range(workshop.train.n_classes)]
    assert counts.tolist() == expected and VOID in masks


@pytest.mark.slow
def test_the_second_stage_begins_with_the_first_ones_weights(workshop):
    model = workshop.network(n_steps=10)
    upper = head.second_stage(workshop, model, 10)
    assert all(map(np.array_equal, model.get_weights(), upper.get_weights()))
    assert len(upper.trainable_weights) > len(model.trainable_weights)
