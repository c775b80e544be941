"""Figures of notebook 03: how a score map grows back to the image, and how training went."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, SKY, new_axes, styled


@styled
def fcn_diagram(height: int, ax: Axes | None = None) -> Axes:
    """FCN-8s as blocks: the backbone shrinks the image, the scores are added on the way back up.

    `height` is the image's height in pixels; it labels the blocks with the sides they have.
    """
    ax = new_axes(ax, 9.5, 3.3)
    top, bottom = 1.75, 0.3
    places = (0.0, 1.05, 1.95, 3.3, 4.8, 6.3)  # of the image, pool1, …, pool5
    before = None
    for k, x in enumerate(places):
        name = "image" if k == 0 else f"pool{k}"
        half = _block(ax, x, top, height, 2**k, SKY)
        ax.text(x, top + 0.47, name, ha="center", va="center", fontsize=9)
        if before is not None:
            _link(ax, (before, top), (x - half - 0.04, top))
        before = x + half + 0.04

    # The way back: the scores of pool5, a plus where a skip comes in, its sum, and so on.
    half = _block(ax, places[5], bottom, height, 32, GREEN)
    _link(ax, (places[5], top - 0.3), (places[5], bottom + half + 0.05), "1×1")
    before = places[5] - half - 0.04
    for k in (4, 3):
        plus = places[k]
        _plus(ax, plus, bottom)
        _link(ax, (before, bottom), (plus + 0.17, bottom), "×2")
        _link(ax, (plus, top - 0.3), (plus, bottom + 0.17), "1×1")
        half = _block(ax, plus - 0.62, bottom, height, 2**k, GREEN)
        _link(ax, (plus - 0.15, bottom), (plus - 0.62 + half + 0.03, bottom))
        before = plus - 0.62 - half - 0.04
    half = _block(ax, places[0], bottom, height, 1, GREEN)
    _link(ax, (before, bottom), (places[0] + half + 0.04, bottom), "×8")
    ax.text(places[0], bottom - 0.5, "logits", ha="center", va="center", fontsize=9)
    ax.text(6.75, top, "backbone: fewer positions,\nmore numbers at each", va="center", fontsize=10)
    ax.text(6.75, bottom, "head: one score a class,\nenlarged and added", va="center", fontsize=10)
    ax.set(xlim=(-0.45, 8.9), ylim=(-0.4, 2.4), aspect="equal")
    ax.axis("off")
    return ax


def _block(ax: Axes, x: float, y: float, height: int, stride: int, colour: str) -> float:
    """A square with the side that a map has at `stride`; returns half of its own side."""
    half = 0.36 - 0.035 * np.log2(stride)
    ax.add_patch(plt.Rectangle((x - half, y - half), 2 * half, 2 * half, color=colour, alpha=0.55))
    side = height // stride
    ax.text(x, y, f"{side}²", ha="center", va="center", fontsize=9 if half > 0.2 else 8, color=INK)
    return half


def _plus(ax: Axes, x: float, y: float) -> None:
    ax.add_patch(plt.Circle((x, y), 0.15, facecolor="white", edgecolor=INK, linewidth=1.3))
    ax.text(x, y, "+", ha="center", va="center", fontsize=13, weight="bold", color=INK)


def _link(ax: Axes, start: tuple, end: tuple, label: str = "") -> None:
    arrow = {"arrowstyle": "->", "color": INK, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=arrow)
    middle = np.add(start, end) / 2
    vertical = start[0] == end[0]
    ax.annotate(label, middle, (6, 0) if vertical else (0, 4), textcoords="offset points",
                fontsize=9, ha="left" if vertical else "center",
                va="center" if vertical else "bottom")  # fmt: skip


@styled
def upsampling_steps(maps: Sequence[np.ndarray], titles: Sequence[str]) -> np.ndarray:
    """Small score maps side by side, each (h, w), on one colour scale. Returns the axes."""
    # Higher than the maps are wide, so that the titles have room above them.
    _, axes = plt.subplots(1, len(maps), figsize=(2.3 * len(maps), 2.8))
    low, high = min(m.min() for m in maps), max(m.max() for m in maps)
    for ax, values, title in zip(axes, maps, titles, strict=True):
        ax.imshow(values, cmap="cividis", vmin=low, vmax=high)
        ax.set_title(title, fontsize=10)
        ax.set(xticks=[], yticks=[])
        if values.size <= 64:
            size = 9 if len(values) < 5 else 6.5
            for (y, x), value in np.ndenumerate(values):
                shade = "black" if value > (low + high) / 2 else "white"
                ax.text(x, y, f"{value:.3g}", ha="center", va="center", fontsize=size, color=shade)
    return axes


@styled
def curves_by_round(
    history: Sequence[dict], baseline: Mapping[str, float], stopped_after: int | None = None
) -> np.ndarray:
    """Loss, accuracy and mean IoU by round, as `helpers.network` records them. Returns the axes.

    Each entry of `history` has "loss", "accuracy", "val_pixel_accuracy", "val_mean_iou".
    `baseline` holds the "pixel_accuracy" and "mean_iou" of calling everything background.
    `stopped_after` is the last round before a stop, marked by a dotted line.
    """
    figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.3))
    rounds = np.arange(1, len(history) + 1)

    def line(ax, key, colour, label):
        values = [entry[key] for entry in history]
        ax.plot(rounds, values, "o-", markersize=3.5, color=colour, label=label)

    line(axes[0], "loss", BLUE, "window")
    line(axes[1], "accuracy", BLUE, "window")
    line(axes[1], "val_pixel_accuracy", ORANGE, "hold-out")
    line(axes[2], "val_mean_iou", ORANGE, "hold-out")
    for ax, key in ((axes[1], "pixel_accuracy"), (axes[2], "mean_iou")):
        ax.axhline(baseline[key], linestyle="--", color=GREY, linewidth=1.2, label="all background")
    axes[0].set(title="Loss", ylim=(0, None))
    axes[1].set(title="Pixel accuracy", ylim=(None, 1))
    axes[2].set(title="Mean IoU", ylim=(0, 1))
    for ax in axes:
        if stopped_after:
            ax.axvline(stopped_after + 0.5, linestyle=":", color=INK, linewidth=1, label="stop")
        ax.set_xlabel("round")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(axis="y", color=GREY, alpha=0.25)
    # One legend for the three, below them: inside, it would hide a curve of some run or other.
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=10)
    return axes


@styled
def bilinear_weights(kernel: np.ndarray, ax: Axes | None = None) -> Axes:
    """One (k, k) upsampling kernel with its numbers."""
    ax = new_axes(ax, 2.0, 2.0)
    ax.imshow(kernel, cmap="Greens", vmin=0)
    for (y, x), value in np.ndenumerate(kernel):
        ax.text(x, y, f"{value:.4g}", ha="center", va="center", fontsize=7.5,
                color="white" if value > 0.4 * kernel.max() else INK)  # fmt: skip
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax
