"""Figures of notebook 03: how a score map grows back to the image, and how training went."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from helpers.plots.style import BLUE, GREY, INK, ORANGE, SKY, new_axes, styled


@styled
def fcn_diagram(height: int, ax: Axes | None = None) -> Axes:
    """FCN-8s as blocks: the backbone shrinks the image, the scores are added on the way back up.

    `height` is the image's height in pixels; it labels the blocks with the sides they have.
    """
    ax = new_axes(ax, 9.0, 3.4)
    backbone = [("image", 1), ("pool3", 8), ("pool4", 16), ("pool5", 32)]
    for k, (name, stride) in enumerate(backbone):
        _block(ax, k * 1.25, 1.9, name, height // stride, stride, SKY)
        if k:
            _link(ax, (k * 1.25 - 0.86, 1.9), (k * 1.25 - 0.40, 1.9))
    ups = [(3.75, "score", 32), (2.5, "+ score 4", 16), (1.25, "+ score 3", 8), (0.0, "logits", 1)]
    for k, (x, name, stride) in enumerate(ups):
        _block(ax, x, 0.45, name, height // stride, stride, ORANGE)
        if k < 3:
            _link(ax, (x, 1.46), (x, 0.90), label="1×1")
        if k:
            factor = ups[k - 1][2] // stride
            _link(ax, (x + 0.86, 0.45), (x + 0.40, 0.45), label=f"×{factor}")
    ax.text(4.35, 1.9, "backbone: fewer and fewer,\nbut richer, pixels", va="center", fontsize=10)
    ax.text(4.35, 0.45, "head: class scores,\nupsampled and added", va="center", fontsize=10)
    ax.set(xlim=(-0.6, 5.9), ylim=(-0.25, 2.6))
    ax.axis("off")
    return ax


def _block(ax: Axes, x: float, y: float, name: str, side: int, stride: int, colour: str) -> None:
    half = 0.36 - 0.045 * np.log2(stride)
    ax.add_patch(plt.Rectangle((x - half, y - half), 2 * half, 2 * half, color=colour, alpha=0.55))
    ax.text(x, y, f"{side}²", ha="center", va="center", fontsize=9, color=INK)
    ax.text(x, y + 0.44 if y > 1 else y - 0.5, name, ha="center", va="center", fontsize=9)


def _link(ax: Axes, start: tuple, end: tuple, label: str = "") -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.3})
    middle = np.add(start, end) / 2
    vertical = start[0] == end[0]
    ax.annotate(label, middle, (6, 0) if vertical else (0, 5), textcoords="offset points",
                fontsize=9, ha="left" if vertical else "center",
                va="center" if vertical else "bottom")  # fmt: skip


@styled
def upsampling_steps(maps: Sequence[np.ndarray], titles: Sequence[str]) -> np.ndarray:
    """Small score maps side by side, each (h, w), on one colour scale. Returns the axes."""
    _, axes = plt.subplots(1, len(maps), figsize=(2.5 * len(maps), 2.7))
    low, high = min(m.min() for m in maps), max(m.max() for m in maps)
    for ax, values, title in zip(axes, maps, titles, strict=True):
        ax.imshow(values, cmap="cividis", vmin=low, vmax=high)
        ax.set_title(title, fontsize=10)
        ax.set(xticks=[], yticks=[])
        if values.size <= 64:
            for (y, x), value in np.ndenumerate(values):
                shade = "black" if value > (low + high) / 2 else "white"
                ax.text(x, y, f"{value:.3g}", ha="center", va="center", fontsize=8, color=shade)
    return axes


@styled
def curves_by_round(history: Sequence[dict], baseline: Mapping[str, float]) -> np.ndarray:
    """Loss, accuracy and mean IoU by round, as `helpers.network` records them. Returns the axes.

    Each entry of `history` has "loss", "accuracy", "val_pixel_accuracy", "val_mean_iou".
    `baseline` holds the "pixel_accuracy" and "mean_iou" of calling everything background.
    """
    _, axes = plt.subplots(1, 3, figsize=(9.5, 3.1))
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
        ax.set_xlabel("round")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(axis="y", color=GREY, alpha=0.25)
        ax.legend(fontsize=9, loc="best")
    return axes


@styled
def bilinear_weights(kernel: np.ndarray, ax: Axes | None = None) -> Axes:
    """One (k, k) upsampling kernel with its numbers."""
    ax = new_axes(ax, 3.2, 3.2)
    ax.imshow(kernel, cmap="Greens", vmin=0)
    for (y, x), value in np.ndenumerate(kernel):
        ax.text(x, y, f"{value:.4g}", ha="center", va="center", fontsize=9,
                color="white" if value > 0.4 * kernel.max() else INK)  # fmt: skip
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax
