"""Figures of notebook 02: the windows, the loop, the ring buffer, the memory of two loops."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import ConnectionPatch, FancyArrowPatch, FancyBboxPatch

from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, RED, SKY, new_axes, styled
from helpers.units import MIB


@styled
def windows_chart(n_images: int, windows: Sequence, seen: np.ndarray) -> np.ndarray:
    """Above: one bar for each round's window. Below: how many windows hold each image.

    `windows` have `.start` and `.stop`; `seen` has shape (n_images,). Returns the two axes.
    """
    _, axes = plt.subplots(2, 1, figsize=(8.5, 5.2), sharex=True, height_ratios=(3, 1))
    top, bottom = axes
    for k, window in enumerate(windows):
        width = window.stop - window.start
        top.barh(k + 1, width, left=window.start, height=0.72, color=BLUE if k % 2 else SKY)
    lost = int(np.count_nonzero(seen == 0))
    if lost:
        top.axvspan(n_images - lost, n_images, color=RED, alpha=0.9, linewidth=0)
        label = f"{lost} images\nnever loaded"
        top.text(0.985 * n_images, 1.2, label, ha="right", va="top", color=RED)
    top.set(ylabel="round", ylim=(len(windows) + 0.8, 0.2))
    top.set_yticks([1, *range(5, len(windows) + 1, 5)])
    bottom.fill_between(np.arange(n_images), seen, step="post", color=ORANGE)
    bottom.set(
        xlabel="image number in the list", ylabel="windows\nthat hold it", xlim=(0, n_images)
    )
    return axes


STEPS = {
    "paths": (0.10, "list the paths\n(no image read)", SKY),
    "read": (0.30, "read ONE window\nimages + masks", BLUE),
    "train": (0.50, "train on it\nin 5 passes", GREEN),
    "delete": (0.70, "delete it\ndel, gc.collect()", ORANGE),
    "done": (0.90, "save the model", GREY),
}


@styled
def flow_chart(ax: Axes | None = None) -> Axes:
    """The article's loop as a flow chart: list, read, train, delete, and back to read."""
    ax = new_axes(ax, 9.0, 2.5)
    for x, text, colour in STEPS.values():
        box = FancyBboxPatch(
            (x - 0.078, 0.42), 0.156, 0.34, boxstyle="round,pad=0.006", facecolor=colour, alpha=0.25
        )
        ax.add_patch(box)
        ax.text(x, 0.59, text, ha="center", va="center", fontsize=10, color=INK)
    centres = [x for x, _, _ in STEPS.values()]
    for left, right in pairwise(centres):
        _arrow(ax, (left + 0.086, 0.59), (right - 0.086, 0.59))
    _arrow(ax, (0.70, 0.40), (0.30, 0.40), curve=-0.35)
    back = "then the next window: its start lies one stride further on"
    ax.text(0.50, 0.10, back, ha="center", fontsize=10)
    ax.text(0.80, 0.82, "after the last window", ha="center", fontsize=9)
    ax.set(xlim=(0, 1), ylim=(0, 0.9))
    ax.axis("off")
    return ax


def _arrow(ax: Axes, start: tuple, end: tuple, curve: float = 0.0) -> None:
    style = f"arc3,rad={curve}"
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="->", connectionstyle=style, mutation_scale=14, color=INK
        )
    )


@styled
def ring_chart(rows_by_round: Sequence[np.ndarray], ax: Axes | None = None) -> Axes:
    """Which image each slot of the ring buffer holds, round by round; new arrivals in orange.

    `rows_by_round[k]` has shape (window,): the index row in each slot in round k.
    """
    rows = np.stack(rows_by_round)
    ax = new_axes(ax, 8.0, 0.5 + 0.42 * len(rows))
    fresh = np.ones_like(rows, dtype=bool)
    fresh[1:] = rows[1:] != rows[:-1]
    for (round_, slot), row in np.ndenumerate(rows):
        colour = ORANGE if fresh[round_, slot] and round_ else SKY
        ax.add_patch(plt.Rectangle((slot, round_), 0.94, 0.88, color=colour, linewidth=0))
        ax.text(slot + 0.47, round_ + 0.44, row, ha="center", va="center", fontsize=9, color=INK)
    ax.set(xlim=(0, rows.shape[1]), ylim=(len(rows), 0), xlabel="slot of the ring buffer")
    ax.set_xticks(np.arange(rows.shape[1]) + 0.47, range(rows.shape[1]))
    ax.set_yticks(np.arange(len(rows)) + 0.44, [f"round {k + 1}" for k in range(len(rows))])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


@styled
def memory_of_loops(
    runs: Mapping[str, object], shown: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Memory over the share of the run that is over, one line for each loop, in the same axes.

    `runs[name]` has `times` (s), `rss_bytes` and `base_bytes`, as `measure_peak` returns them. A
    loop keeps its colour when only some are `shown` (default: all).
    Each line is drawn over its own duration, scaled to 0–100 %, because the loops differ in speed.
    """
    ax = new_axes(ax, 8.5, 3.6)
    for colour, (name, run) in zip((RED, ORANGE, BLUE, GREEN), runs.items(), strict=False):
        if shown is not None and name not in shown:
            continue
        times = np.asarray(run.times, dtype=float)
        done = 100 * (times - times[0]) / (times[-1] - times[0])
        mib = (np.asarray(run.rss_bytes, dtype=float) - run.base_bytes) / MIB
        ax.plot(done, mib, color=colour, linewidth=1.6, label=name)
    ax.set(xlabel="share of the run that is over (%)", ylabel="MiB above the start", xlim=(0, 100))
    ax.set_ylim(bottom=0)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(runs), fontsize=9)
    return ax


PAST, TO_COME = "#BDBDBD", "#E8E8E8"
# The computer of the drawing holds this many windows, so that the growing array breaks half-way.
LIMIT_IN_WINDOWS = 1.85


@styled
def sliding_window(geometry, round_: int, axes: Sequence[Axes] | None = None) -> np.ndarray:
    """One round seen from above: the window in the list, its slots in memory, the memory so far.

    `geometry` is a small `Geometry`, such as `Geometry.scaled(58, size=(64, 64))`: each image is
    drawn. Rounds count from 0. New images are orange, and a line leads each of them to the slot
    that it overwrites. Below, window and staging buffer stay as they are, counted in images, while
    an array of everything that was read grows until it breaks. Returns the three axes.
    """
    if axes is None:
        _, axes = plt.subplots(3, 1, figsize=(7.6, 4.8), height_ratios=(0.8, 1.0, 3.4))
    above, slots, below = axes
    rows = geometry.rows(round_)
    before = geometry.rows(round_ - 1) if round_ else rows
    new = np.setdiff1d(rows, before)
    colours = np.full(geometry.n_images, TO_COME, dtype=object)
    colours[: rows[0]], colours[rows], colours[new] = PAST, BLUE, ORANGE
    _boxes(above, colours)
    above.set_title(f"Round {round_ + 1}: the window moves on over a list of {len(colours)} images")
    _slots(slots, geometry.window, rows, colours[rows], new, before)
    for row in new:
        _lead(above, (row + 0.45, 0), slots, (row % geometry.window + 0.45, 1))
    _memory_so_far(below, geometry, round_)
    return np.asarray(axes)


def _slots(ax: Axes, window: int, rows, colours, new, before) -> None:
    """The slots of the ring, each with its image, and which images have just overwritten which."""
    in_slots, numbers = np.full((2, window), "", dtype=object)
    in_slots[:] = TO_COME
    in_slots[rows % window], numbers[rows % window] = colours, rows
    _boxes(ax, in_slots, numbers)
    text = f"{window} slots, filled with the first window"
    if len(new):
        gone = before[np.isin(before % window, new % window)]
        text = f"{_names(new)} overwrite{'s' * (len(new) == 1)} {_names(gone)}"
    # It stands below the boxes: the lines from the list need the room above them.
    ax.text(0, -0.12, f"In memory: {text}", va="top", weight="bold", fontsize=12)
    ax.set_title(" ", fontsize=14)


def _names(rows: np.ndarray) -> str:
    if len(rows) == 1:
        return f"image {rows[0]}"
    return f"images {rows[0]} {'and' if len(rows) == 2 else 'to'} {rows[-1]}"


def _boxes(ax: Axes, colours: Sequence[str], numbers: Sequence[int] = ()) -> None:
    """A row of boxes, with a number in each if there are numbers."""
    for k, colour in enumerate(colours):
        box = plt.Rectangle((k, 0), 0.9, 1, color=colour, linewidth=0, snap=False)
        ax.add_patch(box)
    for k, number in enumerate(numbers):
        shade = INK if colours[k] == ORANGE else "white"
        ax.text(k + 0.45, 0.46, number, ha="center", va="center", fontsize=9, color=shade)
    ax.set(xlim=(0, len(colours) - 0.1), ylim=(0, 1))
    ax.axis("off")


def _lead(above: Axes, start: tuple, below: Axes, end: tuple) -> None:
    """A thin line from a box of the upper axes to one of the lower axes."""
    line = ConnectionPatch(
        start, end, "data", "data", axesA=above, axesB=below, color=ORANGE, linewidth=1.2
    )
    line.set_in_layout(False)
    above.add_artist(line)


def _memory_so_far(ax: Axes, geometry, round_: int) -> None:
    """Images in memory by round: of the window, and of an array that keeps what it has read."""
    limit = LIMIT_IN_WINDOWS * geometry.window
    top, right = 1.25 * limit, geometry.n_rounds + 0.5
    ax.axhspan(limit, top, color=RED, alpha=0.1, linewidth=0)
    ax.text(right - 0.1, 1.11 * limit, "no more memory", color=RED, ha="right", va="center")
    breaks_at = 1 + (limit - geometry.window) / geometry.stride
    end = min(round_ + 1, breaks_at)
    kept = geometry.window + (end - 1) * geometry.stride
    broken = {"marker": "X", "color": RED, "markersize": 13}
    growing = {"marker": "o", "color": GREY, "markersize": 8}
    ax.plot([1, end], [geometry.window, kept], color=GREY, linewidth=3)
    ax.plot(end, kept, zorder=3, **(broken if end == breaks_at else growing))
    if end == breaks_at:
        ax.text(end + 0.5, 1.11 * limit, "MemoryError", color=RED, weight="bold", va="center")
    held = geometry.window + geometry.stride
    ax.plot([1, round_ + 1], [held, held], color=BLUE, linewidth=3)
    ax.plot(round_ + 1, held, "o", color=BLUE, markersize=8)
    ax.text(0.8, 0.86 * limit, "an array of everything", color="#6E6E6E", weight="bold")
    ax.text(0.8, 0.78 * held, "window and staging buffer", color=BLUE, weight="bold", va="top")
    ax.set(xlim=(0.5, right), ylim=(0, top), xlabel="round", ylabel="images in memory")
    ax.set_xticks([1, *range(5, geometry.n_rounds + 1, 5)])
