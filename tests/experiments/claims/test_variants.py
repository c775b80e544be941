"""The runs behind the claims: what is trained, what is scored, and what a kept run looks like."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from experiments.claims import variants
from experiments.claims.orders import sorted_by_class
from experiments.claims.variants import VARIANTS, run_variant
from helpers.data import read_block
from helpers.windows import leaked_shares, sliding_windows, split_windows
from helpers.workshop import Workshop
from tests.support import tiny_workshop

SCORED = {"split", "holdout", "holdout_parts", "first_window"}


@pytest.fixture
def workshop():
    return tiny_workshop()


def trained_on(monkeypatch):
    """What each `fit` is given; a small network is trained on two images of it."""
    seen = []

    class Small(keras.Sequential):
        def compile(self, *choices, **options):
            super().compile(*choices, run_eagerly=True, **options)  # quicker than to trace it

        def fit(self, images, masks, **more):
            validation, _ = more["validation_data"]
            stopping, _ = more["callbacks"]
            given = {"images": images, "validation": validation, "patience": stopping.patience}
            seen.append(given | {"epochs": more["epochs"], "optimizer": self.optimizer})
            return super().fit(images[:2], masks[:2], **more | {"epochs": 1})

    def network(workshop, seed):
        layers = [keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(workshop.train.n_classes, 1)]
        return Small([keras.Input((*workshop.size, 3)), *layers])

    monkeypatch.setattr(Workshop, "network", network)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["article", "one_compile", "sorted"])
def test_the_articles_rounds(variant, workshop, monkeypatch):
    seen = trained_on(monkeypatch)
    run = run_variant(workshop, variant, seed=1, n_rounds=2)
    splits = split_windows(sliding_windows(58, 20, 2)[:2], 0.1, 1)
    index = workshop.train.shuffled(1)
    if variant == "sorted":
        index = sorted_by_class(index, workshop.size)
    for given, split in zip(seen, splits, strict=True):
        for part, rows in zip(("images", "validation"), split, strict=True):
            assert np.array_equal(given[part], read_block(index, rows, workshop.size)[0])
        assert len(given["images"]) == 18 and (given["epochs"], given["patience"]) == (5, 3)
    optimizers = {id(given["optimizer"]) for given in seen}
    assert len(optimizers) == (1 if variant == "one_compile" else 2)
    assert [row["round"] for row in run["rounds"]] == [1, 2]
    assert [row["samples_seen"] for row in run["rounds"]] == [18, 36]
    assert [row["leaked_share"] for row in run["rounds"]] == leaked_shares(splits)
    for row in run["rounds"]:
        assert len(row["val_accuracy"]) == 1
        assert set(row) >= SCORED
        assert all(0 <= row[name]["pixel_accuracy"] <= 1 for name in SCORED)


@pytest.mark.slow
def test_the_honest_run_has_one_split_and_shows_as_many_samples(workshop, monkeypatch):
    seen = trained_on(monkeypatch)
    run = run_variant(workshop, "honest", seed=0)
    (fit,) = seen
    assert len(fit["images"]) == 52 and abs(fit["epochs"] * 52 - 20 * 5 * 18) < 52 / 2 + 1
    assert fit["patience"] == fit["epochs"]
    assert {row["leaked_share"] for row in run["rounds"]} == {0}


@pytest.mark.parametrize(("window", "batch_size"), [(1000, 32), (200, 6), (150, 5), (20, 1)])
def test_batches_are_the_articles_share_of_a_window(window, batch_size, workshop):
    geometry = replace(workshop.geometry, n_images=2000, window=window)
    cut = replace(workshop, geometry=geometry)
    assert variants.batch_size_of(cut) == batch_size


def test_an_unknown_variant_is_refused(workshop):
    with pytest.raises(ValueError, match="'fair' is not a variant; there are: article"):
        run_variant(workshop, "fair")


def test_scores_of_parts_are_means_over_parts_of_the_splits_size(workshop):
    assert set(VARIANTS) == {"article", "one_compile", "sorted", "honest"}
    splits = split_windows(sliding_windows(58, 20, 2), 0.1)
    judge = variants._Judge(workshop, workshop.train, splits, each_epoch=False)
    matrices = np.zeros((20, 2, 2), int)
    matrices[:, 0, 0], matrices[::2, 1, 1], matrices[1::2, 1, 0] = 3, 1, 1
    judge._matrices = lambda data: matrices[: len(data.index)]
    judge._score(0)
    (row,) = judge.rounds
    assert len(splits[0][1]) == 2 and row["split"]["mean_iou"] == row["holdout_parts"]["mean_iou"]
    assert row["holdout"]["pixel_accuracy"] == pytest.approx(0.875)
