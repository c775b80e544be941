"""A window for the RAM, hidden copies, a leaking loop: right answers and usual mistakes."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from helpers.exercises import race
from helpers.windows import SlidingSubset
from tests.support import assert_accepted, assert_turned_down, checks_of, mistakes, right_answers


def geometry_for(ram_bytes, height, width):
    rows = ram_bytes // (height * width * 4)
    if rows < 11:
        raise ValueError(f"{ram_bytes:,} bytes are too few.")
    return rows - (rows + 1) // 11, (rows - (rows + 1) // 11) // 10


def geometry_of_rows(window_of, bytes_a_pixel=4):
    """The answer in which `window_of(rows)` is wrong, or the number of bytes."""

    def answer(ram_bytes, height, width):
        window = window_of(ram_bytes // (height * width * bytes_a_pixel))
        return window, window // 10

    return answer


def geometry_where_nothing_fits(do):
    """The right answer, but for `do(ram_bytes)` where ten images and one are too many."""
    return lambda ram, h, w: do(ram) if ram < 11 * h * w * 4 else geometry_for(ram, h, w)


def refuse_without_a_name(ram_bytes):
    raise ValueError("too few bytes")


def fit(model, subset, **changes):
    usual = {"steps_per_epoch": subset.steps_per_round, "epochs": subset.n_rounds}
    model.fit(subset, shuffle=False, verbose=0, **usual | changes)


def one_fit(model, index, geometry, changes=None, **options):
    with SlidingSubset(index, geometry, **options) as subset:
        fit(model, subset, **changes or {})


def one_fit_left_open(model, index, geometry, **options):
    fit(model, SlidingSubset(index, geometry, **options))


def one_fit_with(**changes):
    """The right answer, but for another geometry."""
    return lambda model, index, geometry, **options: one_fit(
        model, index, replace(geometry, **changes), **options
    )


def a_data_set_per_window(model, index, geometry, **options):
    one_window = replace(geometry, n_images=geometry.window)
    for window in geometry.windows:
        fit(model, SlidingSubset(index[window.start : window.stop], one_window, **options))


def a_fit_per_window(model, index, geometry, **options):
    with SlidingSubset(index, geometry, **options) as subset:
        for round_ in range(subset.n_rounds):
            fit(model, subset.from_round(round_), epochs=1)


def no_fit(model, index, geometry, **options):
    SlidingSubset(index, geometry, **options)


def arrays(model, index, geometry, **options):
    size = geometry.size
    model.fit(np.zeros((2, *size, 3)), np.zeros((2, *size)), verbose=0)


CASES = {
    race.check_geometry_for: (
        geometry_for,
        [
            (geometry_of_rows(lambda rows: rows), "holds one stride of rows more"),
            (geometry_of_rows(lambda rows: rows - (rows + 1) // 11, 3), "a mask takes one byte"),
            (lambda ram, h, w: geometry_for(ram, h, h), "need not be a square"),
            (lambda ram, h, w: geometry_for(ram, h, w)[::-1], "the window comes first"),
            (lambda ram, h, w: tuple(map(float, geometry_for(ram, h, w))), "whole numbers"),
            (lambda ram, h, w: geometry_for(ram, h, w)[0], "return the pair"),
            (lambda ram, h, w: (geometry_for(ram, h, w)[0], 100), "should be window // 10"),
            (geometry_of_rows(lambda rows: 10 * (rows // 11)), "a larger window fits"),
            (geometry_of_rows(lambda rows: rows * 10 // 11), "a larger window fits"),
            (geometry_of_rows(lambda rows: -(-rows * 10 // 11)), "rows take"),
            (geometry_of_rows(lambda rows: rows, 3), "rows take"),
            (lambda ram, h, w: geometry_for(ram - 1, h, w), "stopped with ValueError"),
            (geometry_where_nothing_fits(lambda ram: (10, 1)), "raise a ValueError; your"),
            (geometry_where_nothing_fits(refuse_without_a_name), "should name the RAM, 1576959"),
        ],
    ),
    race.check_hidden_copies: (
        {5, 7, 8, 9},
        [
            (set(), "you found 0 of the 4"),
            ({5, 8, 9}, "you found 3 of the 4"),
            ({2, 5, 7, 8, 9}, "line 2 is innocent"),
            ({3, 5, 7, 8, 9}, "line 3 is innocent"),
            ({5, 6, 8, 9}, "line 6 is innocent"),
            ([5, 7, 8, 9, 10], "line 10 is innocent"),
            ({5, 7, 8, 9, 12}, "line 12 is innocent"),
            (set(range(1, 15)), "line 1 is innocent"),
            ({5, 7, 8, 9, 15}, "line numbers from 1 to 14"),
            ("5, 7, 8, 9", "answer with a set"),
        ],
    ),
    race.check_repaired_loop: (
        one_fit,
        [
            (a_data_set_per_window, "4 data sets were built"),
            (a_fit_per_window, "`fit` was called 4 times"),
            (arrays, "no data set was built"),
            (no_fit, "called 0"),
            (one_fit_with(stride=6), "`fit` ran 2 epochs of 6 steps"),
            (partial(one_fit, changes={"steps_per_epoch": 3}), "`fit` ran 4 epochs of 3 steps"),
            (one_fit_with(window=5), "of 6 steps, and 11 of 12 images"),
            (one_fit_with(window=12, passes=8), "12 images were decoded at once"),
            (partial(one_fit, changes={"steps_per_epoch": None}), "There is no step 124"),
            (one_fit_left_open, "still lies in memory"),
        ],
    ),
}


def test_every_check_has_its_case():
    assert set(CASES) == checks_of(race)


@pytest.mark.parametrize(("check", "answer"), right_answers(CASES))
def test_the_right_answer_is_accepted(check, answer, capsys):
    assert_accepted(check, answer, capsys)


@pytest.mark.parametrize(("check", "answer", "words"), mistakes(CASES))
def test_a_mistake_is_turned_down_with_a_hint(check, answer, words, capsys):
    assert_turned_down(check, answer, words, capsys)
