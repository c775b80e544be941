"""The network as blocks, its score maps, and how training went."""

import numpy as np
import pytest

from helpers.plots import network
from tests.support import texts_of

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def test_diagram_gives_the_sides_of_the_maps():
    sides = [text for text in texts_of(network.fcn_diagram(224)) if text.endswith("²")]
    down, up = sides[:6], sides[6:]
    assert down == ["224²", "112²", "56²", "28²", "14²", "7²"]
    assert up == ["7²", "14²", "28²", "224²"]


def test_diagram_adds_two_skips_and_names_each_pool():
    texts = texts_of(network.fcn_diagram(64))
    assert texts.count("+") == 2 and texts.count("1×1") == 3
    assert [text for text in texts if text.startswith("pool")] == [f"pool{k}" for k in range(1, 6)]
    assert [text for text in texts if text.startswith("×")] == ["×2", "×2", "×8"]


def test_curves_hold_the_history_and_the_baseline():
    keys = ("loss", "accuracy", "val_pixel_accuracy", "val_mean_iou")
    history = [dict.fromkeys(keys, value) for value in (0.2, 0.6)]
    axes = network.curves_by_round(history, {"pixel_accuracy": 0.7, "mean_iou": 0.1})
    assert [len(ax.lines) for ax in axes] == [1, 3, 2]
    assert axes[2].lines[0].get_ydata().tolist() == [0.2, 0.6]
    assert axes[2].lines[1].get_ydata()[0] == 0.1


def test_curves_mark_a_stop_between_two_rounds():
    keys = ("loss", "accuracy", "val_pixel_accuracy", "val_mean_iou")
    history = [dict.fromkeys(keys, 0.5)] * 3
    baseline = {"pixel_accuracy": 0.7, "mean_iou": 0.1}
    axes = network.curves_by_round(history, baseline, stopped_after=2)
    assert [ax.lines[-1].get_xdata()[0] for ax in axes] == [2.5, 2.5, 2.5]
    (legend,) = axes[0].figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert said == ["window", "hold-out", "all background", "stop"]


def test_small_maps_are_written_out_and_share_one_colour_scale():
    small, large = network.upsampling_steps([np.eye(2), np.full((9, 9), 3.0)], ["a", "b"])
    assert texts_of(small) == ["1", "0", "0", "1"] and texts_of(large) == []
    assert [ax.get_title(loc="left") for ax in (small, large)] == ["a", "b"]
    assert small.images[0].get_clim() == large.images[0].get_clim() == (0, 3)


def test_a_kernel_is_drawn_with_its_numbers():
    ax = network.bilinear_weights(np.array([[0.0625, 0.1875], [0.1875, 0.5625]]))
    assert texts_of(ax) == ["0.0625", "0.1875", "0.1875", "0.5625"]
