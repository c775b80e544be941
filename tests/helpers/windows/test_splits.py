"""The leakage in the article's validation: the splits, the count and the arithmetic."""

import numpy as np
import pytest

from helpers.windows.geometry import Window, sliding_windows
from helpers.windows.splits import (
    expected_leaked_shares,
    leaked_shares,
    split_windows,
    split_windows_once,
)

ARTICLE = sliding_windows(2913, 1000, 100)


def test_a_split_holds_each_row_of_its_window_once_and_a_tenth_for_validation():
    for window, (train, validation) in zip(ARTICLE, split_windows(ARTICLE), strict=True):
        assert (len(train), len(validation)) == (900, 100)
        rows = np.sort(np.concatenate([train, validation]))
        assert np.array_equal(rows, np.arange(window.start, window.stop))


def test_splits_differ_from_round_to_round_and_depend_on_the_seed():
    same = [Window(0, 0, 50), Window(1, 0, 50)]
    (_, one), (_, other) = split_windows(same, 0.5, seed=3)
    assert not np.array_equal(np.sort(one), np.sort(other))
    assert np.array_equal(one, split_windows(same, 0.5, seed=3)[0][1])
    assert not np.array_equal(one, split_windows(same, 0.5, seed=4)[0][1])


def test_the_repaired_split_decides_once_for_each_row():
    splits = split_windows_once(ARTICLE, 0.1, seed=3)
    train, validation = (set(np.concatenate(parts).tolist()) for parts in zip(*splits, strict=True))
    assert not train & validation and train | validation == set(range(2900))
    assert leaked_shares(splits) == [0] * 20
    for window, (kept, held) in zip(ARTICLE, splits, strict=True):
        assert (len(kept), len(held)) == (900, 100)
        rows = np.sort(np.concatenate([kept, held]))
        assert np.array_equal(rows, np.arange(window.start, window.stop))


def test_the_repaired_split_takes_one_row_of_each_ten_and_depends_on_the_seed():
    ((_, held),) = split_windows_once([Window(0, 0, 50)], 0.1, seed=3)
    assert (held // 10).tolist() == [0, 1, 2, 3, 4]
    assert len({tuple(split_windows_once([Window(0, 0, 50)], 0.1, k)[0][1]) for k in range(5)}) > 1
    with pytest.raises(ValueError, match=r"1 / 0\.3 is not a whole number"):
        split_windows_once([Window(0, 0, 50)], 0.3)


def test_counted_by_hand():
    splits = [([0, 1, 2], [3]), ([2, 3, 4], [1, 5]), ([5, 6], [3, 4]), ([7], [8])]
    assert leaked_shares(splits) == [0, 0.5, 1, 0]


def test_a_round_without_validation_is_an_error():
    with pytest.raises(ValueError, match="round 2 has no validation images"):
        leaked_shares([([0], [1]), ([0, 1], [])])


def test_the_articles_shares():
    shares = expected_leaked_shares(ARTICLE)
    assert shares[0] == 0 and shares[1] == pytest.approx(0.81)
    assert shares[4] == pytest.approx(0.88884)
    assert shares[9:] == pytest.approx([8.888888889 / 10] * 11)


def test_windows_without_overlap_do_not_leak_and_equal_windows_leak_nine_tenths():
    assert expected_leaked_shares(sliding_windows(100, 20, 20)) == [0] * 5
    assert expected_leaked_shares([Window(0, 0, 9)] * 3) == pytest.approx([0, 0.9, 0.99])


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match="validation_share"):
        expected_leaked_shares(ARTICLE, share)


@pytest.mark.parametrize(("stride", "share"), [(100, 0.1), (500, 0.1), (50, 0.3)])
def test_the_arithmetic_is_the_mean_of_many_counts(stride, share):
    windows = sliding_windows(2900, 1000, stride)
    counts = [leaked_shares(split_windows(windows, share, seed)) for seed in range(60)]
    # One count has a standard deviation of at most 0.5 / sqrt(100 images), the mean of 60
    # of them 0.0065: five of these.
    expected = expected_leaked_shares(windows, share)
    assert np.abs(np.mean(counts, axis=0) - expected).max() < 0.033
