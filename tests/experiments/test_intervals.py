"""Intervals and what may be said of them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.intervals import (
    Difference,
    Line,
    bootstrap_mean_iou,
    interval,
    mean_with_interval,
    paired,
)


def test_the_interval_of_a_mean_is_students():
    # 4.302653 is the quantile of t with two degrees of freedom.
    assert interval([0.9, 1.0, 1.1]) == pytest.approx([0.7515862, 1.2484138])
    with pytest.raises(ValueError, match="One value has no interval"):
        interval([1.0])
    assert mean_with_interval([0.9, 1.0, 1.1]) == "1.000 (0.752 to 1.248), 3 seeds"
    assert mean_with_interval([0.9], "+.2f") == "+0.90, 1 seed"


@pytest.mark.parametrize(
    ("low", "high", "margin", "words"),
    [
        (0.01, 0.03, None, "above"),
        (-0.03, -0.01, None, "below"),
        (-0.01, 0.03, None, "level"),
        (-0.004, 0.006, 0.01, "as good"),
        (0.001, 0.006, 0.01, "above, within the margin"),
        (-0.006, -0.001, 0.01, "below, within the margin"),
        (0.001, 0.02, 0.01, "above"),
        (-0.02, -0.001, 0.01, "below"),
        (-0.004, 0.02, 0.01, "not told apart"),
    ],
)
def test_the_words_follow_from_the_interval(low, high, margin, words):
    assert Difference((low + high) / 2, low, high, 5).verdict(margin) == words


def test_a_difference_is_paired_by_seed():
    found = {"a": {0: 0.5, 1: 0.7, 2: 0.9, 9: 0.1}, "b": {2: 0.6, 0: 0.4, 1: 0.5}}
    table = pd.DataFrame(
        {"order": order, "seed": seed, "score": score}
        for order, runs in found.items()
        for seed, score in runs.items()
    )
    difference = paired(table, "order", "a", "b", "score")
    assert difference.mean == pytest.approx(0.2) and difference.n == 3
    assert [difference.low, difference.high] == pytest.approx(interval([0.1, 0.2, 0.3]))
    assert str(difference) == "+0.200 (-0.048 to +0.448, n = 3)"
    with pytest.raises(ValueError, match="share 1 seeds: two are needed"):
        paired(table[table.seed == 0], "order", "a", "b", "score")
    with pytest.raises(ValueError, match="'a' has a seed twice"):
        paired(pd.concat([table, table[:1]]), "order", "a", "b", "score")


def test_a_bootstrap_over_equal_images_has_no_width_and_over_unequal_ones_has():
    equal = np.tile([[8, 2], [2, 8]], (20, 1, 1))
    assert bootstrap_mean_iou(equal) == pytest.approx((2 / 3, 2 / 3))
    mixed = np.array([[[9, 1], [1, 9]], [[5, 5], [5, 5]]] * 20)
    low, high = bootstrap_mean_iou(mixed)
    assert low < 7 / 13 < high and high - low < 0.3  # all together: [7, 3], [3, 7]
    assert bootstrap_mean_iou(mixed) == (low, high)  # the same seed, the same numbers


def test_a_line_has_the_band_of_a_regression():
    rng = np.random.default_rng(1)
    x = np.arange(12.0)
    y = 1 - 0.3 * x + rng.normal(0, 0.2, 12)
    line, known = Line.through(x, y), stats.linregress(x, y)
    assert (line.slope, line.at_zero) == pytest.approx((known.slope, known.intercept))
    mean, low, high = line.at([0, 5.5])
    # At x = 0 the band is that of the intercept, which scipy gives.
    half = stats.t.ppf(0.975, 10) * known.intercept_stderr
    assert [mean[0] - low[0], high[0] - mean[0]] == pytest.approx([half, half])
    assert high[1] - low[1] < high[0] - low[0]  # narrowest in the middle
    with pytest.raises(ValueError, match="three points"):
        Line.through([0, 1], [0, 1])
