"""The six backgrounds: sheets of paper, at any size, from their generator alone."""

import numpy as np
import pytest

from helpers.data.shapes.scenes import SCENES, blend, disc, gradient, layer, shades, waves

by_scene = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)


def rng(seed=0):
    return np.random.default_rng(seed)


@by_scene
@pytest.mark.parametrize("size", [(48, 64), (64, 48), (120, 160), (33, 32)])
def test_a_scene_fills_its_sheet(scene, size):
    sheet = scene(*size, rng())
    assert sheet.shape == (*size, 3) and sheet.dtype == np.float32
    assert np.isfinite(sheet).all()
    # Brighter than white is cut off when the image becomes bytes; more than a little would show.
    assert sheet.min() > -1 and sheet.max() < 275
    assert sheet.std(axis=(0, 1)).min() > 5


@by_scene
def test_a_scene_depends_on_its_generator_alone(scene):
    first, again, other = (scene(48, 64, rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 10


def test_scenes_differ():
    assert len(SCENES) == len({scene.__name__ for scene in SCENES}) == 6
    sheets = [scene(48, 64, rng()) for scene in SCENES]
    for k, sheet in enumerate(sheets):
        assert all(np.abs(sheet - other).mean() > 10 for other in sheets[:k])


# What they are laid of


def test_a_gradient_goes_from_top_to_bottom():
    sheet = gradient(5, 3, (0, 0, 0), (100, 200, 40))
    assert sheet.shape == (5, 3, 3) and sheet.dtype == np.float32
    np.testing.assert_array_equal(sheet[[0, 2, 4], 1], [(0, 0, 0), (50, 100, 20), (100, 200, 40)])
    np.testing.assert_array_equal(shades(5, (0, 0, 0), (100, 200, 40))[:, 0], sheet[:, 0])


def test_a_colour_is_laid_over_a_sheet():
    sheet = np.full((1, 3, 3), 100, np.float32)
    blend(sheet, np.array([[0, 0.5, 1]], np.float32), (200, 100, 0))
    np.testing.assert_array_equal(sheet[0], [(100, 100, 100), (150, 100, 50), (200, 100, 0)])


def test_a_disc_is_round_and_its_halo_wider():
    plain, glowing = np.zeros((41, 41, 3), np.float32), np.zeros((41, 41, 3), np.float32)
    disc(plain, 20, 20, 8, (255, 0, 0))
    disc(glowing, 20, 20, 8, (255, 0, 0), glow=1.5)
    assert plain[..., 0].sum() / 255 == pytest.approx(np.pi * 8**2, rel=0.02)
    assert plain[20, 20, 0] == glowing[20, 20, 0] == 255 and not plain[..., 1:].any()
    assert plain[20, 35, 0] == 0 < glowing[20, 35, 0]


def test_a_layer_covers_what_lies_below_its_edge_and_shades_what_is_behind():
    sheet = np.full((100, 8, 3), 200, np.float32)
    layer(sheet, np.full(8, 60.0), (50, 50, 50), (10, 10, 10))
    assert (sheet[:40] > 195).all() and (sheet[65:] <= 50).all()
    assert sheet[58, 0, 0] < 190 and (np.diff(sheet[65:, 0, 0]) < 0).all()
    np.testing.assert_allclose(sheet[-1], 10)


@pytest.mark.parametrize("line", [-20.0, 120.0])
def test_an_edge_outside_the_sheet(line):
    sheet = np.full((100, 8, 3), 200, np.float32)
    layer(sheet, np.full(8, line), (50, 50, 50), (10, 10, 10))
    assert (sheet <= 50).all() if line < 0 else (sheet > 195)[:90].all()


def test_waves_swing_around_their_base():
    line = waves(rng(), 400, base=50, swing=10, cycles=2)
    assert line.shape == (400,)
    assert np.abs(line - 50).max() <= 10 * (1 + 0.55 + 0.55**2) and np.ptp(line) > 10
