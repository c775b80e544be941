"""Windows, the loop, the ring buffer, and the memory of loops."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from helpers.plots import windows
from helpers.plots.style import ORANGE, new_figure
from helpers.units import MIB
from helpers.windows import sliding_windows, times_seen
from tests.support import bar_widths, texts_of

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def test_windows_chart_draws_every_window_and_the_lost_images():
    schedule = sliding_windows(2913, 1000, 100)
    top, bottom = windows.windows_chart(2913, schedule, times_seen(2913, schedule))
    assert bar_widths(top)[:20] == [1000] * 20
    assert [patch.get_x() for patch in top.patches[:20]] == [w.start for w in schedule]
    assert texts_of(top) == ["13 images\nnever loaded"]
    assert bottom.get_xlim() == (0, 2913)


def test_windows_chart_says_nothing_of_lost_images_when_none_is():
    schedule = sliding_windows(58, 20, 2)
    top, _ = windows.windows_chart(58, schedule, times_seen(58, schedule))
    assert texts_of(top) == []


def test_ring_chart_marks_exactly_the_new_arrivals():
    ax = windows.ring_chart([np.array([0, 1, 2, 3]), np.array([4, 5, 2, 3])])
    assert texts_of(ax) == ["0", "1", "2", "3", "4", "5", "2", "3"]
    orange = [to_hex(patch.get_facecolor()).upper() == ORANGE for patch in ax.patches]
    assert orange == [False] * 4 + [True, True, False, False]


def test_memory_of_loops_keeps_a_loops_colour_when_another_is_left_out():
    run = SimpleNamespace(times=[0, 1, 2], rss_bytes=[MIB, 3 * MIB, 2 * MIB], base_bytes=MIB)
    _, (left, right) = new_figure(1, 2, 6, 3)
    assert windows.memory_of_loops({"a": run, "b": run}, ax=left) is left
    windows.memory_of_loops({"a": run, "b": run}, ["b"], ax=right)
    assert [line.get_color() for line in right.lines] == [left.lines[1].get_color()]
    assert left.lines[0].get_ydata().tolist() == [0, 2, 1]
    assert left.lines[0].get_xdata().tolist() == [0, 50, 100]


def test_flow_chart_names_every_step_and_the_way_back():
    ax = windows.flow_chart()
    said = texts_of(ax)
    assert said[: len(windows.STEPS)] == [text for _, text, _ in windows.STEPS.values()]
    arrows = [patch for patch in ax.patches if hasattr(patch, "get_arrowstyle")]
    assert len(arrows) == len(windows.STEPS)  # one to each next step, and one back
    assert "more windows? move the start by one stride" in said
