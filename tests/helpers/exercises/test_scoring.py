"""IoU from a confusion matrix, and a fooled accuracy: right answers and usual mistakes."""

import numpy as np
import pytest

from helpers.exercises import scoring
from tests.support import assert_accepted, assert_turned_down, checks_of, mistakes, right_answers


def iou(matrix, k):
    return matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum() - matrix[k, k])


CASES = {
    scoring.check_iou_of_class: (
        iou,
        [
            lambda matrix, k: matrix[k, k] / matrix[k].sum(),
            lambda matrix, k: matrix[k, k] / matrix[:, k].sum(),
            lambda matrix, k: matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum()),
        ],
    ),
    scoring.check_mean_iou: (
        lambda matrix: np.mean([iou(matrix, k) for k in range(4)]),
        [
            lambda matrix: np.sum([iou(matrix, k) for k in range(4)]) / 5,
            (lambda matrix: np.mean([iou(matrix, k) for k in range(5)]), "0 / 0 is nan"),
            lambda matrix: np.mean([iou(matrix, k) for k in range(3)]),
            lambda matrix: np.trace(matrix) / matrix.sum(),
            lambda matrix: np.mean([matrix[k, k] / matrix[k].sum() for k in range(3)]),
        ],
    ),
    scoring.check_fool_accuracy: (
        np.zeros_like,
        [lambda truth: truth, np.ones_like, lambda truth: np.zeros(3)],
    ),
}


def test_every_check_has_its_case():
    assert set(CASES) == checks_of(scoring)


@pytest.mark.parametrize(("check", "answer"), right_answers(CASES))
def test_the_right_answer_is_accepted(check, answer, capsys):
    assert_accepted(check, answer, capsys)


@pytest.mark.parametrize(("check", "answer", "words"), mistakes(CASES))
def test_a_mistake_is_turned_down_with_a_hint(check, answer, words, capsys):
    assert_turned_down(check, answer, words, capsys)
