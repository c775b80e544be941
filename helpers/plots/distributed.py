"""Figures of notebook 09: shares of a list, curves that lie on each other, memory of processes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, RED, SKY, new_axes, styled

COLOURS = (BLUE, ORANGE, GREEN, SKY)


@styled
def shares_chart(
    shares: Sequence[Sequence[int]],
    held: Sequence[Sequence[int]],
    left_over: Sequence[int] = (),
    ax: Axes | None = None,
) -> Axes:
    """The list as a row of boxes, and below it a row for each process, with its share.

    `shares` are the index rows of each process, `held` those of them in its window: these are
    filled. `left_over` are the rows of nobody, in red. At most four processes.
    """
    if len(shares) > len(COLOURS):
        raise ValueError(f"{len(shares)} processes cannot be told apart here: draw 4 at most.")
    n_images = sum(map(len, shares)) + len(left_over)
    ax = new_axes(ax, 8.5, 0.9 + 0.5 * (len(shares) + 1))
    colour_of = {row: COLOURS[k] for k, share in enumerate(shares) for row in share}
    for row in range(n_images):
        _box(ax, row, 0, colour_of.get(row, RED), filled=True)
    for k, (share, window) in enumerate(zip(shares, held, strict=True)):
        for row in share:
            _box(ax, row, k + 1, COLOURS[k], filled=row in {*window})
    ax.set_yticks(
        range(len(shares) + 1), ["the list", *(f"process {k}" for k in range(len(shares)))]
    )
    ax.set(xlim=(-0.5, n_images - 0.5), ylim=(len(shares) + 0.6, -0.6), xlabel="row of the list")
    ax.tick_params(axis="y", length=0)
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def _box(ax: Axes, x: int, y: int, colour: str, filled: bool) -> None:
    ax.bar(
        x, 0.76, bottom=y - 0.38, width=0.84, color=colour if filled else "none",
        edgecolor=colour, linewidth=1,
    )  # fmt: skip


@styled
def same_curves(curves: Mapping[str, Sequence[float]], ylabel: str, ax: Axes | None = None) -> Axes:
    """Curves by round that should be the same: each narrower and lighter than the one below it.

    So that all can be seen where they lie on each other.
    """
    ax = new_axes(ax, 8, 3.2)
    styles = ((9, SKY, "-"), (4.5, BLUE, "-"), (1.5, ORANGE, "-"), (1.2, INK, ":"))
    for (label, values), (width, colour, line) in zip(curves.items(), styles, strict=False):
        rounds = np.arange(1, len(values) + 1)
        ax.plot(rounds, values, line, color=colour, linewidth=width, label=label)
    ax.set(xlabel="round", ylabel=ylabel)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(axis="y", color=GREY, alpha=0.25)
    ax.legend()
    return ax


@styled
def memory_of_processes(bars: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """A horizontal bar for each process: MiB of its window, one group for each way."""
    rows = [(f"{way}, process {k}", value) for way, values in bars.items()
            for k, value in enumerate(values)]  # fmt: skip
    ax = new_axes(ax, 8, 0.8 + 0.4 * len(rows))
    colours = [
        COLOURS[group % len(COLOURS)] for group, values in enumerate(bars.values()) for _ in values
    ]
    ax.barh([label for label, _ in rows], [value for _, value in rows], 0.62, color=colours)
    most = max(value for _, value in rows)
    for y, (_, value) in enumerate(rows):
        ax.text(value + 0.01 * most, y, f"{value:.2f} MiB", va="center", fontsize=10)
    ax.set(xlabel="window and staging buffer, MiB", xlim=(0, 1.15 * most))
    ax.invert_yaxis()
    return ax


@styled
def scores_of_ways(scores: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """A dot for each seed's score, one line for each way, with the mean as a bar across."""
    ax = new_axes(ax, 8, 0.7 + 0.5 * len(scores))
    for y, values in enumerate(scores.values()):
        ax.plot(values, np.full(len(values), y), "o", color=ORANGE, markersize=8, alpha=0.7)
        mean = float(np.mean(values))
        ax.plot([mean, mean], [y - 0.3, y + 0.3], color=INK, linewidth=2)
        ax.annotate(f"{mean:.3f}", (mean, y - 0.34), ha="center", va="bottom", fontsize=9)
    ax.set_yticks(range(len(scores)), [*scores])
    ax.set(ylim=(len(scores) - 0.4, -0.75), xlabel="mean IoU of the hold-out, a dot for each seed")
    ax.grid(axis="x", color=GREY, alpha=0.25)
    return ax
