"""The seven objects: each one covers what the table says, and no two look alike."""

import numpy as np
import pytest

from helpers.data.shapes.cutouts import OBJECTS
from helpers.data.shapes.paper import Cutout

NAMES = [name for name, *_ in OBJECTS]


def drawn(drawer, seed, radius=50, angle=0.0, mirrored=False):
    paper = Cutout(radius, angle, mirrored)
    drawer(paper, np.random.default_rng(seed))
    return paper.finish()


def test_the_table_is_in_order():
    assert len(set(NAMES)) == len(OBJECTS) == 7
    odds = [weight for _, _, weight, _, _ in OBJECTS]
    assert odds == sorted(odds, reverse=True) and sum(odds) == pytest.approx(1, abs=0.02)
    assert all(0 < turn <= np.pi for *_, turn, _ in OBJECTS)


@pytest.mark.parametrize(("name", "drawer", "_", "turn", "filled"), OBJECTS, ids=NAMES)
def test_an_object_fills_what_the_table_says_and_stays_on_its_sheet(name, drawer, _, turn, filled):
    shares = []
    for seed in range(8):
        angle = turn * (seed / 4 - 1)
        colour, alpha = drawn(drawer, seed, angle=angle, mirrored=seed % 2)
        assert (alpha > 0.5).any() and colour.max() > 60
        # A tail may leave the sheet by a little, an outline may not.
        border = np.concatenate([alpha[[0, -1]].ravel(), alpha[:, [0, -1]].ravel()])
        assert (border > 0).mean() < 0.03
        shares.append((alpha > 0.5).sum() / (2 * 50) ** 2)
    assert np.mean(shares) == pytest.approx(filled, rel=0.4)


@pytest.mark.parametrize(("name", "drawer"), [row[:2] for row in OBJECTS], ids=NAMES)
def test_an_object_depends_on_its_generator_alone(name, drawer):
    first, again, other = (drawn(drawer, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_objects_differ_in_shape():
    shapes = [drawn(drawer, 0)[1] > 0.5 for _, drawer, *_ in OBJECTS]
    for k, shape in enumerate(shapes):
        for other in shapes[:k]:
            assert (shape & other).sum() / (shape | other).sum() < 0.85


def test_between_the_spokes_of_a_wheel_is_nothing():
    _, alpha = drawn(dict(row[:2] for row in OBJECTS)["wheel"], 0)
    middle, sides = len(alpha) // 2, np.arange(0, 2 * np.pi, 0.02)
    ring = alpha[
        (middle + 22 * np.sin(sides)).astype(int), (middle + 22 * np.cos(sides)).astype(int)
    ]
    assert ring.min() == 0 and ring.max() == 1
