"""Figures of the claims: what the article's validation shows and hides, what an order teaches.

Tables have a row for each variant, seed and round, or for each order, seed and step, as
`records.recorded_table` reads them.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from experiments.intervals import Line, interval
from helpers.plots.style import BLUE, GREEN, GREY, INK, ORANGE, RED, SKY, new_axes, styled

# What a round is scored on: colour, marker, and the words for it.
SCORED_ON = {
    "split": (ORANGE, "s", "the round's own validation split"),
    "holdout_parts": (BLUE, "o", "images that no window loads"),
    "first_window": (GREEN, "^", "the first window's images"),
}
SCORES = {"mean_iou": "mean IoU", "pixel_accuracy": "pixel accuracy"}
ORDER_STYLES = {
    "everything": (GREEN, "^", "a shuffle of everything"),
    "batch": (SKY, "D", "window of one batch, 1 epoch"),
    "reshuffled": (BLUE, "o", "the article's windows, 1 epoch, list reshuffled"),
    "disjoint": (BLUE, "v", "disjoint windows, 5 epochs, list reshuffled"),
    "article_reshuffled": (ORANGE, "P", "the article's windows, 5 epochs, list reshuffled"),
    "article": (ORANGE, "s", "the article's windows, 5 epochs"),
    "one_epoch": (RED, "X", "the article's windows, 1 epoch, list as it is"),
    "small": (GREY, "<", "windows of three batches, 5 epochs, list reshuffled"),
    "small_sorted": (RED, "<", "windows of three batches, 5 epochs, list sorted by class"),
    "averaged": (SKY, "s", "the article's windows, 5 epochs, weights averaged"),
    "backwards": (GREEN, "s", "the article's windows, 5 epochs, every second one backwards"),
}


@styled
def leaked_by_round(expected: Sequence[float], counted: Sequence[float], ax=None) -> Axes:
    """The share of validation images that were trained on before: computed, and counted."""
    ax = new_axes(ax, 8, 3)
    rounds = np.arange(1, len(expected) + 1)
    ax.bar(rounds, counted, 0.7, color=ORANGE, alpha=0.6, label="counted, one seed")
    ax.plot(rounds, expected, "o-", color=INK, markersize=4, label="computed, mean of all splits")
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    ax.set(xlabel="round", ylim=(0, 1.05), title="leaked validation images")
    ax.set_xticks(rounds)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return ax


@styled
def scores_by_round(
    table: pd.DataFrame,
    scored_on=("split", "holdout_parts"),
    title: str = "",
    score: str = "mean_iou",
    ax: Axes | None = None,
) -> Axes:
    """A score by round of one variant: a thin line for each seed, a thick one for their mean.

    `score` is "mean_iou" or "pixel_accuracy". ValueError for a table without rows.
    """
    if table.empty:
        raise ValueError("There are no runs to draw.")
    ax = new_axes(ax, 8, 3.6)
    for name in scored_on:
        colour, marker, label = SCORED_ON[name]
        lines = table.pivot(index="round", columns="seed", values=f"{name}_{score}")
        ax.plot(lines.index, lines, color=colour, linewidth=0.8, alpha=0.5)
        mean = lines.mean(axis=1)
        ax.plot(mean, color=colour, marker=marker, markersize=4, linewidth=2, label=label)
    ax.set(xlabel="round", ylabel=SCORES[score], ylim=(0, 1.02), title=title)
    ax.set_xticks([1, *range(5, table["round"].max() + 1, 5)])
    ax.legend(loc="lower right", fontsize=9)
    return ax


@styled
def gap_by_variant(groups: dict[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """A dot for each seed's gap between validation and hold-out, one line for each label.

    The thick line is the 95 % interval of the mean, where there are two seeds or more.
    """
    ax = new_axes(ax, 8, 0.9 + 0.5 * len(groups))
    for y, gaps in enumerate(reversed(groups.values())):
        ax.axhline(y, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
        ax.plot(gaps, np.full(len(gaps), y), "o", color=ORANGE, markersize=8, alpha=0.7)
        if len(gaps) > 1:
            ax.plot(interval(gaps), [y - 0.22] * 2, color=INK, linewidth=2)
        text = ax.annotate(f"{np.mean(gaps):+.3f}", (np.mean(gaps), y + 0.17), ha="center")
        text.set_fontsize(9)
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(range(len(groups)), [*reversed(groups)])
    ax.set(
        xlabel="mean IoU on validation minus mean IoU on new images",
        ylim=(-0.5, len(groups) - 0.3),
    )
    ax.margins(x=0.1)
    return ax


@styled
def gap_by_dose(gaps: dict[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Each run's gap beside the share of its validation images that had been trained on.

    `gaps` has a table of `analysis.gaps` for each label. Lines join the variants' means, rods are
    the 95 % intervals of these.
    """
    ax = new_axes(ax, 8, 3.6)
    for (label, table), colour, marker in zip(gaps.items(), (BLUE, ORANGE), "os", strict=False):
        ax.plot(
            table["leaked_share"],
            table["last_rounds"],
            marker,
            color=colour,
            alpha=0.4,
            markersize=5,
        )
        by_variant = table.groupby("variant")
        means = by_variant[["leaked_share", "last_rounds"]].mean().sort_values("leaked_share")
        ax.plot(*means.to_numpy().T, marker + "-", color=colour, linewidth=2, label=label)
        for variant, found in by_variant["last_rounds"]:
            if len(found) > 1:
                at = [means.loc[variant, "leaked_share"]] * 2
                ax.plot(at, interval(found), color=colour, linewidth=1.5)
    ax.axhline(0, color=INK, linewidth=1)
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    ax.set(
        xlabel="validation images that had been trained on",
        ylabel="gap in mean IoU",
    )
    ax.legend(loc="upper left")
    return ax


@styled
def gap_by_size(
    sizes: pd.DataFrame, line: Line, n_all: int, score: str = "mean_iou", ax: Axes | None = None
) -> Axes:
    """Each run's gap beside the number of images, with a line through the logarithm of it.

    `sizes` has `n_images` and `gap`, the gap of `score`. The line is solid where there are runs,
    with its 95 % band, and dashed from there on to `n_all`, an extrapolation.
    """
    ax = new_axes(ax, 8, 3.6)
    ax.plot(sizes["n_images"], sizes["gap"], "o", color=ORANGE, alpha=0.6, label="a run")
    most = sizes["n_images"].max()
    inside = np.geomspace(sizes["n_images"].min(), most, 50)
    beyond = np.geomspace(most, n_all, 50)
    for n, style, words in (
        (inside, "-", "a straight line, and its 95 % band"),
        (beyond, "--", "its extrapolation"),
    ):
        mean, low, high = line.at(np.log(n))
        ax.plot(n, mean, style, color=INK, linewidth=1.5, label=words)
        ax.fill_between(n, low, high, color=GREY, alpha=0.3 if style == "-" else 0.12, linewidth=0)
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(
        xscale="log",
        xlabel="images in all",
        ylabel=f"gap in {SCORES[score]}",
    )
    ticks = [*sorted(sizes["n_images"].unique()), n_all]
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()
    ax.legend(loc="lower left", bbox_to_anchor=(0, 0.08), fontsize=9)  # above the line at 0
    return ax


@styled
def scores_by_order(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """A dot for each run's last hold-out mean IoU, one line an order, with its mean.

    The order with the best mean is at the top. ValueError for a table without rows.
    """
    if table.empty:
        raise ValueError("There are no runs to draw.")
    last = table.groupby(["order", "seed"])["mean_iou"].last()
    means = last.groupby("order").mean().sort_values()
    ax = new_axes(ax, 8, 0.7 + 0.55 * len(means))
    for y, (order, mean) in enumerate(means.items()):
        colour, marker, _ = ORDER_STYLES[order]
        found = last[order].to_numpy()
        ax.axhline(y, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
        ax.plot(found, np.full(len(found), y), marker, color=colour, markersize=8, alpha=0.7)
        ax.plot([mean, mean], [y - 0.2, y + 0.2], color=INK, linewidth=1.5)
        ax.annotate(f"mean {mean:.3f}", (mean, y + 0.22), ha="center", va="bottom", fontsize=9)
    ax.set_yticks(range(len(means)), [ORDER_STYLES[order][2] for order in means.index])
    ax.set(xlabel="mean IoU of the hold-out, one dot a seed", ylim=(-0.5, len(means) - 0.3))
    ax.locator_params(axis="x", nbins=6)
    ax.margins(x=0.1)
    return ax
