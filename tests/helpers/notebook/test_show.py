"""A figure is shown once, with a text alternative, and closed."""

from importlib import import_module

import matplotlib
import matplotlib.pyplot as plt
import pytest

from helpers.notebook import as_html, show
from helpers.plots.style import new_axes, new_figure

MODULE = import_module("helpers.notebook.show")  # in the package the name is the function's
ALT = "An empty square, for the test."


@pytest.fixture(autouse=True)
def shown(monkeypatch, tmp_path):
    """What is displayed, as (arguments, keyword arguments); no global style is changed."""
    calls = []
    matplotlib.use("Agg")
    before = dict(plt.rcParams)
    monkeypatch.setattr(MODULE, "FIGURES", tmp_path / "figures")
    monkeypatch.setattr(MODULE, "display", lambda *args, **kwargs: calls.append((args, kwargs)))
    yield calls
    plt.close("all")
    assert dict(plt.rcParams) == before, "a figure changed the global style"


def test_show_displays_once_with_alt_text_and_closes(shown, tmp_path):
    figure, _ = new_figure(1, 1, 2, 2)
    show(figure, ALT, save_as="empty")
    ((bundle,), options) = shown.pop()
    assert not shown and options["raw"] is True
    assert options["metadata"]["image/png"]["alt"] == bundle["text/plain"] == ALT
    assert bundle["image/png"] == (tmp_path / "figures" / "empty.png").read_bytes()
    assert not plt.fignum_exists(figure.number)


def test_nothing_is_written_unless_it_is_asked_for(shown, tmp_path):
    show(new_axes(None, 2, 2), ALT)
    assert len(shown) == 1
    assert not list(tmp_path.iterdir())


def test_axes_and_arrays_of_axes_stand_for_their_figure(shown):
    figure, axes = new_figure(2, 2, 2, 2)
    show(axes, ALT)
    assert not plt.fignum_exists(figure.number)
    ax = new_axes(None, 2, 2)
    show(ax, ALT)
    assert not plt.fignum_exists(ax.figure.number)
    assert len(shown) == 2


def test_a_figure_as_html_carries_its_alt_text_and_is_closed(shown):
    figure, _ = new_figure(1, 1, 2, 2)
    tag = as_html(figure, 'Memory "before" and after, side by side.')
    assert tag.startswith(
        '<img alt="Memory &quot;before&quot; and after, side by side." src="data:'
    )
    assert not plt.fignum_exists(figure.number)
    assert not shown


@pytest.mark.parametrize("present", [show, as_html])
def test_an_alt_text_that_says_nothing_is_refused(present, shown):
    figure, _ = new_figure(1, 1, 2, 2)
    with pytest.raises(ValueError, match="too short"):
        present(figure, "a figure")
    assert not shown
