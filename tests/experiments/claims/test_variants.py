"""The runs behind the claims: what is trained, what is scored, and what a kept run looks like."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from experiments.claims import variants
from experiments.claims.orders import sorted_by_class
from experiments.claims.variants import (
    images_of_size,
    of_size,
    run_variant,
    split_windows_in_part,
    splits_of,
)
from helpers.data import read_block
from helpers.windows import (
    Geometry,
    leaked_shares,
    sliding_windows,
    split_windows,
    split_windows_once,
)
from helpers.workshop import Workshop
from tests.support import tiny_workshop

SCORED = {
    f"{where}_{score}"
    for where in ("split", "holdout", "holdout_parts", "first_window")
    for score in ("mean_iou", "pixel_accuracy")
}
ARTICLE = Geometry(580, window=200, stride=20, size=(8, 8), batch_size=16)


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
@pytest.mark.parametrize("variant", ["article", "split_once", "one_compile", "sorted"])
def test_the_articles_rounds(variant, workshop, monkeypatch):
    seen = trained_on(monkeypatch)
    run = run_variant(workshop, variant, seed=1, n_rounds=2)
    split = split_windows_once if variant == "split_once" else split_windows
    splits = split(sliding_windows(58, 20, 2), 0.1, 1)[:2]
    index = workshop.train.shuffled(1)
    if variant == "sorted":
        index = sorted_by_class(index, workshop.size)
    for given, split in zip(seen, splits, strict=True):
        for part, rows in zip(("images", "validation"), split, strict=True):
            assert np.array_equal(given[part], read_block(index, rows, workshop.size)[0])
        assert len(given["images"]) == 18 and (given["epochs"], given["patience"]) == (5, 3)
    optimizers = {id(given["optimizer"]) for given in seen}
    assert len(optimizers) == (1 if variant == "one_compile" else 2)
    rows, epochs, arrays = run["rows"], run["epochs"], run["arrays"]
    assert [row["round"] for row in rows] == [epoch["round"] for epoch in epochs] == [1, 2]
    assert [row["samples_seen"] for row in rows] == [18, 36]
    assert [row["leaked_share"] for row in rows] == leaked_shares(splits)
    for row in rows:
        assert set(row) >= SCORED and row["n_validation"] == 2
        assert all(0 <= row[name] <= 1 for name in SCORED)
    assert epochs[0]["holdout_mean_iou"] == rows[0]["holdout_mean_iou"]  # the first is a best one
    # Each image of each split has its matrix, and says whether it was trained on before.
    assert arrays["round"] == [1, 1, 2, 2]
    assert arrays["row"] == [*splits[0][1], *splits[1][1]]
    trained = set(splits[0][0].tolist())
    assert arrays["seen"] == [0, 0, *(int(row in trained) for row in splits[1][1])]
    matrices, holdout = np.array(arrays["matrices"]), np.array(arrays["holdout"])
    assert len(matrices) == 4 and len(holdout) == len(workshop.holdout)
    right = np.trace(holdout.sum(axis=0)) / holdout.sum()
    assert right == pytest.approx(rows[-1]["holdout_pixel_accuracy"])


@pytest.mark.parametrize(
    ("variant", "expected"), [("anew_25", 22), ("anew_50", 44), ("anew_75", 66)]
)
def test_a_share_of_the_images_is_split_anew_and_so_leaks_in_part(variant, expected):
    splits = splits_of(variant, ARTICLE.windows, seed=3)
    article, once = (splits_of(name, ARTICLE.windows, 3) for name in ("article", "split_once"))
    kept = set(np.concatenate([held for _, held in once]))
    anew = {row for (_, held) in splits for row in held} - kept
    for k, (train, held) in enumerate(splits):
        window = ARTICLE.windows[k]
        assert sorted([*train, *held]) == [*range(window.start, window.stop)]  # each image once
        assert all(row in once[k][1] or row in article[k][1] for row in held)
        assert all(row in article[k][1] for row in held if row in anew)
    leaked = 100 * np.mean(leaked_shares(splits)[10:])
    assert leaked == pytest.approx(expected, abs=12)


def test_all_or_none_split_anew_are_the_article_and_the_repaired_split():
    for share, name in ((1, "article"), (0, "split_once")):
        mixed = split_windows_in_part(ARTICLE.windows, share, seed=3)
        for ours, theirs in zip(mixed, splits_of(name, ARTICLE.windows, 3), strict=True):
            assert [part.tolist() for part in ours] == [part.tolist() for part in theirs]


def test_the_repaired_split_leaks_nothing_and_is_as_large():
    article, repaired = (splits_of(name, ARTICLE.windows, 3) for name in ("article", "split_once"))
    assert min(leaked_shares(article)[1:]) > 0.5 and max(leaked_shares(repaired)) == 0
    sizes = [[tuple(map(len, split)) for split in splits] for splits in (article, repaired)]
    assert sizes[0] == sizes[1] == [(180, 20)] * 20


def test_a_smaller_size_keeps_the_articles_proportions(workshop):
    small = of_size(workshop, 30, seed=1)
    geometry = small.geometry
    assert (len(small.train), geometry.window, geometry.stride) == (29, 10, 1)
    assert len(small.train) == images_of_size("size_30")
    assert geometry.n_rounds == 20 and {*small.train.images} < {*workshop.train.images}
    assert {*small.train.images} != {*of_size(workshop, 30, seed=2).train.images}
    with pytest.raises(ValueError, match="59 images were asked for, and there are 58"):
        of_size(workshop, 59, seed=0)
    with pytest.raises(ValueError, match="28 images are too few"):
        of_size(workshop, 28, seed=0)


@pytest.mark.parametrize(("window", "batch_size"), [(1000, 32), (200, 6), (150, 5), (20, 1)])
def test_batches_are_the_articles_share_of_a_window(window, batch_size, workshop):
    geometry = replace(workshop.geometry, n_images=2000, window=window)
    cut = replace(workshop, geometry=geometry)
    assert variants.batch_size_of(cut) == batch_size


def test_an_unknown_variant_is_refused(workshop):
    with pytest.raises(ValueError, match="'fair' is not a variant; there are: article"):
        run_variant(workshop, "fair")


def test_scores_of_parts_are_means_over_parts_of_the_splits_size(workshop, monkeypatch):
    splits = split_windows(sliding_windows(58, 20, 2), 0.1)
    judge = variants.Judge(workshop, workshop.train, splits)
    matrices = np.zeros((20, 2, 2), int)
    matrices[:, 0, 0], matrices[::2, 1, 1], matrices[1::2, 1, 0] = 3, 1, 1
    monkeypatch.setattr(
        variants, "evaluate", lambda model, data, per_image: matrices[: len(data.index)]
    )
    judge.on_train_begin()
    judge.split_matrices, judge.epochs = matrices[:2], [{"val_accuracy": 0.5}]
    judge._score()
    (row,) = judge.rounds
    assert row["n_validation"] == 2 and row["split_mean_iou"] == row["holdout_parts_mean_iou"]
    assert row["holdout_pixel_accuracy"] == pytest.approx(0.875)


def test_a_checkpoint_is_noted_where_one_of_two_accuracies_is_the_best_so_far(
    workshop, monkeypatch
):
    splits = split_windows(sliding_windows(58, 20, 2), 0.1)
    judge = variants.Judge(workshop, workshop.train, splits)
    monkeypatch.setattr(
        variants,
        "evaluate",
        lambda model, data: np.eye(2, dtype=int),  # a mean IoU of 1
    )
    judge.on_train_begin()
    for epoch, (keras_own, right) in enumerate([(0.5, 7), (0.4, 6), (0.6, 6), (0.4, 8)]):
        judge.split_matrices = np.array([[[right, 10 - right], [0, 0]]])
        judge._note_epoch(epoch, {"val_accuracy": keras_own})
    assert [row["split_pixel_accuracy"] for row in judge.epochs] == [0.7, 0.6, 0.6, 0.8]
    assert [row["holdout_mean_iou"] for row in judge.epochs] == [1, None, 1, 1]
