"""The analysis of the claims on tables made by hand."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims.analysis import checkpoints, gaps, seen_and_unseen


def rounds_of(variant, seed, splits, holdouts, leaked=0.9):
    return [
        {
            "variant": variant,
            "seed": seed,
            "round": number,
            "leaked_share": leaked * (number > 1),
            "split_mean_iou": split,
            "holdout_parts_mean_iou": new,
            "holdout_mean_iou": new - 0.1,
        }
        for number, (split, new) in enumerate(zip(splits, holdouts, strict=True), start=1)
    ]


TABLE = pd.DataFrame(
    [
        *rounds_of("article", 0, [0.2] + 19 * [0.8], [0.25] + 18 * [0.5] + [0.6]),
        *rounds_of("article", 1, 20 * [0.7], 20 * [0.5]),
        *rounds_of("split_once", 0, [0.4, 0.5], [0.4, 0.6], leaked=0),
    ]
)


def test_a_gap_is_of_the_first_round_the_last_and_the_last_ten():
    found = gaps(TABLE).set_index(["variant", "seed"])
    assert [*found.index] == [("article", 0), ("article", 1), ("split_once", 0)]
    first = found.loc[("article", 0)]
    assert first.first_round == pytest.approx(-0.05) and first.last_round == pytest.approx(0.2)
    assert first.last_rounds == pytest.approx((9 * 0.3 + 0.2) / 10)


def test_a_dose_is_the_leak_of_the_last_ten_rounds():
    found = gaps(TABLE).set_index(["variant", "seed"])[["leaked_share", "last_rounds"]]
    assert found.loc[("article", 1)].tolist() == pytest.approx([0.9, 0.2])
    assert found.loc[("split_once", 0)].tolist() == pytest.approx([0, -0.05])


def matrix(right, wrong):
    return [[right, wrong], [0, right]]


ARRAYS = {
    "round": [1, 1, 2, 2, 2, 3, 3, 3],
    "seen": [0, 0, 1, 1, 0, 1, 0, 0],
    "matrices": [matrix(right, 10 - right) for right in (1, 2, 9, 9, 5, 9, 5, 5)],
}
ARRAYS = {f"article/0/{name}": np.array(values, np.uint8) for name, values in ARRAYS.items()}


def test_seen_and_unseen_images_of_the_same_rounds_are_compared():
    found = seen_and_unseen(ARRAYS, "article", 0, n_times=50)
    assert found["rounds"] == 2  # round 1 has no image that was seen
    accuracies = [found["accuracy_seen"], found["accuracy_unseen"]]
    assert accuracies == pytest.approx([18 / 19, 10 / 15])
    # Three images of each kind, all alike: [9, 1], [0, 9] and [5, 5], [0, 5].
    assert found["mean_iou_seen"] == pytest.approx((9 / 10 + 9 / 10) / 2)
    assert found["mean_iou_unseen"] == pytest.approx((5 / 10 + 5 / 10) / 2)
    only_new = {name: values[:2] for name, values in ARRAYS.items()}
    with pytest.raises(ValueError, match="article, seed 0: no round has images of both kinds"):
        seen_and_unseen(only_new, "article", 0)


def test_a_checkpoint_keeps_the_first_epoch_with_the_highest_accuracy():
    epochs = pd.DataFrame(
        {
            "variant": "article",
            "seed": 1,
            "round": [1, 1, 2, 2],
            "epoch": [1, 2, 1, 2],
            "val_accuracy": [0.5, 0.9, 0.9, 0.1],
            "split_pixel_accuracy": [0.5, 0.6, 0.6, 0.8],
            "holdout_mean_iou": [0.1, 0.2, None, 0.35],
        }
    )
    found = checkpoints(TABLE, epochs, "article").set_index("by")
    assert found.loc["val_accuracy", ["round", "epoch", "mean_iou"]].tolist() == [1, 2, 0.2]
    assert found.loc["split_pixel_accuracy", ["round", "epoch"]].tolist() == [2, 2]
    assert found["lost"].tolist() == pytest.approx([0.2, 0.05])  # the best round ends with 0.4
