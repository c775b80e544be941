"""Figures of the claims: what the article's validation shows and hides, what an order teaches.

Runs are what `variants.run_variant` and `orders.learn` return.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

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
    runs,
    scored_on=("split", "holdout_parts"),
    title: str = "",
    score: str = "mean_iou",
    ax: Axes | None = None,
) -> Axes:
    """A score by round: a thin line for each run (seed), a thick one for their mean.

    `score` is "mean_iou" or "pixel_accuracy".
    """
    if not runs:
        raise ValueError("There are no runs to draw.")
    ax = new_axes(ax, 8, 3.6)
    for name in scored_on:
        colour, marker, label = SCORED_ON[name]
        lines = np.array([[row[name][score] for row in run["rounds"]] for run in runs])
        rounds = np.arange(1, lines.shape[1] + 1)
        ax.plot(rounds, lines.T, color=colour, linewidth=0.8, alpha=0.5)
        mean = lines.mean(axis=0)
        ax.plot(rounds, mean, color=colour, marker=marker, markersize=4, linewidth=2, label=label)
    ax.set(xlabel="round", ylabel=SCORES[score], ylim=(0, 1.02), title=title)
    ax.set_xticks([1, *range(5, len(rounds) + 1, 5)])
    ax.legend(loc="lower right", fontsize=9)
    return ax


@styled
def gap_by_variant(groups: dict[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """A dot for each seed's gap between validation and hold-out, one line for each label."""
    ax = new_axes(ax, 8, 0.9 + 0.5 * len(groups))
    for y, gaps in enumerate(reversed(groups.values())):
        colour = RED if np.mean(gaps) > 0.05 else BLUE
        ax.axhline(y, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
        ax.plot(gaps, np.full(len(gaps), y), "o", color=colour, markersize=8, alpha=0.7)
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
def scores_by_order(runs, ax: Axes | None = None) -> Axes:
    """A dot for each run's last hold-out mean IoU, one line an order, with its mean.

    Runs are dicts of `order` and `scores`, a list of dicts with `mean_iou`. The order with the best
    mean is at the top. ValueError for no runs.
    """
    if not runs:
        raise ValueError("There are no runs to draw.")
    found = {order: [] for order in ORDER_STYLES}
    for run in runs:
        found[run["order"]].append(run["scores"][-1]["mean_iou"])
    best_last = sorted((order for order in found if found[order]), key=lambda o: np.mean(found[o]))
    ax = new_axes(ax, 8, 0.7 + 0.55 * len(best_last))
    for y, order in enumerate(best_last):
        colour, marker, _ = ORDER_STYLES[order]
        mean = np.mean(found[order])
        ax.axhline(y, color=GREY, linewidth=0.5, alpha=0.4, zorder=0)
        ax.plot(found[order], np.full(len(found[order]), y), marker, color=colour,
                markersize=8, alpha=0.7)  # fmt: skip
        ax.plot([mean, mean], [y - 0.2, y + 0.2], color=INK, linewidth=1.5)
        ax.annotate(f"mean {mean:.3f}", (mean, y + 0.22), ha="center", va="bottom", fontsize=9)
    ax.set_yticks(range(len(best_last)), [ORDER_STYLES[order][2] for order in best_last])
    ax.set(xlabel="mean IoU of the hold-out, one dot a seed", ylim=(-0.5, len(best_last) - 0.3))
    ax.locator_params(axis="x", nbins=6)
    ax.margins(x=0.1)
    return ax
