"""Figures of scores: where a prediction is right and where it is wrong."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from helpers.data import VOID
from helpers.plots.data import VOID_COLOUR
from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, RED, SKY, new_axes, styled

WRONG_COLOUR = (213, 94, 0)
RIGHT_COLOUR = (235, 235, 235)


def error_map(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """RGB image (h, w, 3): wrong pixels in vermilion, right ones pale, void as in the mask."""
    image = np.full((*truth.shape, 3), RIGHT_COLOUR, dtype=np.uint8)
    image[truth != prediction] = WRONG_COLOUR
    image[truth == VOID] = VOID_COLOUR
    return image


@styled
def number_grids(grids: Mapping[str, np.ndarray], marked: Mapping[str, np.ndarray]) -> np.ndarray:
    """Small grids of class ids side by side; `marked[title]` is a mask of cells to outline."""
    _, axes = plt.subplots(1, len(grids), figsize=(2.2 * len(grids), 2.5), squeeze=False)
    colours = (RIGHT_COLOUR, SKY, ORANGE, GREEN)
    for ax, (title, grid) in zip(axes.flat, grids.items(), strict=True):
        for (y, x), value in np.ndenumerate(grid):
            colour = np.array(VOID_COLOUR) / 255 if value == VOID else colours[value]
            colour = np.array(colour) / 255 if isinstance(colour, tuple) else colour
            ax.add_patch(plt.Rectangle((x, y), 0.95, 0.95, color=colour, linewidth=0))
            ax.text(
                x + 0.47, y + 0.47, "void" if value == VOID else value, ha="center", va="center"
            )
            if title in marked and marked[title][y, x]:
                ax.add_patch(
                    plt.Rectangle((x + 0.03, y + 0.03), 0.89, 0.89, fill=False, ec=INK, lw=2.5)
                )
        ax.set(xlim=(0, grid.shape[1]), ylim=(grid.shape[0], 0), aspect="equal")
        ax.set_title(title, fontsize=10, loc="center")
        ax.axis("off")
    return axes


@styled
def confusion_chart(matrix: np.ndarray, names: Sequence[str], ax: Axes | None = None) -> Axes:
    """The confusion matrix with each row divided by its sum: where each class's pixels went."""
    ax = new_axes(ax, 0.5 * len(names) + 2.6, 0.42 * len(names) + 1.6)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (y, x), value in np.ndenumerate(share):
        if value >= 0.005:
            shade = "white" if value > 0.55 else INK
            ax.text(x, y, f"{100 * value:.0f}", ha="center", va="center", fontsize=8, color=shade)
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.set_title("Percent of each true class's pixels", fontsize=11)
    ax.spines[:].set_visible(False)
    return ax


@styled
def class_bars(
    names: Sequence[str], iou: np.ndarray, baseline: np.ndarray, pixel_share: np.ndarray
) -> np.ndarray:
    """Per-class IoU, best first, with the all-background baseline, beside each class's pixels."""
    order = np.argsort(-np.nan_to_num(iou, nan=-1.0))
    _, (left, right) = plt.subplots(
        1, 2, figsize=(9.0, 0.34 * len(names) + 1.2), sharey=True, width_ratios=(3, 2),
    )  # fmt: skip
    y = np.arange(len(names))
    left.barh(y, np.nan_to_num(iou[order]), color=BLUE, label="this network")
    left.plot(baseline[order], y, "D", color=ORANGE, markersize=6, label="all background")
    for row, value in zip(y, iou[order], strict=True):
        text = "absent" if np.isnan(value) else f"{value:.2f}"
        left.text(np.nan_to_num(value) + 0.015, row, text, va="center", fontsize=9)
    left.set_yticks(y, np.asarray(names)[order])
    left.set(xlabel="IoU", xlim=(0, 1.08))
    left.invert_yaxis()
    left.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=9)
    bars = right.barh(y, 100 * pixel_share[order], color=GREY)
    right.bar_label(bars, fmt="%.1f %%", padding=3, fontsize=9)
    right.set(xlabel="share of all pixels (%)")
    right.margins(x=0.2)
    return np.array([left, right])


@styled
def size_bars(groups: Sequence[str], values: Mapping[str, Sequence[float]], ax=None) -> Axes:
    """Grouped bars: one group for each object size, one colour for each network."""
    ax = new_axes(ax, 8.0, 3.0)
    width = 0.8 / len(values)
    x = np.arange(len(groups))
    for k, (colour, (name, scores)) in enumerate(
        zip((SKY, BLUE, GREEN, ORANGE), values.items(), strict=False)
    ):
        offset = (k - (len(values) - 1) / 2) * width
        bars = ax.bar(x + offset, scores, width * 0.92, color=colour, label=name)
        ax.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
    ax.set_xticks(x, groups)
    ax.set(ylabel="IoU", ylim=(0, 1.05))
    if len(values) > 1:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(values), fontsize=9)
    return ax


@styled
def score_bars(scores: Mapping[str, Mapping[str, float]], ax: Axes | None = None) -> Axes:
    """Two or three scores for each predictor, side by side: accuracy beside mean IoU."""
    ax = new_axes(ax, 8.0, 0.7 * len(scores) + 1.0)
    kinds = list(next(iter(scores.values())))
    height = 0.8 / len(kinds)
    y = np.arange(len(scores))
    for k, (colour, kind) in enumerate(zip((GREY, BLUE, RED), kinds, strict=False)):
        values = [by_kind[kind] for by_kind in scores.values()]
        offset = (k - (len(kinds) - 1) / 2) * height
        bars = ax.barh(y + offset, values, height * 0.9, color=colour, label=kind)
        ax.bar_label(bars, fmt="%.2f", padding=3, fontsize=9)
    ax.set_yticks(y, scores)
    ax.set(xlim=(0, 1.08))
    ax.invert_yaxis()
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(kinds), fontsize=9)
    return ax


@styled
def average_bars(averages: Mapping[str, float], ax: Axes | None = None) -> Axes:
    """One bar for each way to average, the first (VOC's own) in blue."""
    ax = new_axes(ax, 8.0, 2.4)
    colours = [BLUE] + [SKY] * (len(averages) - 1)
    bars = ax.barh(list(averages), list(averages.values()), color=colours)
    ax.bar_label(bars, fmt="%.3f", padding=3, fontsize=9)
    ax.set(xlabel="mean IoU", xlim=(0, 1))
    ax.invert_yaxis()
    return ax
