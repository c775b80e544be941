"""Leaks counted, avoided and found: the right answers and the usual mistakes."""

import numpy as np
import pytest

from helpers.exercises import claims
from helpers.windows import split_windows
from tests.support import assert_accepted, assert_turned_down, checks_of, mistakes, right_answers


def count_leaked(splits):
    trained, counts = set(), []
    for train, validation in splits:
        counts.append(sum(row in trained for row in validation))
        trained |= set(train)
    return counts


def count_leaked_from_the_last_round(splits):
    pairs = zip([((), ()), *splits[:-1]], splits, strict=True)
    return [sum(row in set(last[0]) for row in now[1]) for last, now in pairs]


def split_without_leak(n_images, windows, share, seed):
    held = np.random.default_rng(seed).random(n_images) < share
    rows = [np.arange(window.start, window.stop) for window in windows]
    return [(these[~held[these]], these[held[these]]) for these in rows]


def split_each_window(n_images, windows, share, seed):
    return split_windows(windows, share, seed)


def hold_out_the_first(n_images, windows, share, seed):
    rows = [np.arange(window.start, window.stop) for window in windows]
    first = share * n_images
    return [(these[these >= first], these[these < first]) for these in rows]


CASES = {
    claims.check_count_leaked: (
        count_leaked,
        [
            (count_leaked_from_the_last_round, "you look one round back"),
            (lambda splits: [len(validation) for _, validation in splits], "that is all of them"),
            (lambda splits: [0 for _ in splits[1:]], "rounds need"),
            lambda splits: [0 for _ in splits],
        ],
    ),
    claims.check_split_without_leak: (
        split_without_leak,
        [
            (split_each_window, "Decide once for each row"),
            (hold_out_the_first, "nothing to validate on"),
            (lambda n, w, share, seed: split_without_leak(n, w, share, 0), "another seed"),
            (lambda n, w, share, seed: split_without_leak(n, w, 0.9, seed), "rows are held out"),
            (lambda n, w, share, seed: split_without_leak(n, w, share, seed)[1:], "as many"),
        ],
    ),
    claims.check_leaky_snippets: (
        {"A", "C"},
        [{"A"}, ({"A", "B"}, "B does not leak"), {"A", "B", "C"}, "D", set()],
    ),
}


def test_every_check_has_its_case():
    assert set(CASES) == checks_of(claims)


@pytest.mark.parametrize(("check", "answer"), right_answers(CASES))
def test_the_right_answer_is_accepted(check, answer, capsys):
    assert_accepted(check, answer, capsys)


@pytest.mark.parametrize(("check", "answer", "words"), mistakes(CASES))
def test_a_mistake_is_turned_down_with_a_hint(check, answer, words, capsys):
    assert_turned_down(check, answer, words, capsys)
