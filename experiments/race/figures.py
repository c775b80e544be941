"""Figures of the race: what each way to feed the network costs, and what it delivers.

A row is a dict for one method: `method` (a key), `label` (for people), `kind` (one of `KINDS` or
"limit", the network without any loader), and the numbers that a figure names.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from experiments.race.loaders import LOADERS
from experiments.race.turns import beside, ratios_of
from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, new_axes, styled

KINDS = {
    "in memory": (ORANGE, "s", "everything in memory"),
    "subset": (BLUE, "o", "one subset in memory"),
    "stream": (GREEN, "^", "a stream from disk"),
}
LIMIT = "limit"
LENGTH_STYLES = {
    "array": (ORANGE, "all images in arrays of bytes"),
    "window": (BLUE, "a window of 200"),
}
LINE_INCHES = 0.235  # from one row to the next
TEXT_INCHES = 1.2  # "60,000 images/s"


@styled
def memory_and_speed(rows: Sequence[Mapping]) -> np.ndarray:
    """One row a loader, the fastest at the top: peak memory on the left, speed on the right.

    Rows have `images_per_s` (with `_min` and `_max`, drawn as a pale band) and `peak_mib_over_base`
    (MiB, on a logarithmic axis if it spans more than a factor of ten). A limit needs `images_per_s`
    alone; the highest is a dashed line. Rows without these numbers are left out; ValueError if that
    leaves no loader, or for an unknown kind. Returns the two axes.
    """
    shown = _sorted(rows, "images_per_s", "peak_mib_over_base")
    height = 1.5 + LINE_INCHES * len(shown)
    figure, axes = plt.subplots(1, 2, figsize=(9, height), sharey=True, width_ratios=(2, 3))
    figure.get_layout_engine().set(wspace=0.05)
    memory, speed = axes
    _lines(memory, shown, "faster →" if len(shown) > 1 else "")
    _memory_bars(memory, shown)
    handles = _handles(shown)
    for y, row in enumerate(shown):
        colour, marker, _ = KINDS[row["kind"]]
        spread = [row["images_per_s_min"], row["images_per_s_max"]]
        speed.axhline(y, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
        speed.plot(spread, [y, y], color=colour, linewidth=6, alpha=0.25, solid_capstyle="round")
        speed.plot(row["images_per_s"], y, marker, color=colour, markersize=8,
                   markeredgecolor="white", clip_on=False)  # fmt: skip
    fastest = max(row["images_per_s_max"] for row in shown)
    limits = [row["images_per_s"] for row in rows if row["kind"] == LIMIT]
    if limits := [limit for limit in limits if limit is not None]:
        # Behind the dots: the fastest loaders are as fast as the limit.
        line = speed.axvline(max(limits), color=INK, linestyle="--", linewidth=1.2, zorder=1)
        line.set_label("the limit: no loader")
        handles.append(line)
    speed.set_xlim(0, 1.05 * max([fastest, *limits]))
    speed.set_xlabel("images per second in training", fontsize=10)
    speed.tick_params(axis="y", length=0)
    for ax in axes:
        ax.tick_params(axis="x", labelsize=9)
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=9)
    return axes


def _memory_bars(ax: Axes, rows: Sequence[Mapping]) -> None:
    peaks = [row["peak_mib_over_base"] for row in rows]
    bars = ax.barh(range(len(rows)), peaks, 0.7, color=[KINDS[row["kind"]][0] for row in rows])
    ax.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=9)
    low, high = min(peaks), max(peaks)
    if 0 < low < high / 10:
        left = min(1, low / 2)
        ax.set(xscale="log", xlim=(left, high * (high / left) ** 0.25))  # a fifth for the number
        ax.xaxis.set_major_formatter("{x:,g}")
        ax.set_xlabel("peak MiB above the start, logarithmic", fontsize=10)
    else:
        ax.set_xlim(min(low, 0), 1.25 * max(high, 1))
        ax.set_xlabel("peak MiB above the start", fontsize=10)


@styled
def ratios_by_turn(races: Mapping[str, pd.DataFrame], other: str) -> np.ndarray:
    """For each race a panel: every runner's speed as a share of `other`'s of the same turn.

    A race is a table of `tools/race.py`. A dot is a turn, the line below the 95 % interval of the
    mean. Returns the axes.
    """
    found = {name: beside(table, other) for name, table in races.items()}
    most = max(map(len, found.values()))
    size = (9, 0.8 + len(found) * (0.5 + 0.32 * most))
    _, axes = plt.subplots(len(found), 1, figsize=size, sharex=True, squeeze=False)
    for ax, (name, rows) in zip(axes[:, 0], found.items(), strict=True):
        turns = ratios_of(races[name], other)
        for y, row in enumerate(rows.iloc[::-1].to_dict("records")):
            colour, marker, _ = KINDS[row["kind"]]
            ratios = turns[row["method"]]
            ax.axhline(y, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
            above, below = np.full(len(ratios), y + 0.16), [y - 0.16] * 2
            ax.plot(ratios, above, marker, color=colour, alpha=0.6, markersize=5)
            ax.plot([row["low"], row["high"]], below, color=colour, linewidth=3)
        ax.axvline(1, color=INK, linestyle="--", linewidth=1.2, zorder=1)
        ax.set_yticks(range(len(rows)), rows["label"][::-1], fontsize=9)
        ax.set(ylim=(-0.6, len(rows) - 0.4), title=name)
        ax.tick_params(axis="y", length=0)
    axes[-1, 0].set_xlabel(f"images a second, as a share of: {LOADERS[other].label}")
    return axes[:, 0]


@styled
def cost_of_input(rows: Sequence[Mapping], ax: Axes | None = None) -> Axes:
    """A bar for each method: `loader_cpu_ms_per_image`, on a logarithmic scale.

    At its end stand the images/s that the loader delivers alone, `loader_images_per_s`; who
    delivers most is at the top. Rows without these numbers are left out; ValueError if that leaves
    nothing.
    """
    bars = _sorted(rows, "loader_images_per_s", "loader_cpu_ms_per_image")
    ax = new_axes(ax, 8.0, 1.3 + LINE_INCHES * len(bars))
    _lines(ax, bars, "delivers more →")
    columns = 3 if _width_inches(ax) > 5.5 else 1
    ax.legend(handles=_handles(bars), loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns,
              fontsize=9)  # fmt: skip
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


def _lines(ax: Axes, rows: Sequence[Mapping], order: str) -> None:
    ax.set_yticks(range(len(rows)), [row["label"] for row in rows], fontsize=9)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_ylabel(order, fontsize=9)
    ax.tick_params(axis="y", length=0)


def _width_inches(ax: Axes) -> float:
    return ax.get_position().width * ax.figure.get_figwidth()


def _handles(rows: Sequence[Mapping]) -> list[Line2D]:
    there = {row["kind"] for row in rows}
    return [
        Line2D([], [], linestyle="", marker=marker, color=colour, markersize=8, label=label)
        for kind, (colour, marker, label) in KINDS.items()
        if kind in there
    ]


@styled
def shuffled_order(order, buffer: int, ax: Axes | None = None) -> Axes:
    """A dot for each image: its place in the file, int (n,), and its turn in the stream."""
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


@styled
def memory_by_length(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Peak memory in MiB against the number of images in the list, a line for each way.

    `table` has a row for each way and number, as `experiments.race.list_length` measures them.
    """
    ax = new_axes(ax, 7, 3.4)
    for way, (colour, label) in LENGTH_STYLES.items():
        rows = table[table["way"] == way].sort_values("images")
        ax.plot(rows["images"], rows["peak_mib"], "o-", color=colour, label=label)
        last = rows.iloc[-1]
        ax.annotate(f"{last['peak_mib']:,.0f} MiB", (last["images"], last["peak_mib"]),
                    (6, 4), textcoords="offset points", va="bottom", ha="right")  # fmt: skip
    ax.set(xlabel="images in the list", ylabel="peak over the base (MiB)")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.legend(loc="upper left")
    ax.margins(x=0.04, y=0.12)
    ax.set_ylim(bottom=0)
    return ax
