"""Rows of a share, gradients of unequal parts, rounds on all disks: right and usual answers."""

import numpy as np
import pytest

from helpers.exercises import distributed
from tests.support import assert_accepted, assert_turned_down, checks_of, mistakes, right_answers


def rows(n_images, process, n_processes):
    return [*range(process, n_images // n_processes * n_processes, n_processes)]


def last_of_all(saved):
    return max(set.intersection(*saved), default=0)


CASES = {
    distributed.check_my_rows: (
        rows,
        [
            (lambda n, k, of: [*range(k, n, of)], "4 to 5 rows"),
            (lambda n, k, of: [*range(n // of)], "in two shares"),
            (lambda n, k, of: [k] if k < n else [], "each could have 4 rows"),
            (lambda n, k, of: [n + row for row in rows(n, k, of)], "not in the list"),
            (lambda n, k, of: None, "TypeError"),
        ],
    ),
    distributed.check_mean_gradient: (
        lambda parts, counts: np.average(parts, axis=0, weights=counts),
        [
            (lambda parts, counts: np.mean(parts, axis=0), "pulls harder"),
            (lambda parts, counts: np.sum(parts, axis=0), "should be"),
        ],
    ),
    distributed.check_round_to_resume: (
        last_of_all,
        [
            (lambda saved: max(max(rounds, default=0) for rounds in saved), "is not on every disk"),
            (lambda saved: max(saved[0], default=0), "your answer is 1, and that round is not"),
            (lambda saved: min(min(rounds, default=0) for rounds in saved), "your answer is 4"),
        ],
    ),
}


def test_every_check_has_its_case():
    assert set(CASES) == checks_of(distributed)


@pytest.mark.parametrize(("check", "answer"), right_answers(CASES))
def test_the_right_answer_is_accepted(check, answer, capsys):
    assert_accepted(check, answer, capsys)


def test_blocks_of_rows_are_right_too(capsys):
    blocks = lambda n, k, of: [*range(k * (n // of), (k + 1) * (n // of))]  # noqa: E731
    assert_accepted(distributed.check_my_rows, blocks, capsys)


@pytest.mark.parametrize(("check", "answer", "words"), mistakes(CASES))
def test_a_mistake_is_turned_down_with_a_hint(check, answer, words, capsys):
    assert_turned_down(check, answer, words, capsys)
