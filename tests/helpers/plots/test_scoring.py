"""Scores as bars and charts, and where a prediction is wrong."""

import numpy as np
import pytest

from helpers.data import VOID, voc_palette
from helpers.plots import scoring
from helpers.plots.data import VOID_COLOUR, colour_mask
from tests.support import bar_widths, texts_of, yticks_of

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def test_colour_mask_and_error_map_treat_void_alike():
    truth = np.array([[0, 1, VOID]], dtype=np.uint8)
    prediction = np.array([[0, 2, 2]], dtype=np.uint8)
    coloured = colour_mask(truth, voc_palette(3))
    errors = scoring.error_map(truth, prediction)
    assert coloured[0].tolist() == [[0, 0, 0], [128, 0, 0], list(VOID_COLOUR)]
    assert errors[0].tolist() == [
        list(scoring.RIGHT_COLOUR),
        list(scoring.WRONG_COLOUR),
        list(VOID_COLOUR),
    ]


def test_class_bars_are_sorted_and_an_absent_class_is_called_so():
    left, right = scoring.class_bars(
        ["a", "b", "c"], np.array([0.2, np.nan, 0.9]), np.zeros(3), np.array([0.5, 0.0, 0.5])
    )
    assert yticks_of(left) == ["c", "a", "b"]
    assert texts_of(left) == ["0.90", "0.20", "absent"]
    assert bar_widths(right) == [50, 50, 0]


def test_classes_stand_in_the_order_of_their_images_and_one_that_never_occurs_is_left_out():
    ious = np.array([[0.2, np.nan, 0.9], [0.4, np.nan, 0.7]])
    ax = scoring.iou_by_images(["a", "b", "c"], [3, 9, 2000], ious)
    assert yticks_of(ax) == ["c   2,000", "a   3"]
    assert np.allclose(bar_widths(ax), [0.8, 0.3])
    assert [line.get_xdata().tolist() for line in ax.lines] == [[0.9, 0.2], [0.7, 0.4]]


def test_confusion_chart_shows_percent_of_each_row():
    ax = scoring.confusion_chart(np.array([[3, 1], [0, 0]]), ["a", "b"])
    assert texts_of(ax) == ["75", "25"]


def test_number_grids_write_every_number_and_outline_the_marked_ones():
    grid = np.array([[0, 1], [1, VOID]])
    plain, marked = scoring.number_grids({"a": grid, "b": grid}, {"b": grid == 1}).flat
    assert texts_of(plain) == texts_of(marked) == ["0", "1", "1", "void"]
    assert len(plain.lines) == 0
    assert len(marked.lines) == 8, "two cells that touch at a corner have four sides each"


def test_the_outline_of_neighbours_is_one():
    grid = np.array([[1, 1], [0, 0]])
    (ax,) = scoring.number_grids({"a": grid}, {"a": grid == 1}).flat
    ends = {tuple(map(tuple, line.get_xydata())) for line in ax.lines}
    across = {((0, 0), (1, 0)), ((1, 0), (2, 0)), ((0, 1), (1, 1)), ((1, 1), (2, 1))}
    assert ends == across | {((0, 0), (0, 1)), ((2, 0), (2, 1))}


def test_cells_beyond_the_mark_fade_and_void_stays_void():
    grid = np.array([[0, 1, VOID]])
    (ax,) = scoring.number_grids({"a": grid}, {"a": grid == 1}).flat
    outside, inside, void = ax.patches
    assert outside.get_alpha() < inside.get_alpha() == void.get_alpha() == 1
    np.testing.assert_allclose(void.get_facecolor()[:3], np.array(VOID_COLOUR) / 255)


def test_no_class_of_voc_has_the_colour_of_an_error():
    distances = np.abs(voc_palette(21).astype(int) - scoring.WRONG_COLOUR).sum(axis=1)
    assert distances.min() > 150


@pytest.mark.parametrize("draw", [scoring.size_bars, scoring.score_bars, scoring.average_bars])
def test_bars_are_labelled_with_their_values(draw):
    if draw is scoring.size_bars:
        ax = draw(["small"], {"net": [0.25]})
    elif draw is scoring.score_bars:
        ax = draw({"net": {"accuracy": 0.25}})
    else:
        ax = draw({"data set": 0.25})
    assert [text.rstrip("0") for text in texts_of(ax)] == ["0.25"]
