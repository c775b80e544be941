"""Whole groups held out, and labels with sides: right answers and usual mistakes."""

import numpy as np
import pytest

from helpers.exercises import data
from tests.support import assert_accepted, assert_turned_down, checks_of, mistakes, right_answers


def by_group(groups, share, seed, count_groups=False):
    names, chosen = np.array(groups), []
    for name in np.random.default_rng(seed).permutation(np.unique(names)):
        rows = np.flatnonzero(names == name).tolist()
        if count_groups:
            enough = len({*names[chosen]}) >= share * len({*names})
        else:
            enough = abs(len(chosen + rows) - share * len(names)) >= abs(
                len(chosen) - share * len(names)
            )
        chosen += [] if enough else rows
    return [row for row in range(len(names)) if row not in chosen], chosen


def by_image(groups, share, seed):
    rows = np.random.default_rng(seed).permutation(len(groups)).tolist()
    return rows[int(share * len(rows)) :], rows[: int(share * len(rows))]


def hands(images, masks):
    ids = np.arange(256, dtype=np.uint8)
    ids[[1, 2]] = 2, 1
    return images[:, :, ::-1], ids[masks[:, :, ::-1]]


def one_way(images, masks):
    masks = masks[:, :, ::-1].copy()
    masks[masks == 1] = 2
    masks[masks == 2] = 1
    return images[:, :, ::-1], masks


def by_subtraction(images, masks):
    return images[:, :, ::-1], np.where(masks == 0, 0, 3 - masks)[:, :, ::-1]


def equal_in_sum(pixels):
    there = pixels > 0
    return np.where(there, pixels.sum() / (there.sum() * np.maximum(pixels, 1)), 0)


CASES = {
    data.check_split_by_group: (
        by_group,
        [
            (by_image, "on both sides"),
            (lambda groups, share, seed: by_group(groups, share, 0), "every seed gives the same"),
            (lambda groups, share, seed: by_group(groups, 2 * share, seed), "were asked for"),
            (
                lambda groups, share, seed: by_group(groups, share, seed, count_groups=True),
                "count images",
            ),
            (lambda groups, share, seed: ([0], [1]), "has to be in one of the two"),
        ],
    ),
    data.check_mirror_hands: (
        hands,
        [
            (lambda images, masks: (images[:, :, ::-1], masks[:, :, ::-1]), "still called left"),
            (lambda images, masks: (images, hands(images, masks)[1]), "not mirrored"),
            (one_way, "have to be exchanged"),
            (by_subtraction, "void has to stay void"),
        ],
    ),
    data.check_tile_starts: (
        lambda length, tile, overlap: [*range(0, length - tile, tile - overlap), length - tile],
        [
            (lambda length, tile, overlap: [*range(0, length, tile)], "beyond 10"),
            (lambda length, tile, overlap: [*range(0, length - tile, tile - overlap)], "nothing"),
            (
                lambda length, tile, overlap: [*range(0, length - tile, tile), length - tile],
                "were asked",
            ),
            (lambda length, tile, overlap: [*range(length - tile + 1)], "3 are enough"),
            (lambda length, tile, overlap: [length - tile], "begin with 0"),
        ],
    ),
    data.check_class_weights: (
        equal_in_sum,
        [
            (lambda pixels: 1 / pixels, "not 1"),
            (lambda pixels: equal_in_sum(np.maximum(pixels, 1)), "without pixels"),
            (lambda pixels: np.ones(len(pixels)), "make them equal"),
            (lambda pixels: 1.0, "one for each class"),
        ],
    ),
}


def test_every_check_has_its_case():
    assert set(CASES) == checks_of(data)


@pytest.mark.parametrize(("check", "answer"), right_answers(CASES))
def test_the_right_answer_is_accepted(check, answer, capsys):
    assert_accepted(check, answer, capsys)


@pytest.mark.parametrize(("check", "answer", "words"), mistakes(CASES))
def test_a_mistake_is_turned_down_with_a_hint(check, answer, words, capsys):
    assert_turned_down(check, answer, words, capsys)
