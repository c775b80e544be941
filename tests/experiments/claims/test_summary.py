"""What the kept tables say: a line for each order and variant, a column for each data."""

import pandas as pd
import pytest

from experiments.claims import summary


@pytest.fixture
def kept(monkeypatch):
    """Tables in place of the recorded ones, by their name."""
    tables = {}
    monkeypatch.setattr(summary, "recorded_table", lambda name: pd.DataFrame(tables[name]))
    return tables


def order_rows(order, scores):
    return [
        {"order": order, "seed": seed, "step": step, "mean_iou": score * step / 2}
        for seed, score in enumerate(scores)
        for step in (1, 2)
    ]


def test_an_order_has_the_mean_of_its_last_scores_with_interval_and_count(kept):
    kept["orders_drawn"] = order_rows("article", [0.5, 0.7]) + order_rows("batch", [0.8])
    kept["orders_photographs"] = order_rows("article", [0.1, 0.1])
    assert summary.orders_summary().splitlines() == [
        "| order | drawn | photographs |",
        "|---|---|---|",
        # Student's t, one degree of freedom: 12.706 · 0.1
        "| article | 0.600 (-0.671 to 1.871), 2 seeds | 0.100 (0.100 to 0.100), 2 seeds |",
        "| batch | 0.800, 1 seed |  |",
    ]


def test_a_variant_has_its_gap_over_the_last_ten_rounds(kept):
    rows = [
        {
            "variant": "article",
            "seed": 0,
            "round": number,
            "leaked_share": 0.9,
            "split_mean_iou": 0.9,
            "holdout_parts_mean_iou": 0.1 if number == 1 else 0.6,
        }
        for number in range(1, 21)
    ]
    kept["claims_drawn"], kept["claims_photographs"] = rows, rows[:0] + rows
    assert summary.gaps_summary().splitlines()[2:] == [
        "| article | +0.300, 1 seed | +0.300, 1 seed |"
    ]


def test_a_head_has_a_column_for_each_mean(kept):
    averaged = [f"averaged_{score}" for score in (*summary.HEAD_SCORES, "n_classes")]
    kept["head_photographs"] = [
        {"way": way, "seed": seed, "n_classes": 17}
        | dict.fromkeys(summary.HEAD_SCORES, 0.3)
        | several
        for way, several in (("everything", {}), ("gentle", dict.fromkeys(averaged, 0.4)))
        for seed in (0, 1)
    ]
    assert summary.head_summary().splitlines() == [
        "| way | 17 classes | 7 frequent classes | third set | third set, frequent |",
        "|---|---|---|---|---|",
        "| everything |" + 4 * " 0.300 (0.300 to 0.300), 2 seeds |",
        "| gentle |" + 4 * " 0.300 (0.300 to 0.300), 2 seeds |",
        "| gentle, averaged |" + 4 * " 0.400 (0.400 to 0.400), 2 seeds |",
    ]


def test_the_seeds_of_each_way_stand_under_the_machine_that_made_them(kept, monkeypatch):
    monkeypatch.setattr(summary, "WAYS_OF", {"orders_drawn": "order"})
    seeds = {"article": {"EPYC": [1, 0], "GPU": [3]}, "batch": {"GPU": [3]}}
    kept["orders_drawn"] = [
        {"order": order, "seed": seed, "processor": processor, "step": step}
        for order, machines in seeds.items()
        for processor, found in machines.items()
        for seed in found
        for step in (1, 2)
    ]
    assert summary.seeds_summary().splitlines() == [
        "| table | way | EPYC | GPU |",
        "|---|---|---|---|",
        "| `orders_drawn` | article | 0, 1 | 3 |",
        "| `orders_drawn` | batch |  | 3 |",
    ]


def test_each_backend_stands_beside_the_first_and_has_the_medians_of_its_runs(kept):
    kept["backends"] = [
        {"backend": name, "seed": seed, "mean_iou": score + 0.1 * seed, "base_mib": base,
         "peak_mib": 1000 + 10 * seed**2, "window_mib": 12.4, "images_per_s": 90}
        for name, score, base in (("tensorflow", 0.5, 400), ("jax", 0.4, 300))
        for seed in (0, 1, 2)
    ]  # fmt: skip
    first, second = summary.backends_summary().splitlines()[2:]
    assert first.endswith("3 seeds |  | 400 | 1,010 | 12 | 90 |")
    assert "| -0.100 (-0.100 to -0.100, n = 3) | 300 |" in second
