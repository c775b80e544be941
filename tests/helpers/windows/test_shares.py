"""Shares of a list: nothing twice, nothing lost but what is named, equally many steps for all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.windows import Geometry, geometry_of_share, rows_left_over, rows_of_share

PROCESSES = st.integers(1, 1024)


@given(n_images=st.integers(0, 50_000), n=PROCESSES)
def test_the_shares_and_what_is_left_over_are_the_list_once(n_images, n):
    n_images += n
    shares = [rows_of_share(n_images, process, n) for process in range(n)]
    left = rows_left_over(n_images, n)
    assert {len(share) for share in shares} == {n_images // n}
    assert len(left) < n
    assert sorted(row for rows in (*shares, left) for row in rows) == [*range(n_images)]


@given(
    n=PROCESSES,
    window=st.integers(0, 300),
    more=st.integers(0, 3000),
    stride=st.integers(1, 300),
    batch_size=st.integers(1, 64),
)
def test_all_processes_take_equally_many_steps_and_show_each_image_of_a_window_once(
    n, window, more, stride, batch_size
):
    whole = Geometry(n + window + more, n + window, stride, (8, 8), batch_size, passes=2)
    first, last = (geometry_of_share(whole, process, n) for process in (0, n - 1))
    assert first.n_steps == last.n_steps
    assert first.window * n <= whole.window and first.batch_size * n >= batch_size
    for round_ in {0, first.n_rounds - 1}:
        for pass_ in range(first.passes):
            assert sorted(last.order(round_, pass_)) == last.rows(round_).tolist()


def test_what_divides_is_divided_and_one_process_has_everything():
    whole = Geometry(580, 200, 20, (128, 128), batch_size=16, seed=3)
    half = geometry_of_share(whole, 1, 2)
    assert (half.n_images, half.window, half.stride, half.batch_size) == (290, 100, 10, 8)
    assert (half.n_rounds, half.steps_per_round) == (whole.n_rounds, whole.steps_per_round)
    assert half.nbytes * 2 == whole.nbytes
    assert geometry_of_share(whole, 0, 1) == whole
    assert rows_left_over(580, 3) == range(579, 580)


def test_each_process_draws_its_own_orders():
    whole = Geometry(580, 200, 20, (128, 128))
    orders = [geometry_of_share(whole, process, 2).order(0, 0) for process in (0, 1)]
    assert not np.array_equal(*orders)


@pytest.mark.parametrize("process", [-1, 2])
def test_a_process_that_there_is_not_is_named(process):
    with pytest.raises(ValueError, match=f"no process {process} of 2: they are 0 to 1"):
        rows_of_share(10, process, 2)


def test_more_processes_than_images_are_an_error():
    with pytest.raises(ValueError, match="3 images cannot be shared among 4"):
        rows_of_share(3, 0, 4)
    with pytest.raises(ValueError, match="window of 3 images cannot be shared among 4"):
        geometry_of_share(Geometry(40, 3, 1, (8, 8)), 0, 4)
