"""The style holds inside the functions that draw, and nowhere else."""

import matplotlib.pyplot as plt
import pytest

from helpers.plots.style import STYLE, new_axes, new_figure, styled

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def test_the_style_ends_with_the_function():
    @styled
    def inside():
        return {name: plt.rcParams[name] for name in STYLE}

    before = {name: plt.rcParams[name] for name in STYLE}
    assert inside() == STYLE != before
    assert {name: plt.rcParams[name] for name in STYLE} == before


def test_a_new_figure_has_the_style_and_the_size():
    figure, axes = new_figure(2, 3, 7, 4)
    assert axes.shape == (2, 3)
    assert figure.get_size_inches().tolist() == [7, 4]
    assert figure.get_layout_engine() is not None
    assert not axes[0, 0].spines["top"].get_visible()


def test_axes_are_new_only_if_there_are_none():
    ax = new_axes(None, 5, 2)
    assert ax.figure.get_size_inches().tolist() == [5, 2]
    assert new_axes(ax, 8, 8) is ax
