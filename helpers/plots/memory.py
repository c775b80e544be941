"""Figures of memory: bytes as bars, and one process over time."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, RED, SKY, new_axes, styled
from helpers.units import MIB

GIB = 2**30
LAPTOPS_GIB = (8, 16, 32, 64)


@styled
def dataset_bars(
    sizes: Mapping[str, Mapping[str, int]], laptop_gib: int = 16, ax: Axes | None = None
) -> Axes:
    """Bars of bytes, one group for each data set, on a logarithmic scale.

    `sizes[data set][form]` is a number of bytes; forms keep their order and colour.
    """
    ax = new_axes(ax, 8.5, 3.8)
    forms = list(next(iter(sizes.values())))
    colours = (GREY, SKY, ORANGE, RED)[: len(forms)]
    height = 0.8 / len(forms)
    for row, by_form in enumerate(sizes.values()):
        for k, (form, n_bytes) in enumerate(by_form.items()):
            y = row + (k - (len(forms) - 1) / 2) * height
            label = form if row == 0 else None
            ax.barh(y, n_bytes / GIB, height * 0.9, color=colours[k], label=label)
            text = ax.text(n_bytes / GIB * 1.1, y, _gib(n_bytes), va="center", fontsize=8)
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.6})
    ax.axvline(laptop_gib, color=INK, linestyle="--", linewidth=1, zorder=0)
    ax.text(laptop_gib, -0.62, f"a laptop with {laptop_gib} GiB", ha="center", fontsize=9)
    ax.set(xscale="log", xlabel="GiB (each step to the right is ten times more)")
    ax.set_yticks(range(len(sizes)), sizes)
    ax.set_xlim(right=ax.get_xlim()[1] * 4)
    ax.invert_yaxis()
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.04), ncols=len(forms), fontsize=9)
    return ax


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / GIB:,.1f}" if n_bytes >= GIB else f"{n_bytes / GIB:.2g}"


@styled
def predicted_and_measured(
    names: Sequence[str], predicted: Sequence[int], measured: Sequence[int], ax: Axes | None = None
) -> Axes:
    """Pairs of bars: the bytes predicted by arithmetic beside those measured in a child."""
    ax = new_axes(ax, 8.0, 2.8)
    y = np.arange(len(names))
    for offset, n_bytes, colour, label in (
        (-0.2, predicted, GREY, "predicted"),
        (0.2, measured, BLUE, "measured"),
    ):
        mib = np.asarray(n_bytes) / MIB
        bars = ax.barh(y + offset, mib, 0.36, color=colour, label=label)
        ax.bar_label(bars, labels=[f"{value:,.0f}" for value in mib], padding=3, fontsize=9)
    ax.set_yticks(y, names)
    ax.invert_yaxis()
    ax.set(xlabel="MiB")
    ax.margins(x=0.12)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    return ax


@styled
def stacked_parts(bars: Mapping[str, Mapping[str, int]], ax: Axes | None = None) -> Axes:
    """Bars of bytes (name -> {part: bytes}), each one its parts in a row, in MiB.

    A part has one colour in all bars; the first is grey, for what is there before the work begins.
    At most five parts. Where there is room the part's number stands in it; the sum stands behind.
    """
    ax = new_axes(ax, 9.0, 0.5 * len(bars) + 1.5)
    parts = list(dict.fromkeys(part for bar in bars.values() for part in bar))
    colours = dict(zip(parts, ("#BDBDBD", GREEN, BLUE, SKY, "white"), strict=False))
    longest = max(sum(bar.values()) for bar in bars.values())
    labelled = set()
    for row, bar in enumerate(bars.values()):
        left = 0.0
        for part, n_bytes in bar.items():
            drawn = ax.barh(
                row, n_bytes / MIB, 0.7, left=left / MIB, color=colours[part], linewidth=0.6,
                edgecolor=INK, label=None if part in labelled else part,
            )  # fmt: skip
            labelled.add(part)
            if n_bytes > longest / 25:
                ax.bar_label(drawn, [f"{n_bytes / MIB:,.0f}"], label_type="center", fontsize=9)
            left += n_bytes
        ax.text(left / MIB, row, f" {left / MIB:,.0f}", va="center", fontsize=9, weight="bold")
    ax.set_yticks(range(len(bars)), bars)
    ax.invert_yaxis()
    ax.set(xlabel="MiB")
    ax.margins(x=0.09)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.2, 1.0), ncols=3, fontsize=9)
    return ax


@styled
def memory_steps(
    names: Sequence[str], resident: Sequence[int], virtual: Sequence[int] | None = None, ax=None
) -> Axes:
    """One bar for each step of a small programme: MiB resident, and MiB promised if given."""
    ax = new_axes(ax, 8.0, 2.8)
    y = np.arange(len(names))
    height = 0.7 if virtual is None else 0.36
    series = [(0.0 if virtual is None else -0.2, resident, BLUE, "resident: in the memory chips")]
    if virtual is not None:
        series.append((0.2, virtual, SKY, "virtual: promised by the system"))
    for offset, n_bytes, colour, label in series:
        mib = np.asarray(n_bytes) / MIB
        bars = ax.barh(y + offset, mib, height, color=colour, label=label)
        ax.bar_label(bars, labels=[f"{value:,.0f}" for value in mib], padding=3, fontsize=9)
    ax.set_yticks(y, names)
    ax.invert_yaxis()
    ax.set(xlabel="MiB above the start")
    ax.margins(x=0.1)
    if virtual is not None:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    return ax


@styled
def will_it_fit(
    n_images: np.ndarray, curves: Mapping[str, np.ndarray], here: int | None = None, ax=None
) -> Axes:
    """Bytes over the number of images, one line for each way to store them, RAM sizes as lines.

    `curves[way]` holds one number of bytes for each entry of `n_images`; `here` marks a count.
    """
    ax = new_axes(ax, 8.5, 4.2)
    for colour, (way, n_bytes) in zip((GREEN, BLUE, ORANGE, RED), curves.items(), strict=False):
        ax.plot(n_images, np.asarray(n_bytes) / GIB, color=colour, linewidth=2.2, label=way)
    for laptop in LAPTOPS_GIB:
        ax.axhline(laptop, color=GREY, linestyle=":", linewidth=1)
        ax.text(n_images[0], laptop * 1.08, f" {laptop} GiB of RAM", fontsize=8, color=INK)
    if here:
        ax.axvline(here, color=INK, linewidth=1, linestyle="--")
        ax.text(here, 0.03, f" {here:,} images", fontsize=9, transform=ax.get_xaxis_transform())
    ax.set(xscale="log", yscale="log", xlabel="number of images", ylabel="GiB")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=9)
    return ax


@styled
def refused_request(
    asked_bytes: int, budget_bytes: int, held_bytes: int, ax: Axes | None = None
) -> Axes:
    """One request that was larger than the whole budget, beside it and beside what was held."""
    ax = new_axes(ax, 7.0, 1.9)
    names = ("asked for at once", "budget", "held until then")
    mib = np.array([asked_bytes, budget_bytes, held_bytes]) / MIB
    bars = ax.barh(names, mib, color=(SKY, RED, BLUE))
    bars[0].set(hatch="//", edgecolor="white")  # wanted, never there
    ax.bar_label(bars, labels=[_mib(value) for value in mib], padding=4, fontsize=9)
    ax.axvline(mib[1], color=RED, linewidth=1.5, linestyle="--", zorder=0)
    ax.set(xlabel="MiB")
    ax.margins(x=0.16)
    ax.invert_yaxis()
    return ax


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
