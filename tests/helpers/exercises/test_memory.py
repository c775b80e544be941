"""Bytes predicted, and arrays without a second copy: the right answers and the usual mistakes."""

import numpy as np
import pytest

from helpers.exercises import memory
from tests.support import assert_accepted, assert_turned_down, checks_of, mistakes, right_answers


def keep_all_in_a_list(readers, height, width):
    return np.asarray([read() for read in readers])


def stack_in_place(readers, height, width):
    images = np.empty((len(readers), height, width, 3), np.uint8)
    for k, read in enumerate(readers):
        images[k] = read()
    return images


def in_place_on_the_input(images):
    images //= 2
    return images.astype(np.float32)


def bytes_needed(n, h, w, c, t, one_hot=None):
    return n * h * w * (c * np.dtype(t).itemsize + (4 * one_hot if one_hot else 1))


def unit_range(stack):
    return stack / np.float32(np.iinfo(stack.dtype).max)


CASES = {
    memory.check_bytes_needed: (
        bytes_needed,
        [
            lambda n, h, w, c, t, one_hot: n * h * w * c * np.dtype(t).itemsize,
            (lambda n, h, w, c, t, one_hot: n * h * w * (c + 1), "a number of uint16 has 2"),
            lambda n, h, w, c, t, one_hot: bytes_needed(n, h, w, 3, t, one_hot),
            lambda n, h, w, c, t, one_hot: bytes_needed(n, h, w, c, t),
            lambda n, h, w, c, t, one_hot: None,
        ],
    ),
    memory.check_to_unit_range: (
        unit_range,
        [
            lambda stack: stack / 255.0,
            lambda stack: stack / np.float32(255),
            lambda stack: stack / np.iinfo(stack.dtype).max,
            lambda stack: (stack / np.iinfo(stack.dtype).max).astype(np.float32),
            lambda stack: stack.astype(np.float32),
            lambda stack: (stack // 255).astype(np.float32),
            in_place_on_the_input,
        ],
    ),
    memory.check_stack: (
        stack_in_place,
        [
            keep_all_in_a_list,
            (lambda readers, h, w: [read() for read in readers], "this is a list"),
            (lambda readers, h, w: np.zeros((len(readers), h, w, 3), np.uint8), "are not those"),
            (lambda readers, h, w: stack_in_place(readers, h, w) / 1.0, "yours is float64"),
            (lambda readers, h, w: stack_in_place(readers[1:], h, w), "yours is (63,"),
        ],
    ),
}


def test_every_check_has_its_case():
    assert set(CASES) == checks_of(memory)


@pytest.mark.parametrize(("check", "answer"), right_answers(CASES))
def test_the_right_answer_is_accepted(check, answer, capsys):
    assert_accepted(check, answer, capsys)


@pytest.mark.parametrize(("check", "answer", "words"), mistakes(CASES))
def test_a_mistake_is_turned_down_with_a_hint(check, answer, words, capsys):
    assert_turned_down(check, answer, words, capsys)
