"""Every check accepts the right answer and turns down the mistakes that people make."""

import functools

import numpy as np
import pytest

from helpers import exercises
from helpers.dataset import VOID


def keep_all_in_a_list(readers, height, width):
    return np.asarray([read() for read in readers])


def stack_in_place(readers, height, width):
    pictures = np.empty((len(readers), height, width, 3), np.uint8)
    for k, read in enumerate(readers):
        pictures[k] = read()
    return pictures


def in_place_on_the_input(images):
    images //= 2
    return images.astype(np.float32)


def interpolate_at_pixel_corners(values):
    places = np.linspace(0, len(values) - 1, 2 * len(values))
    return np.interp(places, np.arange(len(values)), values)


def spread_bilinearly(values):
    result = np.zeros(2 * len(values) + 2)
    for k, value in enumerate(values):
        result[2 * k : 2 * k + 4] += value * np.array([0.25, 0.75, 0.75, 0.25])
    return result[1:-1]


def iou(matrix, k):
    return matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum() - matrix[k, k])


CASES = {
    exercises.check_bytes_needed: (
        lambda n, h, w, c, t: n * h * w * c * np.dtype(t).itemsize,
        [
            lambda n, h, w, c, t: n * h * w * c,
            lambda n, h, w, c, t: n * h * w * 3 * np.dtype(t).itemsize,
            lambda n, h, w, c, t: 8 * n * h * w * c,
            lambda n, h, w, c, t: None,
        ],
    ),
    exercises.check_to_unit_range: (
        lambda images: images / np.float32(255),
        [
            lambda images: images / 255.0,
            lambda images: (images / 255.0).astype(np.float32),
            lambda images: images.astype(np.float32),
            lambda images: (images // 255).astype(np.float32),
            in_place_on_the_input,
        ],
    ),
    exercises.check_stack: (
        stack_in_place,
        [
            keep_all_in_a_list,
            lambda readers, h, w: [read() for read in readers],
            lambda readers, h, w: np.zeros((len(readers), h, w, 3), np.uint8),
            lambda readers, h, w: stack_in_place(readers, h, w).astype(np.float32),
        ],
    ),
    exercises.check_count_rounds: (
        lambda n, window, stride: (n - window) // stride + 1,
        [
            lambda n, window, stride: n // stride,
            lambda n, window, stride: (n - window) // stride,
            lambda n, window, stride: -(-(n - window) // stride) + 1,
        ],
    ),
    exercises.check_slots_to_fill: (
        lambda r, window, stride: [(r * stride + window + k) % window for k in range(stride)],
        [
            lambda r, window, stride: range(stride),
            lambda r, window, stride: [r * stride + k for k in range(stride)],
            lambda r, window, stride: [(r * stride + k + 1) % window for k in range(stride)],
        ],
    ),
    exercises.check_largest_window: (
        lambda budget, h, w: 10 * (budget // (11 * h * w * 4)),
        [
            lambda budget, h, w: budget // (h * w * 4),
            lambda budget, h, w: 10 * (budget // (10 * h * w * 4)),
            lambda budget, h, w: 10 * (budget // (11 * h * w * 3)),
        ],
    ),
    exercises.check_score_map_sides: (
        lambda side: [side // 8, side // 16, side // 32],
        [lambda side: [side // 32, side // 16, side // 8], lambda side: [12, 6, 3]],
    ),
    exercises.check_valid_accuracy: (
        lambda truth, found: (truth == found)[truth != VOID].mean(),
        [
            lambda truth, found: (truth == found).mean(),
            lambda truth, found: ((truth == found) | (truth == VOID)).mean(),
            lambda truth, found: 0.75,
        ],
    ),
    exercises.check_double: (
        spread_bilinearly,
        [functools.partial(np.repeat, repeats=2), interpolate_at_pixel_corners],
    ),
    exercises.check_iou_of_class: (
        iou,
        [
            lambda matrix, k: matrix[k, k] / matrix[k].sum(),
            lambda matrix, k: matrix[k, k] / matrix[:, k].sum(),
            lambda matrix, k: matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum()),
        ],
    ),
    exercises.check_mean_iou: (
        lambda matrix: np.mean([iou(matrix, k) for k in range(4)]),
        [
            lambda matrix: np.sum([iou(matrix, k) for k in range(4)]) / 5,
            lambda matrix: np.mean([iou(matrix, k) for k in range(3)]),
            lambda matrix: np.trace(matrix) / matrix.sum(),
            lambda matrix: np.mean([matrix[k, k] / matrix[k].sum() for k in range(3)]),
        ],
    ),
    exercises.check_fool_accuracy: (
        np.zeros_like,
        [lambda truth: truth, np.ones_like, lambda truth: np.zeros(3)],
    ),
}


def test_every_check_has_its_case():
    checks = {getattr(exercises, name) for name in dir(exercises) if name.startswith("check_")}
    assert set(CASES) == checks


@pytest.mark.parametrize("check", CASES, ids=lambda check: check.__name__)
def test_the_right_answer_passes(check, capsys):
    assert check(CASES[check][0]) is True
    assert capsys.readouterr().out == "Right!\n"


MISTAKES = [(check, wrong) for check, (_, mistakes) in CASES.items() for wrong in mistakes]


@pytest.mark.parametrize(
    ("check", "wrong"),
    MISTAKES,
    ids=[f"{check.__name__}-{k}" for k, (check, _) in enumerate(MISTAKES)],
)
def test_a_mistake_is_turned_down_with_a_hint(check, wrong, capsys):
    assert check(wrong) is False
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ") and len(said) > 30


def test_an_answer_that_raises_is_reported_not_raised(capsys):
    def broken(*_):
        raise RuntimeError("boom")

    assert exercises.check_count_rounds(broken) is False
    assert "RuntimeError: boom" in capsys.readouterr().out
