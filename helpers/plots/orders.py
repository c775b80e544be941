"""Figures of notebook 06 on the order of the pictures, and on the memory of a window."""

import numpy as np
from matplotlib.axes import Axes

from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, new_axes, styled

ORDERS = {
    "article": (ORANGE, "s", "the article's windows"),
    "reshuffled": (BLUE, "o", "windows, list reshuffled"),
    "everything": (GREEN, "^", "a shuffle of everything"),
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

    Runs are dicts of `order` and `scores`, a list of dicts with `mean_iou`. ValueError for none.
    """
    if not runs:
        raise ValueError("There are no runs to draw.")
    ax = new_axes(ax, 8, 0.7 + 0.55 * len(ORDERS))
    for y, (order, (colour, marker, _)) in enumerate(ORDERS.items()):
        found = [run["scores"][-1]["mean_iou"] for run in runs if run["order"] == order]
        ax.plot(found, np.full(len(found), y), marker, color=colour, markersize=8, alpha=0.7)
        ax.plot([np.mean(found)] * 2, [y - 0.2, y + 0.2], color=INK, linewidth=1.5)
        ax.annotate(
            f"mean {np.mean(found):.3f}",
            (np.mean(found), y + 0.24),
            ha="center",
            va="bottom",
            fontsize=9,
        )
        ax.axhline(y, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
    ax.set_yticks(range(len(ORDERS)), [label for _, _, label in ORDERS.values()])
    ax.set(xlabel="mean IoU of the hold-out, one dot a seed", ylim=(-0.5, len(ORDERS) - 0.3))
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
