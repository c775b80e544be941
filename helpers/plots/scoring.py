"""Figures of scores: where a prediction is right and where it is wrong.

Scores of the hold-out are orange, as in the curves of `helpers.plots.network`.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from helpers.data import VOID
from helpers.plots.data import VOID_COLOUR
from helpers.plots.style import GREY, INK, ORANGE, SKY, new_axes, styled

WRONG_COLOUR = (255, 0, 255)  # magenta: no class of VOC's palette has a colour like it
RIGHT_COLOUR = (235, 235, 235)
CLASS_COLOURS = ("#EBEBEB", SKY, "#CC79A7")  # of the small grids: background, 1 and 2
PALE_ORANGES = ("#FAE3B4", "#F2C25C", ORANGE)  # several scores of the hold-out, the last in full


def error_map(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """RGB image (h, w, 3): wrong pixels in magenta, right ones pale, void as in the mask."""
    image = np.full((*truth.shape, 3), RIGHT_COLOUR, dtype=np.uint8)
    image[truth != prediction] = WRONG_COLOUR
    image[truth == VOID] = VOID_COLOUR
    return image


@styled
def number_grids(grids: Mapping[str, np.ndarray], marked: Mapping[str, np.ndarray]) -> np.ndarray:
    """Small grids of class ids 0, 1, 2 or void side by side.

    `marked[title]` is a mask of cells that are outlined; in such a grid the others fade.
    """
    _, axes = plt.subplots(1, len(grids), figsize=(2.2 * len(grids), 2.5), squeeze=False)
    for ax, (title, grid) in zip(axes.flat, grids.items(), strict=True):
        inside = marked.get(title)
        for (y, x), value in np.ndenumerate(grid):
            _cell(ax, x, y, value, faded=inside is not None and not inside[y, x])
        if inside is not None:
            _outline(ax, inside)
        height, width = grid.shape
        ax.set(xlim=(-0.05, width + 0.05), ylim=(height + 0.05, -0.05), aspect="equal")
        ax.set_title(title, fontsize=10, loc="center")
        ax.axis("off")
    return axes


def _cell(ax: Axes, x: int, y: int, value: int, faded: bool) -> None:
    void = value == VOID
    colour = np.array(VOID_COLOUR) / 255 if void else CLASS_COLOURS[value]
    alpha = 0.3 if faded and not void else 1.0
    ax.add_patch(plt.Rectangle((x, y), 1, 1, fc=colour, ec="white", lw=1.5, alpha=alpha))
    ink = GREY if faded else INK
    ax.text(x + 0.5, y + 0.5, "void" if void else value, ha="center", va="center", color=ink)


def _outline(ax: Axes, inside: np.ndarray) -> None:
    """The border of a set of cells: each side of a cell with another one, or nothing, beyond it."""
    padded = np.pad(inside, 1)
    for y, x in np.argwhere(inside):
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if not padded[y + 1 + dy, x + 1 + dx]:
                left, top = x + max(dx, 0), y + max(dy, 0)
                end = (left + (dx == 0), top + (dy == 0))
                ax.plot((left, end[0]), (top, end[1]), color=INK, lw=3, solid_capstyle="round")


@styled
def confusion_chart(matrix: np.ndarray, names: Sequence[str], ax: Axes | None = None) -> Axes:
    """The confusion matrix with each row divided by its sum: where each class's pixels went."""
    ax = new_axes(ax, 0.42 * len(names) + 2.4, 0.42 * len(names) + 1.6)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Oranges", vmin=0, vmax=1)
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
    left.barh(y, np.nan_to_num(iou[order]), color=ORANGE, label="this network, hold-out")
    left.plot(
        baseline[order], y, "D", color=INK, markersize=6, label="all background", clip_on=False
    )
    for row, value in zip(y, iou[order], strict=True):
        text = "absent" if np.isnan(value) else f"{value:.2f}"
        left.text(np.nan_to_num(value) + 0.025, row, text, va="center", fontsize=9)
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
def iou_by_images(names: Sequence[str], counts: Sequence[int], ious: np.ndarray, ax=None) -> Axes:
    """IoU of each class, that with most training images first: a dot for each run, a bar for all.

    `ious` is (runs, classes); a class that is NaN in all of them is left out. `counts` are the
    training images that show a class, written beside its name.
    """
    there = np.flatnonzero(~np.isnan(ious).all(axis=0))
    order = there[np.argsort(-np.asarray(counts)[there], kind="stable")]
    ax = new_axes(ax, 8, 0.28 * len(order) + 0.9)
    y = np.arange(len(order))
    ax.barh(y, np.nanmean(ious[:, order], axis=0), color=PALE_ORANGES[0])
    for run in ious:
        ax.plot(run[order], y, "o", color=ORANGE, markersize=5, alpha=0.7, clip_on=False)
    ax.set_yticks(y, [f"{names[k]}   {counts[k]:,}" for k in order])
    ax.set_title("class, training images", loc="left", x=-0.19, fontsize=10)
    ax.set(xlabel="IoU of the hold-out, a dot for each seed", xlim=(0, 1))
    ax.set(ylim=(len(order) - 0.4, -0.6))
    return ax


@styled
def size_bars(groups: Sequence[str], values: Mapping[str, Sequence[float]], ax=None) -> Axes:
    """Grouped bars: one group for each object size, one shade for each of up to three networks."""
    ax = new_axes(ax, 8.0, 3.0)
    width = 0.8 / len(values)
    x = np.arange(len(groups))
    for k, (colour, (name, scores)) in enumerate(
        zip(PALE_ORANGES[-len(values) :], values.items(), strict=True)
    ):
        offset = (k - (len(values) - 1) / 2) * width
        bars = ax.bar(x + offset, scores, width * 0.92, color=colour, ec=ORANGE, label=name)
        ax.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
    ax.set_xticks(x, groups)
    ax.set(ylabel="IoU", ylim=(0, 1.05))
    if len(values) > 1:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(values), fontsize=9)
    return ax


@styled
def score_bars(scores: Mapping[str, Mapping[str, float]], ax: Axes | None = None) -> Axes:
    """One or two scores for each predictor, side by side: the first grey, the second orange."""
    ax = new_axes(ax, 8.0, 0.7 * len(scores) + 1.0)
    kinds = list(next(iter(scores.values())))
    height = 0.8 / len(kinds)
    y = np.arange(len(scores))
    for k, (colour, kind) in enumerate(zip((GREY, ORANGE), kinds, strict=False)):
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
    """One bar for each way to average, the first (VOC's own) in full colour."""
    ax = new_axes(ax, 8.0, 2.4)
    colours = [ORANGE] + [PALE_ORANGES[0]] * (len(averages) - 1)
    bars = ax.barh(list(averages), list(averages.values()), color=colours, ec=ORANGE)
    ax.bar_label(bars, fmt="%.3f", padding=3, fontsize=9)
    ax.set(xlabel="mean IoU", xlim=(0, 1))
    ax.invert_yaxis()
    return ax
