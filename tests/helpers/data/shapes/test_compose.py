"""The composed images: what is in them, and that they are always the same."""

import numpy as np
import pytest

from helpers.data import VOID
from helpers.data.shapes import CLASS_NAMES, draw_pair


@pytest.fixture(scope="module")
def masks():
    """200 masks at half of VOC's size: the same compositions, a quarter of the time."""
    return [draw_pair(i, (188, 250))[1] for i in range(200)]


def test_an_image_is_uint8_and_its_mask_holds_ids():
    for i in range(12):
        image, mask = draw_pair(i)
        assert image.dtype == mask.dtype == np.uint8
        assert image.shape == (*mask.shape, 3)
        assert mask.shape in {(375, 500), (500, 375), (334, 500), (500, 334)}
        assert set(np.unique(mask)) <= {*range(len(CLASS_NAMES)), VOID}
        assert {0, VOID} < set(np.unique(mask))


def test_an_image_does_not_depend_on_what_was_drawn_before():
    alone = draw_pair(5, (96, 128))
    for i in (9, 3):
        draw_pair(i, (96, 128))
    np.random.default_rng().random()
    again = draw_pair(5, (96, 128))
    assert np.array_equal(alone[0], again[0]) and np.array_equal(alone[1], again[1])
    assert not np.array_equal(alone[0], draw_pair(6, (96, 128))[0])


@pytest.mark.slow
def test_background_is_about_seventy_percent(masks):
    counts = sum(np.bincount(mask.ravel(), minlength=256) for mask in masks)
    assert 0.65 < counts[0] / counts.sum() < 0.75
    assert 0.65 < counts[0] / (counts.sum() - counts[VOID]) < 0.75
    assert 0.02 < counts[VOID] / counts.sum() < 0.08


def test_classes_run_from_common_to_rare(masks):
    seen = np.mean([[(mask == k).any() for k in range(len(CLASS_NAMES))] for mask in masks], axis=0)
    assert seen[0] == 1
    assert seen[1:].min() >= 0.08
    assert seen[1:].max() >= 2.5 * seen[1:].min()


def test_sizes_and_orientations_are_mixed(masks):
    upright = np.mean([mask.shape[0] > mask.shape[1] for mask in masks])
    assert 0.15 < upright < 0.35
    assert len({mask.shape for mask in masks}) == 4
    objects = np.array([1 - (mask == 0).mean() for mask in masks])
    assert objects.min() < 0.03 and objects.max() > 0.6


def test_every_object_has_a_void_border(masks):
    """Two different classes, background included, never touch without void between them."""
    for mask in masks:
        for a, b in ((mask[1:], mask[:-1]), (mask[:, 1:], mask[:, :-1])):
            touching = (a != b) & (a != VOID) & (b != VOID) & ((a == 0) | (b == 0))
            assert not touching.any()
