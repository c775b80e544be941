"""Figures draw what they are given, into the axes they are given, and leave no global state."""

from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.dataset import VOID, voc_palette
from helpers.plots import masks, memory_bars, network, style, windows
from helpers.subsets import sliding_windows, times_seen

MIB = 2**20


@pytest.fixture(autouse=True)
def no_screen_and_nothing_left():
    matplotlib.use("Agg")
    before = dict(plt.rcParams)
    yield
    plt.close("all")
    assert dict(plt.rcParams) == before, "a figure changed the global style"


def widths(ax):
    return [patch.get_width() for patch in ax.patches]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_show_displays_once_with_alt_text_and_closes(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(style, "FIGURES", tmp_path)
    monkeypatch.setattr(style, "display", lambda *args, **kwargs: shown.append((args, kwargs)))
    figure, _ = style.new_figure(1, 1, 2, 2)
    alt = "An empty square, for the test."
    style.show(figure, alt, save_as="empty")
    ((bundle,), options) = shown.pop()
    assert not shown and options["raw"] is True
    assert options["metadata"]["image/png"]["alt"] == bundle["text/plain"] == alt
    assert bundle["image/png"] == (tmp_path / "empty.png").read_bytes()
    assert not plt.fignum_exists(figure.number)


def test_a_figure_as_html_carries_its_alt_text_and_is_closed():
    figure, _ = style.new_figure(1, 1, 2, 2)
    tag = style.as_html(figure, 'Memory "before" and after, side by side.')
    assert tag.startswith(
        '<img alt="Memory &quot;before&quot; and after, side by side." src="data:'
    )
    assert not plt.fignum_exists(figure.number)


def test_show_refuses_an_alt_text_that_says_nothing():
    figure, _ = style.new_figure(1, 1, 2, 2)
    with pytest.raises(ValueError, match="too short"):
        style.show(figure, "a figure")


def test_windows_chart_draws_every_window_and_the_lost_images():
    schedule = sliding_windows(2913, 1000, 100)
    top, bottom = windows.windows_chart(2913, schedule, times_seen(2913, schedule))
    assert widths(top)[:20] == [1000] * 20
    assert [patch.get_x() for patch in top.patches[:20]] == [w.start for w in schedule]
    assert texts(top) == ["13 images\nnever loaded "]
    assert bottom.get_xlim() == (0, 2913)


def test_windows_chart_says_nothing_of_lost_images_when_none_is():
    schedule = sliding_windows(58, 20, 2)
    top, _ = windows.windows_chart(58, schedule, times_seen(58, schedule))
    assert texts(top) == []


def test_ring_chart_marks_exactly_the_new_arrivals():
    ax = windows.ring_chart([np.array([0, 1, 2, 3]), np.array([4, 5, 2, 3])])
    assert texts(ax) == ["0", "1", "2", "3", "4", "5", "2", "3"]
    orange = [
        matplotlib.colors.to_hex(p.get_facecolor()).upper() == style.ORANGE for p in ax.patches
    ]
    assert orange == [False] * 4 + [True, True, False, False]


def test_memory_of_loops_keeps_a_loops_colour_when_another_is_left_out():
    run = SimpleNamespace(times=[0, 1, 2], rss_bytes=[MIB, 3 * MIB, 2 * MIB], base_bytes=MIB)
    _, (left, right) = style.new_figure(1, 2, 6, 3)
    assert windows.memory_of_loops({"a": run, "b": run}, ax=left) is left
    windows.memory_of_loops({"a": run, "b": run}, ["b"], ax=right)
    assert [line.get_color() for line in right.lines] == [left.lines[1].get_color()]
    assert left.lines[0].get_ydata().tolist() == [0, 2, 1]
    assert left.lines[0].get_xdata().tolist() == [0, 50, 100]


def test_predicted_and_measured_shows_mib():
    ax = memory_bars.predicted_and_measured(["x"], [200 * MIB], [210 * MIB])
    assert widths(ax) == [200, 210] and texts(ax) == ["200", "210"]


def test_dataset_bars_label_every_bar():
    sizes = {"A": {"download": 2**30, "uint8": 2**31}, "B": {"download": 2**29, "uint8": 2**40}}
    labels = texts(memory_bars.dataset_bars(sizes, laptop_gib=8))
    assert labels == ["1.0", "2.0", "0.5", "1,024.0", "a laptop with 8 GiB"]


def test_will_it_fit_draws_each_way_and_marks_the_count():
    ax = memory_bars.will_it_fit([10, 100], {"bytes": [2**30, 2**33]}, here=50)
    assert ax.lines[0].get_ydata().tolist() == [1, 8]
    assert texts(ax)[-1] == " 50 images"


def test_memory_steps_can_show_virtual_memory_too():
    ax = memory_bars.memory_steps(["zeros"], [0], [400 * MIB])
    assert widths(ax) == [0, 400]


def test_curves_hold_the_history_and_the_baseline():
    keys = ("loss", "accuracy", "holdout_pixel_accuracy", "holdout_mean_iou")
    history = [dict.fromkeys(keys, value) for value in (0.2, 0.6)]
    axes = network.curves_by_round(history, {"pixel_accuracy": 0.7, "mean_iou": 0.1})
    assert [len(ax.lines) for ax in axes] == [1, 3, 2]
    assert axes[2].lines[0].get_ydata().tolist() == [0.2, 0.6]
    assert axes[2].lines[1].get_ydata()[0] == 0.1


def test_diagram_gives_the_sides_of_the_maps():
    sides = [text for text in texts(network.fcn_diagram(224)) if text.endswith("²")]
    assert sides == ["224²", "28²", "14²", "7²", "7²", "14²", "28²", "224²"]


def test_colour_mask_and_error_map_treat_void_alike():
    truth = np.array([[0, 1, VOID]], dtype=np.uint8)
    prediction = np.array([[0, 2, 2]], dtype=np.uint8)
    coloured = masks.colour_mask(truth, voc_palette(3))
    errors = masks.error_map(truth, prediction)
    assert coloured[0].tolist() == [[0, 0, 0], [128, 0, 0], list(masks.VOID_COLOUR)]
    assert errors[0].tolist() == [
        list(masks.RIGHT_COLOUR),
        list(masks.WRONG_COLOUR),
        list(masks.VOID_COLOUR),
    ]


def test_class_bars_are_sorted_and_an_absent_class_is_called_so():
    left, right = masks.class_bars(
        ["a", "b", "c"], np.array([0.2, np.nan, 0.9]), np.zeros(3), np.array([0.5, 0.0, 0.5])
    )
    assert [label.get_text() for label in left.get_yticklabels()] == ["c", "a", "b"]
    assert texts(left) == ["0.90", "0.20", "absent"]
    assert widths(right) == [50, 50, 0]


def test_confusion_chart_shows_percent_of_each_row():
    ax = masks.confusion_chart(np.array([[3, 1], [0, 0]]), ["a", "b"])
    assert texts(ax) == ["75", "25"]


def test_panels_and_strips_hold_the_pictures():
    pictures = np.zeros((3, 4, 4, 3), np.uint8)
    assert masks.panels({"x": pictures, "y": pictures}, ["1", "2", "3"]).shape == (3, 2)
    assert masks.strips({"x": pictures, "y": pictures}).shape == (2, 3)


def test_number_grids_write_every_number_and_outline_the_marked_ones():
    grid = np.array([[0, 1], [2, VOID]])
    plain, marked = masks.number_grids({"a": grid, "b": grid}, {"b": grid == 1}).flat
    assert texts(plain) == texts(marked) == ["0", "1", "2", "void"]
    assert len(marked.patches) == len(plain.patches) + 1


@pytest.mark.parametrize("draw", [masks.size_bars, masks.score_bars, masks.average_bars])
def test_bars_are_labelled_with_their_values(draw):
    if draw is masks.size_bars:
        ax = draw(["small"], {"net": [0.25]})
    elif draw is masks.score_bars:
        ax = draw({"net": {"accuracy": 0.25}})
    else:
        ax = draw({"data set": 0.25})
    assert [text.rstrip("0") for text in texts(ax)] == ["0.25"]
