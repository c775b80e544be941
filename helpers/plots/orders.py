"""Figures of notebooks 05 and 06 on the order of the pictures, and on the memory of a window."""

import numpy as np
from matplotlib.axes import Axes

from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, RED, SKY, new_axes, styled

ORDERS = {
    "everything": (GREEN, "^", "a shuffle of everything"),
    "batch": (SKY, "D", "window of one batch, 1 epoch"),
    "reshuffled": (BLUE, "o", "the article's windows, 1 epoch, list reshuffled"),
    "disjoint": (BLUE, "v", "disjoint windows, 5 epochs, list reshuffled"),
    "article_reshuffled": (ORANGE, "P", "the article's windows, 5 epochs, list reshuffled"),
    "article": (ORANGE, "s", "the article's windows, 5 epochs"),
    "one_epoch": (RED, "X", "the article's windows, 1 epoch, list as it is"),
    "small": (GREY, "<", "windows of three batches, 5 epochs, list reshuffled"),
    "small_sorted": (RED, "<", "windows of three batches, 5 epochs, list sorted by class"),
}


@styled
def shuffled_order(order, buffer: int, ax: Axes | None = None) -> Axes:
    """A dot for each picture: its place in the file, int (n,), and its turn in the stream."""
    ax = new_axes(ax, 4, 3.4)
    ax.plot(order, np.arange(len(order)), ".", color=BLUE, markersize=2, alpha=0.7)
    ax.set(
        title=f"buffer of {buffer:,}",
        xlabel="place in the file",
        ylabel="turn in the stream",
        xlim=(0, len(order)),
        ylim=(0, len(order)),
    )
    return ax


@styled
def scores_by_order(runs, ax: Axes | None = None) -> Axes:
    """A dot for each run's last hold-out mean IoU, one line an order, with its mean.

    Runs are dicts of `order` and `scores`, a list of dicts with `mean_iou`. The order with the best
    mean is at the top. ValueError for no runs.
    """
    if not runs:
        raise ValueError("There are no runs to draw.")
    found = {order: [] for order in ORDERS}
    for run in runs:
        found[run["order"]].append(run["scores"][-1]["mean_iou"])
    best_last = sorted((order for order in found if found[order]), key=lambda o: np.mean(found[o]))
    ax = new_axes(ax, 8, 0.7 + 0.55 * len(best_last))
    for y, order in enumerate(best_last):
        colour, marker, _ = ORDERS[order]
        mean = np.mean(found[order])
        ax.axhline(y, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
        ax.plot(found[order], np.full(len(found[order]), y), marker, color=colour,
                markersize=8, alpha=0.7)  # fmt: skip
        ax.plot([mean, mean], [y - 0.2, y + 0.2], color=INK, linewidth=1.5)
        ax.annotate(f"mean {mean:.3f}", (mean, y + 0.22), ha="center", va="bottom", fontsize=9)
    ax.set_yticks(range(len(best_last)), [ORDERS[order][2] for order in best_last])
    ax.set(xlabel="mean IoU of the hold-out, one dot a seed", ylim=(-0.5, len(best_last) - 0.3))
    ax.locator_params(axis="x", nbins=6)
    ax.margins(x=0.1)
    return ax


@styled
def memory_of_windows(rows, ax: Axes | None = None) -> Axes:
    """Peak memory over the base against the bytes of window and stride, both in MiB.

    Rows are dicts of `arrays_mib` and `peak_mib_over_base`.
    """
    ax = new_axes(ax, 6, 3.4)
    arrays = np.array([row["arrays_mib"] for row in rows])
    peaks = [row["peak_mib_over_base"] for row in rows]
    ax.plot(arrays, arrays, "--", color=GREY, label="the arrays alone")
    ax.plot(arrays, peaks, "o-", color=BLUE, label="measured while training")
    ax.set(xscale="log", yscale="log", xlabel="window and one stride (MiB)")
    ax.set_ylabel("peak over the base (MiB)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:,.0f}")
    ax.legend(loc="upper left")
    return ax
