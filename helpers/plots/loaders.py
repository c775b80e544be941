"""Figures of notebook 06: what each way to feed the network costs, and what it delivers.

A row is a dict for one method: `method` (a key), `label` (for people), `kind` (one of `KINDS` or
"limit", the network without any loader), and the numbers that a figure names.
"""

from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from helpers.plots.labels import label_dots
from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, new_axes, styled

KINDS = {
    "in memory": (ORANGE, "s", "everything in memory"),
    "subset": (BLUE, "o", "one subset in memory"),
    "stream": (GREEN, "^", "a stream from disk"),
}
LIMIT = "limit"
LINE_INCHES = 0.235  # from one row to the next
TEXT_INCHES = 1.2  # "60,000 images/s"


@styled
def memory_against_throughput(rows: Sequence[Mapping], ax: Axes | None = None) -> Axes:
    """A dot for each method: images/s in training over its peak memory; the limit is a line.

    Rows have `images_per_s` (with `_min` and `_max`) and `peak_mib_over_base` (MiB); a limit needs
    `images_per_s` alone. The upward axis starts at 0 unless all are more than half as fast as the
    fastest. Rows without these numbers are left out; ValueError if that leaves no method, or for
    an unknown kind.
    """
    dots = _sorted(rows, "images_per_s", "peak_mib_over_base")
    ax = new_axes(ax, 8.5, 5.2)
    for row in dots:
        x, y = row["peak_mib_over_base"], row["images_per_s"]
        colour, marker, _ = KINDS[row["kind"]]
        spread = [row["images_per_s_min"], row["images_per_s_max"]]
        # Wide and pale, so that a label may lie on it.
        ax.plot([x, x], spread, color=colour, linewidth=5, alpha=0.2, solid_capstyle="round")
        ax.plot(x, y, marker, color=colour, markersize=8, markeredgecolor="white", zorder=3)
    mib = [row["peak_mib_over_base"] for row in dots]
    if min(mib) > 0 and max(mib) > 10 * min(mib):
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.margins(x=0.1)
    ax.set(xlabel="peak memory (MiB above the start)", ylabel="images per second in training")
    limits = _draw_limits(ax, rows)
    low, high = ax.dataLim.y0, ax.dataLim.y1
    # Methods that are all about as fast as the limit would lie on one another above empty axes.
    bottom = 0 if low < high / 2 else low - 0.3 * (high - low)
    ax.set_ylim(bottom, high + 0.08 * (high - bottom))
    _legend(ax, dots)
    points = [(row["peak_mib_over_base"], row["images_per_s"]) for row in dots]
    colours = [KINDS[row["kind"]][0] for row in dots]
    label_dots(ax, points, [row["label"] for row in dots], colours, limits)
    return ax


def _draw_limits(ax: Axes, rows: Sequence[Mapping]) -> list[Artist]:
    """A line for each limit; the highest has its label above it, any other below."""
    drawn = []
    limits = [row for row in rows if row["kind"] == LIMIT and row.get("images_per_s") is not None]
    limits.sort(key=lambda row: row["images_per_s"], reverse=True)
    for row, side in zip(limits, ("bottom", *["top"] * len(limits)), strict=False):
        y = row["images_per_s"]
        drawn.append(ax.axhline(y, color=INK, linestyle="--", linewidth=1.2, zorder=1))
        text = ax.text(0.99, y, row["label"], transform=ax.get_yaxis_transform(), fontsize=9)
        text.set(va=side, ha="right", color=INK)
        drawn.append(text)
    return drawn


@styled
def scores_of_methods(rows: Sequence[Mapping], ax: Axes | None = None) -> Axes:
    """A dot for each method at its `holdout_miou`, the fastest method at the top.

    Rows without a score, as the limit has none, are left out; ValueError if that leaves nothing.
    """
    dots = _sorted(rows, "images_per_s", "holdout_miou")
    ax = _axes_of_rows(ax, dots, "faster in training →")
    for y, row in enumerate(dots):
        colour, marker, _ = KINDS[row["kind"]]
        score = row["holdout_miou"]
        ax.axhline(y, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
        ax.plot(score, y, marker, color=colour, markersize=8, markeredgecolor="white")
        text = ax.annotate(f"{score:.3f}", (score, y), (8, 0), textcoords="offset points")
        text.set(va="center", fontsize=9)
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    ax.set(xlabel="mean IoU of the hold-out")
    ax.margins(x=0.14)
    return ax


@styled
def cost_of_input(rows: Sequence[Mapping], ax: Axes | None = None) -> Axes:
    """A bar for each method: `loader_cpu_ms_per_image`, on a logarithmic scale.

    At its end stand the images/s that the loader delivers alone, `loader_images_per_s`; who
    delivers most is at the top. Rows without these numbers are left out; ValueError if that leaves
    nothing.
    """
    bars = _sorted(rows, "loader_images_per_s", "loader_cpu_ms_per_image")
    ax = _axes_of_rows(ax, bars, "delivers more →")
    for y, row in enumerate(bars):
        colour, _, _ = KINDS[row["kind"]]
        drawn = ax.barh(y, row["loader_cpu_ms_per_image"], 0.7, color=colour)
        ax.bar_label(drawn, [f"{row['loader_images_per_s']:,.0f} images/s"], padding=3, fontsize=9)
    ax.set(xscale="log", xlabel="processor time of the loader (ms per image)")
    ax.xaxis.set_major_formatter("{x:g}")
    costs = [row["loader_cpu_ms_per_image"] for row in bars]
    low, high = min(costs) / 2, max(costs)
    text = min(0.7, TEXT_INCHES / _width_inches(ax))  # its share of the width
    ax.set_xlim(low, low * (high / low) ** (1 / (1 - text)))
    return ax


def _sorted(rows: Sequence[Mapping], by: str, number: str) -> list[Mapping]:
    """The rows of methods that have these numbers, the one with the largest `by` first."""
    for row in rows:
        if row["kind"] not in {LIMIT, *KINDS}:
            known = ", ".join([*KINDS, LIMIT])
            raise ValueError(f"{row['method']}: kind {row['kind']!r} is none of {known}.")
    shown = [row for row in rows if row["kind"] != LIMIT]
    shown = [row for row in shown if row.get(by) is not None and row.get(number) is not None]
    if not shown:
        raise ValueError(f"There is nothing to draw: no method among the rows has {by}, {number}.")
    return sorted(shown, key=lambda row: -row[by])


def _axes_of_rows(ax: Axes | None, rows: Sequence[Mapping], order: str) -> Axes:
    """Axes with one line for each row, the first at the top, and the legend of the kinds."""
    ax = new_axes(ax, 8.0, 1.3 + LINE_INCHES * len(rows))
    ax.set_yticks(range(len(rows)), [row["label"] for row in rows], fontsize=9)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_ylabel(order, fontsize=9)
    ax.tick_params(axis="y", length=0)
    _legend(ax, rows)
    return ax


def _width_inches(ax: Axes) -> float:
    return ax.get_position().width * ax.figure.get_figwidth()


def _legend(ax: Axes, rows: Sequence[Mapping]) -> None:
    there = {row["kind"] for row in rows}
    handles = [
        Line2D([], [], linestyle="", marker=marker, color=colour, markersize=8, label=label)
        for kind, (colour, marker, label) in KINDS.items()
        if kind in there
    ]
    columns = 3 if _width_inches(ax) > 5.5 else 1
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, fontsize=9)
