"""Score maps, void and upsampling: the right answers and the usual mistakes."""

import functools

import numpy as np
import pytest

from helpers.data import VOID
from helpers.exercises import network
from tests.support import assert_accepted, assert_turned_down, checks_of, mistakes, right_answers


def interpolate_at_pixel_corners(values):
    places = np.linspace(0, len(values) - 1, 2 * len(values))
    return np.interp(places, np.arange(len(values)), values)


def spread_bilinearly(values):
    result = np.zeros(2 * len(values) + 2)
    for k, value in enumerate(values):
        result[2 * k : 2 * k + 4] += value * np.array([0.25, 0.75, 0.75, 0.25])
    return result[1:-1]


CASES = {
    network.check_score_map_sides: (
        lambda side: [side // 8, side // 16, side // 32],
        [lambda side: [side // 32, side // 16, side // 8], lambda side: [12, 6, 3]],
    ),
    network.check_valid_accuracy: (
        lambda truth, found: (truth == found)[truth != VOID].mean(),
        [
            lambda truth, found: (truth == found).mean(),
            lambda truth, found: ((truth == found) | (truth == VOID)).mean(),
            lambda truth, found: 0.75,
        ],
    ),
    network.check_double: (
        spread_bilinearly,
        [functools.partial(np.repeat, repeats=2), interpolate_at_pixel_corners],
    ),
}


def test_every_check_has_its_case():
    assert set(CASES) == checks_of(network)


@pytest.mark.parametrize(("check", "answer"), right_answers(CASES))
def test_the_right_answer_is_accepted(check, answer, capsys):
    assert_accepted(check, answer, capsys)


@pytest.mark.parametrize(("check", "answer", "words"), mistakes(CASES))
def test_a_mistake_is_turned_down_with_a_hint(check, answer, words, capsys):
    assert_turned_down(check, answer, words, capsys)
