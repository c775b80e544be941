"""Figures of notebook 09."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from helpers.plots import distributed
from helpers.plots.style import BLUE, ORANGE, RED
from tests.support import bar_widths, texts_of

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def faces(ax):
    return [to_hex(patch.get_facecolor(), keep_alpha=True).upper() for patch in ax.patches]


def test_shares_are_coloured_windows_filled_and_what_is_left_over_is_red():
    ax = distributed.shares_chart([[0, 2, 4], [1, 3, 5]], [[0, 2], [1]], left_over=[6])
    found = [colour[:7] for colour in faces(ax)]
    assert found[:7] == [BLUE, ORANGE] * 3 + [RED]
    filled = [colour.endswith("FF") for colour in faces(ax)[7:]]
    assert filled == [True, True, False, True, False, False]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "the list", "process 0", "process 1",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="5 processes cannot be told apart"):
        distributed.shares_chart([[k] for k in range(5)], [[]] * 5)


def test_curves_become_narrower():
    ax = distributed.same_curves({"one": [3, 2, 1], "two": [3, 2, 1]}, "loss")
    one, two = ax.lines
    assert np.array_equal(one.get_ydata(), two.get_ydata())
    assert one.get_linewidth() > two.get_linewidth()
    assert one.get_xdata().tolist() == [1, 2, 3] and ax.get_ylabel() == "loss"


def test_each_process_has_a_bar_as_long_as_its_window():
    ax = distributed.memory_of_processes({"one": [2.0], "two": [1.0, 1.0]})
    assert bar_widths(ax) == [2.0, 1.0, 1.0]
    assert texts_of(ax) == ["2.00 MiB", "1.00 MiB", "1.00 MiB"]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["one, process 0", "two, process 0", "two, process 1"]


def test_scores_have_a_dot_each_and_their_mean():
    ax = distributed.scores_of_ways({"everything": [0.8, 0.9], "windows": [0.7, 0.7]})
    dots = [line.get_xdata().tolist() for line in ax.lines if line.get_marker() == "o"]
    assert dots == [[0.8, 0.9], [0.7, 0.7]]
    assert texts_of(ax) == ["0.850", "0.700"]
