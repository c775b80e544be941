"""The timeline of one process's memory."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from helpers.memory.sizes import MIB
from helpers.plots.style import BLUE, GREY, INK, RED, new_axes, styled


@styled
def memory_timeline(
    times: np.ndarray,
    rss_bytes: np.ndarray,
    *,
    budget_bytes: int | None = None,
    base_bytes: int | None = None,
    peak_bytes: int | None = None,
    marks: Sequence[tuple[float, str]] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw RSS in MiB over `times` in seconds, the peak marked, and return the axes.

    `base_bytes` is subtracted, so that the curve starts at 0; `budget_bytes`, counted above the
    base, becomes a line. `peak_bytes` is the true high-water mark, which the samples may have
    missed. `marks` are (time, label).
    """
    ax = new_axes(ax, 7.0, 2.4)
    base = base_bytes or 0
    used = (np.asarray(rss_bytes) - base) / MIB
    peak = float(used.max()) if peak_bytes is None else (peak_bytes - base) / MIB
    budget = None if budget_bytes is None else budget_bytes / MIB
    ax.fill_between(times, used, color=BLUE, alpha=0.2, linewidth=0)
    ax.plot(times, used, color=BLUE, linewidth=1.8)
    ax.set_ylim(0, max(peak, budget or 0, 1.0) * 1.28)
    ax.margins(x=0.02)
    _label_levels(ax, times, used, peak, budget)
    _label_marks(ax, times, marks)
    ax.set_xlabel("seconds")
    ax.set_ylabel("MiB in RAM" if base_bytes is None else "MiB added")
    return ax


def _label_levels(ax: Axes, times, used, peak: float, budget: float | None) -> None:
    """Label peak and budget on opposite sides, both above the budget if the peak is near it."""
    when = times[int(np.argmax(used))]
    on_left = when < (times[0] + times[-1]) / 2
    near_budget = budget is not None and peak > 0.75 * budget
    ax.plot([when], [peak], marker="o", markersize=6, color=BLUE, clip_on=False)
    ax.annotate(
        f"peak {_mib(peak)}",
        (when, max(peak, budget) if near_budget else peak),
        (-4 if on_left else 4, 5),
        textcoords="offset points",
        ha="left" if on_left else "right",
        color=BLUE,
        weight="bold",
    )
    if budget is None:
        return
    ax.axhline(budget, color=RED, linewidth=1.5, linestyle="--")
    ax.annotate(
        f"budget {_mib(budget)}",
        (0.99 if on_left else 0.01, budget),
        (0, 5),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right" if on_left else "left",
        color=RED,
        weight="bold",
    )


def _label_marks(ax: Axes, times, marks: Sequence[tuple[float, str]]) -> None:
    """Draw every mark; write the label of those that have room, above the axes."""
    free_from = -np.inf
    for when, name in marks:
        ax.axvline(when, color=GREY, linewidth=0.9, linestyle=":")
        if when < free_from:
            continue
        ax.annotate(
            name,
            (when, 1),
            (0, 2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontsize=9,
        )
        free_from = when + (times[-1] - times[0]) * (0.015 + 0.013 * len(name))


def _mib(value: float) -> str:
    return f"{value:,.0f} MiB" if value >= 10 else f"{value:,.1f} MiB"
