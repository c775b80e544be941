"""Windows, slots and budgets: the right answers and the usual mistakes."""

import pytest

from helpers.exercises import windows
from tests.support import assert_accepted, assert_turned_down, checks_of, mistakes, right_answers

CASES = {
    windows.check_count_rounds: (
        lambda n, window, stride: (n - window) // stride + 1,
        [
            lambda n, window, stride: n // stride,
            lambda n, window, stride: (n - window) // stride,
            lambda n, window, stride: -(-(n - window) // stride) + 1,
        ],
    ),
    windows.check_slots_to_fill: (
        lambda r, window, stride: [(r * stride + window + k) % window for k in range(stride)],
        [
            lambda r, window, stride: range(stride),
            lambda r, window, stride: [r * stride + k for k in range(stride)],
            lambda r, window, stride: [(r * stride + k + 1) % window for k in range(stride)],
        ],
    ),
    windows.check_largest_window: (
        lambda budget, h, w: 10 * (budget // (11 * h * w * 4)),
        [
            lambda budget, h, w: budget // (h * w * 4),
            lambda budget, h, w: 10 * (budget // (10 * h * w * 4)),
            lambda budget, h, w: 10 * (budget // (11 * h * w * 3)),
        ],
    ),
}


def test_every_check_has_its_case():
    assert set(CASES) == checks_of(windows)


@pytest.mark.parametrize(("check", "answer"), right_answers(CASES))
def test_the_right_answer_is_accepted(check, answer, capsys):
    assert_accepted(check, answer, capsys)


@pytest.mark.parametrize(("check", "answer", "words"), mistakes(CASES))
def test_a_mistake_is_turned_down_with_a_hint(check, answer, words, capsys):
    assert_turned_down(check, answer, words, capsys)
