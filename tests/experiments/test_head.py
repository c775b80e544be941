"""A head learns from photographs: as many steps in every way, and what each has in memory."""

from dataclasses import replace

import numpy as np
import pytest

from experiments import head
from helpers.data import VOID, read_block
from helpers.scoring import scores
from helpers.settings import load_settings
from helpers.workshop import open_workshop


@pytest.fixture(scope="module")
def workshop():
    """Tiny, with a head on a backbone of random weights."""
    tiny = open_workshop(load_settings({"TUTORIAL_PROFILE": "tiny"}))
    settings = replace(tiny.settings, network="head", backbone="mobilenet")
    geometry = replace(tiny.geometry, size=(80, 80), passes=1)
    return replace(tiny, settings=settings, geometry=geometry)


def all_first(model, size):
    """In place of averaged answers: a network that sees class 0 everywhere."""
    images = head.keras.Input((*size, 3))
    initial = {"kernel_initializer": "zeros", "bias_initializer": first_class}
    return head.keras.Model(
        images, head.keras.layers.Conv2D(model.output_shape[-1], 1, **initial)(images)
    )


def first_class(shape, dtype=None):
    return np.eye(shape[0])[0]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["everything", "gentle"])
def test_a_run_is_scored_on_two_sets(workshop, way, monkeypatch):
    compiled, asked = [], []
    compile_ = head.compile_head
    monkeypatch.setattr(
        head, "compile_head", lambda *of: compiled.append(compile_(*of)) or compiled[-1]
    )
    monkeypatch.setattr(head, "average_answers", lambda *of: asked.append(of) or all_first(*of))
    monkeypatch.setattr(head, "N_REPORTED", 12)
    monkeypatch.setattr(head, "FREQUENT", 3)
    found = head.learn_photographs(workshop, way, 1)
    (row,), matrices = found["rows"], found["arrays"]
    assert row["mean_iou"] == scores(np.array(matrices["matrix"])).mean_iou
    assert row["averaged_mean_iou"] == scores(np.array(matrices["averaged"])).mean_iou
    for name in ("", "third_", "averaged_", "averaged_third_"):
        assert 0 <= row[f"{name}mean_iou"] <= 1 and 0 <= row[f"{name}frequent_iou"] <= 1
        assert 1 < row[f"{name}n_classes"] <= workshop.train.n_classes
    ((several, size),), (trained,) = asked, compiled
    assert all(map(np.array_equal, several.get_weights(), trained.get_weights()))
    assert size == workshop.size and not np.array(matrices["averaged"])[:, 1:].any()
    backbone = {w.path for w in trained.trainable_weights if w.path.startswith("conv_")}
    assert bool(backbone) == (way == "gentle") and trained.optimizer.iterations > 0
    n_held = 58 if way == "everything" else 20 + 2
    assert row["peak_mib"] > row["window_mib"]
    assert row["window_mib"] == pytest.approx(n_held * 80 * 80 * 4 / 2**20)
    assert row["decoded_images"] == (58 if way == "everything" else 20 + 19 * 2)


def test_an_unknown_way_is_named(workshop):
    with pytest.raises(ValueError, match="'all' is not a way; there are: article, reshuffled"):
        head.learn_photographs(workshop, "all")


def test_the_images_of_a_class_are_counted(workshop):
    counts = head.images_per_class(workshop.train, (64, 64))
    masks = read_block(workshop.train, range(len(workshop.train)), (64, 64))[1]
    expected = [sum((mask == k).any() for mask in masks) for k in range(workshop.train.n_classes)]
    assert counts.tolist() == expected and VOID in masks
