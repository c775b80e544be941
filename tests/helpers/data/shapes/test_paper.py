"""Colours, curves, and the sheet that one object is drawn on."""

import numpy as np
import pytest

from helpers.data.shapes.paper import (
    PAPERS,
    TAU,
    Cutout,
    between,
    curve,
    ellipse,
    grain,
    paper_colour,
    pick,
    tint,
)

SQUARE = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
RED = (200, 30, 40)


def rng(seed=0):
    return np.random.default_rng(seed)


def drawn(draw, radius=40, **options):
    """The colour and alpha of a sheet after `draw(paper)`."""
    paper = Cutout(radius, **options)
    draw(paper)
    return paper.finish()


# Numbers and colours


def test_numbers_and_choices_stay_within_their_limits():
    numbers = rng()
    drawn = [between(numbers, 2, 5) for _ in range(500)]
    assert 2 <= min(drawn) < 2.1 and 4.9 < max(drawn) < 5
    assert {pick(numbers, "abc") for _ in range(100)} == {"a", "b", "c"}


def test_each_number_takes_one_draw():
    """The stream of `rng.random()` is the one that stays the same from NumPy to NumPy."""
    one, other = rng(), rng()
    between(one, 0, 1)
    pick(one, "abc")
    other.random(2)
    assert one.random() == other.random()


def test_favourite_papers_are_taken_most_often_but_not_always():
    numbers = rng()
    taken = [paper_colour(numbers, "red", "wine") for _ in range(1000)]
    favourites = sum(colour in (PAPERS["red"], PAPERS["wine"]) for colour in taken)
    assert 0.72 < favourites / 1000 < 0.88  # three quarters, and two of the ten others
    assert {paper_colour(numbers) for _ in range(200)} == {*PAPERS.values()}


def test_tints_are_bytes_lighter_darker_and_shifted():
    plain = tint(PAPERS["blue"])
    assert len(plain) == 3 and all(type(c) is int and 0 <= c <= 255 for c in plain)
    assert sum(tint(PAPERS["blue"], 0.5)) < sum(plain)
    assert max(tint(PAPERS["blue"], 9.0, 9.0)) == 255
    assert np.ptp(tint(PAPERS["blue"], 1.0, 0.0)) == 0
    assert tint(PAPERS["blue"], hue=1.0) == plain != tint(PAPERS["blue"], hue=0.5)


# Lines


def test_a_curve_and_an_ellipse_are_points():
    line = curve(lambda t: t, lambda t: 2 + 0 * t, 0, 1, 5)
    np.testing.assert_array_equal(line, [(t, 2) for t in (0, 0.25, 0.5, 0.75, 1)])
    points = ellipse(1, 2, 3, 4)
    assert points.shape == (48, 2)
    np.testing.assert_allclose(((points - (1, 2)) / (3, 4)) ** 2 @ (1, 1), 1)
    np.testing.assert_array_equal(ellipse(0, 0, 2, n=9), ellipse(0, 0, 2, 2, n=9))
    assert curve(np.cos, np.sin)[-1] == pytest.approx((1, 0)) and pytest.approx(2 * np.pi) == TAU


def test_grain_is_faint_and_without_a_trend():
    texture = grain(90, 130, rng())
    assert texture.shape == (90, 130) and texture.dtype == np.float32
    assert np.abs(texture).max() < 12 and abs(texture.mean()) < 1 and texture.std() > 2


# The sheet


@pytest.mark.parametrize("radius", [10, 59, 60, 119, 120, 200])
def test_a_sheet_holds_its_object_with_a_margin(radius):
    colour, alpha = drawn(lambda paper: paper.polygon(ellipse(0, 0, 1), RED), radius)
    assert colour.shape == (*alpha.shape, 3) and colour.dtype == alpha.dtype == np.float32
    assert alpha.shape[0] == alpha.shape[1] >= 2.3 * radius
    assert alpha.min() == 0 and alpha.max() == 1
    assert not alpha[[0, -1]].any() and not alpha[:, [0, -1]].any()
    assert alpha.sum() == pytest.approx(np.pi * radius**2, rel=0.05)
    assert (colour >= 0).all() and (colour <= 255 * alpha[..., None]).all()


def test_an_empty_sheet_covers_nothing():
    colour, alpha = Cutout(20).finish()
    assert not colour.any() and not alpha.any()


def test_a_hole_shows_what_lies_behind():
    def ring(paper):
        paper.polygon(ellipse(0, 0, 0.9), RED)
        paper.polygon(ellipse(0, 0, 0.5), None)

    _, alpha = drawn(ring)
    middle = len(alpha) // 2
    assert alpha[middle, middle] == 0 and alpha[middle, middle + 28] == 1


def test_what_is_drawn_inside_a_shape_stays_inside():
    def spotted(paper):
        paper.polygon(SQUARE, RED)
        with paper.inside(SQUARE):
            paper.polygon(ellipse(0.5, 0.5, 0.4), (0, 0, 255))
        paper.line([(-0.9, -0.9), (-0.8, -0.9)], 0.05, RED)

    colour, alpha = drawn(spotted)
    _, square = drawn(lambda paper: paper.polygon(SQUARE, RED))
    middle = len(alpha) // 2
    assert (alpha[middle:, middle:] == square[middle:, middle:]).all()
    assert alpha[: middle // 2, : middle // 2].any()  # the sheet can be drawn on again
    assert colour[middle + 15, middle + 15].argmax() == 2 and colour[middle, middle].argmax() == 0


def test_a_line_is_never_too_thin_to_be_seen():
    _, thin = drawn(lambda paper: paper.line([(-0.5, 0), (0.5, 0)], 0.0, RED), radius=30)
    middle = len(thin) // 2
    assert 1.2 < thin[:, middle].sum() < 2.2
    _, wide = drawn(lambda paper: paper.line([(-0.5, 0), (0.5, 0)], 0.2, RED), radius=30)
    assert wide[:, middle].sum() == pytest.approx(6, abs=1)


def test_a_turned_and_a_mirrored_sheet():
    def flag(paper):
        paper.polygon([(0, -0.8), (0.8, -0.8), (0.8, -0.4), (0, -0.4)], RED)

    upright, turned, mirrored = (
        drawn(flag, **options)[1] for options in ({}, {"angle": np.pi}, {"mirrored": True})
    )
    middle = len(upright) // 2

    def quarter(alpha):
        rows, columns = np.nonzero(alpha > 0.5)
        return rows.mean() < middle, columns.mean() < middle

    assert quarter(upright) == (True, False)
    assert quarter(turned) == (False, True) and quarter(mirrored) == (True, True)


def test_light_falls_from_the_upper_left():
    colour, alpha = drawn(lambda paper: paper.polygon(SQUARE, (120, 120, 120)))
    middle, half = len(alpha) // 2, 16
    left_above, right_below = (colour[middle + k, middle + k, 0] for k in (-half, half))
    assert left_above > 120 > right_below
