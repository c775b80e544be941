"""Shares side by side: the batches of several processes in one."""

import numpy as np
import pytest

from helpers.windows import Geometry, SideBySide, SlidingSubset
from tests.support import tiny_workshop


def shares_of(n):
    workshop = tiny_workshop()
    shares = [workshop.share(process, n) for process in range(n)]
    return [SlidingSubset(share.train, share.geometry, share.augment) for share in shares]


def test_a_step_has_the_batches_of_all_in_order():
    with SideBySide(shares_of(2)) as together:
        images, masks = together[3]
        for k, subset in enumerate(shares_of(2)):
            with subset:
                part = slice(k * len(subset[3][0]), (k + 1) * len(subset[3][0]))
                assert np.array_equal(images[part], subset[3][0])
                assert np.array_equal(masks[part], subset[3][1])
        assert together.num_batches is None
        assert (len(together), together.n_rounds) == (len(subset), subset.n_rounds)
        assert together.steps_per_round == subset.steps_per_round
        assert together.decoded == sum(s.decoded for s in together.subsets) > 0
        assert together.nbytes == sum(s.nbytes for s in together.subsets) > 0
    assert all(subset.closed for subset in together.subsets)


def test_in_one_round_all_images_of_all_windows_come_once_a_pass():
    subsets = shares_of(2)
    windows = {pair.id for s in subsets for pair in s.index[s.geometry.rows(0)]}
    assert len(windows) == 2 * subsets[0].geometry.window


def test_other_numbers_of_steps_are_refused():
    index = tiny_workshop().train
    subsets = [
        SlidingSubset(index, Geometry(len(index), window, 2, (16, 16))) for window in (10, 20)
    ]
    with pytest.raises(ValueError, match="different numbers of steps"):
        SideBySide(subsets)
