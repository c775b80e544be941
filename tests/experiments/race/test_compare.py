"""Loaders in turns: who comes when, what a row keeps of its runs, and the table."""

import pandas as pd
import pytest

from experiments.intervals import interval
from experiments.race import compare as module
from experiments.race.compare import compare, table
from experiments.race.measure import RaceSettings

SCORED = RaceSettings(score=True)


def fake(speeds, workshops):
    calls = []

    def measure(method, settings, workshop):
        calls.append((method, settings.score))
        workshops.add(workshop)
        speed = speeds[method].pop(0)
        run = {"method": method, "images_per_s": speed}
        run["peak_mib_over_base"] = 1.5
        return run | ({"holdout_miou": 0.5} if settings.score else {})

    return measure, calls


def test_methods_take_turns_and_rows_hold_medians(monkeypatch):
    speeds = {"constant_batch": [100, 50, 200], "tf_data": [90, 100, 40], "grain": [10, 10, 10]}
    workshops = set()
    measure, calls = fake(speeds, workshops)
    monkeypatch.setattr(module, "measure_method", measure)
    lines = []
    rows = compare(list(speeds), SCORED, "the workshop", repeats=3, said=lines.append)
    assert [method for method, _ in calls] == [
        "grain", "constant_batch", "tf_data",
        "constant_batch", "tf_data", "grain",
        "grain", "constant_batch", "tf_data",
    ]  # fmt: skip
    assert [score for _, score in calls] == [True] * 3 + [False] * 6
    assert workshops == {"the workshop"}
    assert len(lines) == 9 and "turn 3 of 3: tf.data" in lines[-1]
    row = {row["method"]: row for row in rows}["tf_data"]
    assert (row["images_per_s"], row["images_per_s_min"], row["images_per_s_max"]) == (90, 40, 100)
    # Of the constant batch in the same turn.
    assert (row["ratio_to_limit"], row["ratio_to_limit_min"]) == (0.9, 0.2)
    assert row["ratio_to_limit_interval"] == interval([0.9, 2.0, 0.2])
    assert row["holdout_miou"] == 0.5 and row["repeats"] == 3
    assert (row["label"], row["kind"], row["shuffle"]) == ("tf.data", "stream", "all images")


def test_the_table_leaves_blank_what_a_row_lacks_and_leaves_out_what_all_lack():
    rows = [
        {"label": "tf.data", "images_per_s": 90.4, "holdout_miou": None},
        {"label": "grain", "images_per_s": 80, "holdout_miou": 0.5},
    ]
    heading, ruler, first, second = table(rows).splitlines()
    assert heading.split() == ["loader", "images/s", "mean", "IoU"]
    assert first.split() == ["tf.data", "90"] and second.split() == ["grain", "80", "0.500"]
    assert len(heading) == len(ruler) == len(second) >= len(first)


def test_the_table_in_markdown_holds_the_same_cells():
    rows = [
        {"label": "tf.data", "images_per_s": 1090.4, "holdout_miou": 0.5},
        {"label": "grain", "images_per_s": 80},
    ]
    heading, ruler, first, second = table(rows, "github").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (first, second)]
    assert cells == [["tf.data", "1,090", "0.500"], ["grain", "80", ""]]
    assert heading.count("|") == ruler.count("|") == first.count("|")


def test_a_median_of_several_runs_has_the_lowest_and_the_highest_beside_it():
    speeds = {"images_per_s": 90.4, "images_per_s_min": 80, "images_per_s_max": 1100}
    several, one = (table([{"label": "a", "repeats": n} | speeds]) for n in (3, 1))
    assert several.splitlines()[2].split() == ["a", "90", "(80–1,100)"]
    assert one.splitlines()[2].split() == ["a", "90"]


def test_numbers_stand_on_the_right_and_keep_their_commas():
    rows = [{"label": label, "images_per_s": speed} for label, speed in (("a", 7), ("b", 60_000))]
    first, second = table(rows).splitlines()[2:]
    assert first.rstrip().endswith("     7") and second.rstrip().endswith("60,000")
    assert first.index("7") == len(second.rstrip()) - 1


@pytest.mark.parametrize("repeats", [1, 4])
def test_every_method_is_measured_as_often_as_asked(monkeypatch, repeats):
    speeds = {"constant_batch": [1] * repeats, "tf_data": [2] * repeats}
    measure, calls = fake(speeds, set())
    monkeypatch.setattr(module, "measure_method", measure)
    limit, row = compare(list(speeds), SCORED, None, repeats)
    assert len(calls) == 2 * repeats and limit["repeats"] == row["repeats"] == repeats
    assert ("ratio_to_limit_interval" in row) == (repeats > 1)
    assert limit["ratio_to_limit"] == 1 and "ratio_to_limit_interval" not in limit


def test_the_share_of_decoding_has_its_interval(monkeypatch):
    shares = iter([0.5, 0.7, 0.9])
    monkeypatch.setattr(
        module, "measure_method",
        lambda method, settings, workshop: {"method": method, "share_of_decoding": next(shares)},
    )  # fmt: skip
    (row,) = compare(["tf_data"], SCORED, None, 3)
    assert row["share_of_decoding"] == 0.7
    assert row["share_of_decoding_interval"] == interval([0.5, 0.7, 0.9])


def test_loaders_alone_stand_with_their_share_of_decoding():
    row = {
        "method": "tf_data", "label": "slow", "repeats": 3,
        "loader_images_per_s": 1500, "loader_decoded_images": 4000,
        "loader_images_per_s_min": 1400, "loader_images_per_s_max": 1600,
        "loader_cpu_ms_per_image": 2.345, "share_of_decoding_interval": [0.5, 0.75],
        "decode_images_per_s": 1234.5,
    }  # fmt: skip
    fast = row | {"label": "fast", "loader_images_per_s": 9000}
    limit = row | {"method": "constant_batch"}
    lines = module.decoding_table([row, limit, fast]).splitlines()
    assert [line.split()[1] for line in lines[2:]] == ["fast", "slow"]
    cells = [cell.strip() for cell in lines[3].strip("|").split("|")]
    assert cells == ["slow", "1,500 (1,400–1,600)", "4,000", "2.35", "1,234", "0.62 (0.50 to 0.75)"]


def test_a_table_of_turns_becomes_rows_of_medians():
    turns = pd.DataFrame(
        {
            "method": ["grain", "tf_data", "grain", "tf_data"],
            "turn": [1, 1, 2, 2],
            "loader_images_per_s": [10, 90, 30, 70],
            "share_of_decoding": [0.5, 0.8, 0.7, 0.9],
            "workers_mib": [None, 5.0, None, 7.0],  # only some loaders have workers
            "processor": "a processor",
        }
    )
    grain, tf_data = module.rows_of_turns(turns)
    assert (grain["method"], grain["label"], grain["repeats"]) == ("grain", "Grain", 2)
    assert (grain["loader_images_per_s"], grain["loader_images_per_s_max"]) == (20, 30)
    assert grain["share_of_decoding_interval"] == interval([0.5, 0.7])
    assert tf_data["workers_mib"] == 6 and not {"workers_mib", "turn", "processor"} & set(grain)


def test_without_the_limit_there_is_no_share_of_it(monkeypatch):
    measure, _ = fake({"tf_data": [2, 3]}, set())
    monkeypatch.setattr(module, "measure_method", measure)
    (row,) = compare(["tf_data"], SCORED, None, 2)
    assert not [name for name in row if "limit" in name]
