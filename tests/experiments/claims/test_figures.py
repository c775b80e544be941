"""What the article's validation shows and hides, and what an order teaches, as figures."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import figures
from experiments.intervals import Line, interval
from tests.support import dots_of, texts_of, yticks_of

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def test_each_order_has_its_seeds_and_its_mean():
    found = {"article": (0.5, 0.6), "reshuffled": (0.7, 0.8), "everything": (0.7, 0.9)}
    table = pd.DataFrame(
        [
            {"order": order, "seed": seed, "step": step, "mean_iou": score * step / 2}
            for order, scores in found.items()
            for seed, score in enumerate(scores)
            for step in (1, 2)
        ]
    )
    ax = figures.scores_by_order(table)
    assert texts_of(ax) == ["mean 0.550", "mean 0.750", "mean 0.800"]
    assert [tuple(dot.get_xdata()) for dot in dots_of(ax)] == list(found.values())
    with pytest.raises(ValueError, match="no runs"):
        figures.scores_by_order(table[:0])


def claims_table(*seeds):
    return pd.DataFrame(
        [
            {"seed": seed, "round": round_}
            | {f"{name}_mean_iou": 0.5 + 0.1 * seed for name in figures.SCORED_ON}
            | {f"{name}_pixel_accuracy": 0.9 for name in figures.SCORED_ON}
            for seed in seeds
            for round_ in (1, 2, 3)
        ]
    )


def test_leaked_shares_are_bars_and_a_line():
    ax = figures.leaked_by_round([0, 0.81, 0.88], [0, 0.8, 0.9])
    assert [bar.get_height() for bar in ax.patches] == [0, 0.8, 0.9]
    assert list(ax.lines[0].get_ydata()) == [0, 0.81, 0.88]


def test_scores_by_round_have_a_thin_line_for_each_seed_and_a_thick_mean():
    ax = figures.scores_by_round(claims_table(0, 2))
    assert len(ax.lines) == 2 * (2 + 1)
    thick = [line for line in ax.lines if line.get_linewidth() == 2]
    assert [line.get_label() for line in thick] == [
        "the round's own validation split",
        "images that no window loads",
    ]
    assert all(list(line.get_ydata()) == pytest.approx([0.6] * 3) for line in thick)
    assert all(list(line.get_xdata()) == [1, 2, 3] for line in ax.lines)
    accuracy = figures.scores_by_round(claims_table(0), ["split"], score="pixel_accuracy")
    assert list(accuracy.lines[-1].get_ydata()) == [0.9] * 3
    assert (ax.get_ylabel(), accuracy.get_ylabel()) == ("mean IoU", "pixel accuracy")
    with pytest.raises(ValueError, match="no runs"):
        figures.scores_by_round(claims_table())


def test_gaps_have_a_dot_for_each_seed_their_mean_and_its_interval():
    ax = figures.gap_by_variant({"leaks": [0.2, 0.4], "one run": [-0.01]})
    assert texts_of(ax) == ["-0.010", "+0.300"]
    assert yticks_of(ax) == ["one run", "leaks"]
    (line,) = [line for line in ax.lines if line.get_linewidth() == 2]
    low, high = line.get_xdata()  # Student's t, one degree of freedom: 12.706 · 0.1
    assert low == pytest.approx(0.3 - 1.2706, abs=1e-3) and high == pytest.approx(1.5706, abs=1e-3)


def test_doses_have_a_dot_for_each_run_and_a_line_through_the_means():
    table = pd.DataFrame(
        {
            "variant": ["article", "article", "split_once", "split_once"],
            "leaked_share": [0.8, 0.9, 0.0, 0.0],
            "last_rounds": [0.3, 0.5, 0.1, -0.1],
        }
    )
    ax = figures.gap_by_dose({"drawn": table, "photographs": table.iloc[:1]})
    (means,) = [line for line in ax.lines if line.get_label() == "drawn"]
    assert means.get_xdata().tolist() == pytest.approx([0, 0.85])
    assert means.get_ydata().tolist() == pytest.approx([0, 0.4])
    drawn = [line for line in ax.lines if line.get_linestyle() == "-"]
    rods = [line for line in drawn if line.get_linewidth() == 1.5]
    assert [rod.get_ydata().tolist() for rod in rods] == [
        pytest.approx(interval(gaps)) for gaps in ([0.3, 0.5], [0.1, -0.1])
    ]


def test_a_size_beyond_the_runs_is_dashed():
    sizes = pd.DataFrame({"n_images": [100, 200, 400, 400], "gap": [0.5, 0.4, 0.3, 0.32]})
    line = Line.through(np.log(sizes["n_images"]), sizes["gap"])
    ax = figures.gap_by_size(sizes, line, 2900, "pixel_accuracy")
    solid, dashed = [one for one in ax.lines if len(one.get_xdata()) == 50]
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    assert [*solid.get_xdata()[[0, -1]], dashed.get_xdata()[-1]] == pytest.approx([100, 400, 2900])
    assert solid.get_ydata()[-1] == pytest.approx(dashed.get_ydata()[0])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["100", "200", "400", "2,900"]
    assert ax.get_ylabel() == "gap in pixel accuracy"
