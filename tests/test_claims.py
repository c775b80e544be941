"""The runs behind the claims: what is trained, what is scored, and what a kept run looks like."""

import dataclasses

import numpy as np
import pytest

from helpers import claims
from helpers.claims import VARIANTS, run_variant
from helpers.leak import leaked_shares, split_windows
from helpers.settings import load_settings
from helpers.subsets import sliding_windows
from helpers.workshop import open_workshop

SCORED = {"split", "holdout", "holdout_parts", "first_window"}


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    return open_workshop(load_settings({"TUTORIAL_PROFILE": "tiny"}))


def trained_on(monkeypatch):
    """What each `fit` of the article's loop is given; nothing is trained."""
    seen = []
    loop = claims.article_loop

    def watched(model, index, windows, size, **options):
        compile_model = options["compile_model"]

        def compile_without_graph(model):
            compile_model(model)
            model.run_eagerly = True  # quicker than to trace it for one batch

        fit = model.fit

        def short_fit(images, masks, **more):
            seen.append({"n": len(images), "epochs": more["epochs"], "optimizer": model.optimizer})
            n_valid = len(more["validation_data"][0])
            history = fit(images[:2], masks[:2], **more | {"epochs": 1})
            assert n_valid == round(0.1 * (n_valid + len(images)))
            return history

        monkeypatch.setattr(model, "fit", short_fit)
        return loop(
            model, index, windows, size, **options | {"compile_model": compile_without_graph}
        )

    monkeypatch.setattr(claims, "article_loop", watched)
    return seen


@pytest.mark.parametrize("variant", ["article", "one_compile", "sorted"])
def test_the_articles_rounds(variant, tiny, monkeypatch):
    seen = trained_on(monkeypatch)
    run = run_variant(variant, seed=1, n_rounds=3)
    assert [one["n"] for one in seen] == [18, 18, 18]
    assert [one["epochs"] for one in seen] == [5, 5, 5]
    optimizers = {id(one["optimizer"]) for one in seen}
    assert len(optimizers) == (1 if variant == "one_compile" else 3)
    assert [row["round"] for row in run["rounds"]] == [1, 2, 3]
    assert [row["presented"] for row in run["rounds"]] == [18, 36, 54]
    windows = sliding_windows(58, 20, 2)[:3]
    shares = leaked_shares(split_windows(windows, 0.1, 1))
    assert [row["leaked_share"] for row in run["rounds"]] == shares
    for row in run["rounds"]:
        assert len(row["val_accuracy"]) == 1
        assert set(row) >= SCORED
        assert all(0 <= row[name]["pixel_accuracy"] <= 1 for name in SCORED)


def test_the_honest_run_has_one_split_and_as_many_presentations(tiny, monkeypatch):
    seen = trained_on(monkeypatch)
    run = run_variant("honest", seed=0)
    (fit,) = seen
    assert fit["n"] == 52 and abs(fit["epochs"] * 52 - 20 * 5 * 18) < 52 / 2 + 1
    assert {row["leaked_share"] for row in run["rounds"]} == {0}


@pytest.mark.parametrize(("window", "batch_size"), [(1000, 32), (200, 6), (150, 5), (20, 1)])
def test_batches_are_the_articles_share_of_a_window(window, batch_size, tiny):
    assert claims.batch_size_of(dataclasses.replace(tiny, window=window)) == batch_size


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="'fair' is not a variant; there are: article"):
        run_variant("fair")


def test_scores_of_parts_are_means_over_parts_of_the_splits_size(tiny):
    assert set(VARIANTS) == {"article", "one_compile", "sorted", "honest"}
    splits = split_windows(sliding_windows(58, 20, 2), 0.1)
    judge = claims._Judge(tiny, tiny.train, splits, each_epoch=False)
    matrices = np.zeros((20, 2, 2), int)
    matrices[:, 0, 0], matrices[::2, 1, 1], matrices[1::2, 1, 0] = 3, 1, 1
    judge._matrices = lambda pictures: matrices[: len(pictures.index)]
    judge._score(0)
    (row,) = judge.rounds
    assert len(splits[0][1]) == 2 and row["split"]["mean_iou"] == row["holdout_parts"]["mean_iou"]
    assert row["holdout"]["pixel_accuracy"] == pytest.approx(0.875)
