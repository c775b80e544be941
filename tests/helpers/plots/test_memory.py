"""Bytes as bars and lines, and the memory of one process over time."""

import pytest

from helpers.plots import memory
from helpers.units import MIB
from tests.support import bar_widths, texts_of

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def test_predicted_and_measured_shows_mib():
    ax = memory.predicted_and_measured(["x"], [200 * MIB], [210 * MIB])
    assert bar_widths(ax) == [200, 210] and texts_of(ax) == ["200", "210"]


def test_dataset_bars_label_every_bar():
    sizes = {"A": {"download": 2**30, "uint8": 2**31}, "B": {"download": 2**29, "uint8": 2**40}}
    labels = texts_of(memory.dataset_bars(sizes, laptop_gib=8))
    assert labels == ["1.0", "2.0", "0.5", "1,024.0", "a laptop with 8 GiB"]


def test_will_it_fit_draws_each_way_and_marks_the_count():
    ax = memory.will_it_fit([10, 100], {"bytes": [2**30, 2**33]}, here=50)
    assert ax.lines[0].get_ydata().tolist() == [1, 8]
    assert texts_of(ax)[-1] == " 50 images"


def test_stacked_parts_lie_end_to_end_and_keep_their_colours():
    bars = {
        "predicted": {"base": 600 * MIB, "small": 10 * MIB, "large": 90 * MIB},
        "measured": {"base": 600 * MIB, "large": 100 * MIB, "rest": 50 * MIB},
    }
    ax = memory.stacked_parts(bars)
    drawn = [[bar for bar in ax.patches if round(bar.get_y() + 0.35) == row] for row in (0, 1)]
    assert [[bar.get_width() for bar in row] for row in drawn] == [[600, 10, 90], [600, 100, 50]]
    assert [[bar.get_x() for bar in row] for row in drawn] == [[0, 600, 610], [0, 600, 700]]
    colours = [[bar.get_facecolor() for bar in row] for row in drawn]
    assert colours[0][2] == colours[1][1] and len({*colours[0], *colours[1]}) == 4
    # A number in each part that is wide enough, and the sum behind the bar.
    assert texts_of(ax) == ["600", "90", " 700", "600", "100", "50", " 750"]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["base", "small", "large", "rest"]


def test_memory_steps_can_show_virtual_memory_too():
    ax = memory.memory_steps(["zeros"], [0], [400 * MIB])
    assert bar_widths(ax) == [0, 400]


def levels(ax):
    """The heights of the lines that cross the whole axes."""
    return [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "--"]


def test_a_timeline_counts_from_the_base_and_marks_the_true_peak():
    rss = [100 * MIB, 130 * MIB, 110 * MIB]
    ax = memory.memory_timeline(
        [0, 1, 2], rss, base_bytes=100 * MIB, peak_bytes=140 * MIB, budget_bytes=200 * MIB
    )
    assert ax.lines[0].get_ydata().tolist() == [0, 30, 10]
    (peak,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert (peak.get_xdata()[0], peak.get_ydata()[0]) == (1, 40)
    assert levels(ax) == [200]
    assert texts_of(ax) == ["peak 40 MiB", "budget 200 MiB"]
    assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] > 200
    assert ax.get_ylabel() == "MiB added"


def test_a_timeline_without_base_and_budget_shows_what_was_sampled():
    ax = memory.memory_timeline([0, 1], [3 * MIB, 5 * MIB])
    assert texts_of(ax) == ["peak 5.0 MiB"] and levels(ax) == []
    assert ax.get_ylabel() == "MiB in RAM"


def test_every_mark_is_drawn_and_named_where_there_is_room():
    marks = [(0.0, "start"), (0.01, "too close"), (0.5, "half")]
    ax = memory.memory_timeline([0, 1], [0, MIB], marks=marks)
    dotted = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"]
    assert dotted == [0, 0.01, 0.5]
    assert texts_of(ax) == ["peak 1.0 MiB", "start", "half"]


def test_a_refused_request_stands_beside_the_budget():
    ax = memory.refused_request(4096 * MIB, 512 * MIB, 3 * MIB)
    assert [bar.get_width() for bar in ax.patches] == [4096, 512, 3]
    assert ax.lines[0].get_xdata()[0] == 512
    assert texts_of(ax) == ["4,096 MiB", "512 MiB", "3.0 MiB"]
