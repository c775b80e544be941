"""Measuring the loaders: what a row holds, how the turns are taken, what is written."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import comparison
from helpers.bench import BenchSettings, measure_method
from helpers.comparison import compare, markdown_table, table
from helpers.loaders import CONTENDERS, LOOPS, installed
from helpers.memory import MIB
from helpers.step_clock import StepClock
from tools import bench as command

SMALL = BenchSettings(
    size=(32, 32), window=16, stride=8, n_rounds=2, epochs_per_round=2, batch_size=8, score=True
)
ROW = {
    "method", "images_per_s", "ratio_to_limit", "loader_images_per_s", "loader_cpu_ms_per_image",
    "peak_mib_over_base", "slope_mib_per_round", "decoded_images", "seconds_to_first_batch",
    "holdout_miou", "shuffle", "repeats",
}  # fmt: skip


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")


def test_a_run_in_a_fresh_process_measures_everything(tiny):
    run = measure_method("sliding_subset", SMALL)
    assert run["method"] == "sliding_subset"
    assert run["decoded_images"] == run["loader_decoded_images"] == 24
    assert 0 <= run["holdout_miou"] <= 1
    for name in ("images_per_s", "loader_images_per_s", "loader_cpu_ms_per_image", "round_s"):
        assert run[name] > 0
    assert run["ratio_to_limit"] == run["images_per_s"] / run["limit_images_per_s"]
    assert run["seconds_to_first_batch"] > 0 and run["peak_mib_over_base"] < 500


def test_a_loop_of_its_own_has_no_loader_to_be_measured_alone(tiny):
    run = measure_method("article_as_meant", replace(SMALL, score=False))
    assert run["decoded_images"] == 32
    assert "loader_images_per_s" not in run and "holdout_miou" not in run


def test_the_loader_alone_can_be_all_that_is_measured(tiny):
    run = measure_method("py_dataset_2_workers", replace(SMALL, train=False))
    assert set(run) == {
        "method", "loader_images_per_s", "loader_cpu_ms_per_image", "loader_decoded_images",
    }  # fmt: skip
    # 8 batches of 8; the second worker may be a few batches ahead.
    assert 64 <= run["loader_decoded_images"] <= 64 + 3 * 8


def test_an_unknown_method_is_refused_before_a_process_is_started():
    with pytest.raises(ValueError, match="'nothing' is not a loader"):
        measure_method("nothing", SMALL)


def clock_with(steps, rss_mib=(0, 0), begins=(0,), per_round=4, epochs=2):
    schedule = SimpleNamespace(
        steps_per_epoch=per_round // epochs,
        steps_per_round=per_round,
        epochs_per_round=epochs,
        n_steps=len(steps) + 1,
        batch_size=10,
    )
    clock = StepClock(schedule)
    clock.times = list(100 + np.cumsum([0, *steps]))
    clock.rss_bytes, clock.begins = [mib * MIB for mib in rss_mib], list(begins)
    return clock


def test_rates_come_from_the_times_of_the_steps():
    # 12 steps of 1 s; an epoch (2 steps) costs 0.5 s more, a window (4 steps) 2 s more.
    steps = np.ones(11)
    steps[[1, 5, 9]] += 0.5
    steps[[3, 7]] += 2
    rates = clock_with(steps, begins=range(0, 12, 2)).rates()
    assert rates["images_per_s"] == pytest.approx(10 * 11 / (11 + 1.5 + 4))
    assert rates["epoch_change_ms"] == pytest.approx(500)
    assert rates["window_change_ms"] == pytest.approx(2000)
    assert rates["round_s"] == pytest.approx(4 * 16.5 / 11)
    assert rates["step_ms"] == pytest.approx(1000)


def test_waiting_counts_and_a_change_is_what_it_costs_on_average():
    # Three epochs without a new window: at one of the two changes everything waits for 8 s.
    steps = np.ones(11)
    steps[6] += 8
    rates = clock_with(steps, begins=(0, 3, 7)).rates()
    assert rates["images_per_s"] == pytest.approx(10 * 11 / 19)
    assert rates["epoch_change_ms"] == pytest.approx(4000) and rates["window_change_ms"] is None


def test_a_method_without_windows_has_its_own_epochs():
    # Its passes are of three steps; the first step of each takes 1 s more.
    steps = np.ones(11)
    steps[[2, 5, 8]] += 1
    rates = clock_with(steps, begins=(0, 3, 6, 9)).rates()
    assert rates["images_per_s"] == pytest.approx(10 * 11 / 14)
    assert rates["epoch_change_ms"] == pytest.approx(1000) and rates["window_change_ms"] is None


def test_growth_is_counted_after_the_first_round():
    # Six epochs, two a round: 50 MiB in the first round is no growth, 3 MiB an epoch is.
    rates = clock_with(np.ones(11), [0, 50, 53, 56, 59, 62]).rates()
    assert rates["slope_mib_per_round"] == pytest.approx(6)


def fake(speeds):
    calls = []

    def measure(method, settings):
        calls.append((method, settings.score))
        speed = speeds[method].pop(0)
        run = {"method": method, "images_per_s": speed, "ratio_to_limit": speed / 100}
        run["peak_mib_over_base"] = 1.5
        return run | ({"holdout_miou": 0.5} if settings.score else {})

    return measure, calls


def test_methods_take_turns_and_rows_hold_medians(monkeypatch):
    speeds = {"constant_batch": [100, 50, 200], "tf_data": [90, 100, 40], "grain": [10, 10, 10]}
    measure, calls = fake(speeds)
    monkeypatch.setattr(comparison, "measure_method", measure)
    lines = []
    rows = compare(list(speeds), SMALL, repeats=3, said=lines.append)
    assert [method for method, _ in calls] == [
        "constant_batch", "tf_data", "grain",
        "tf_data", "grain", "constant_batch",
        "grain", "constant_batch", "tf_data",
    ]  # fmt: skip
    assert [score for _, score in calls] == [True] * 3 + [False] * 6
    assert len(lines) == 9 and "turn 3 of 3: tf.data" in lines[-1]
    row = {row["method"]: row for row in rows}["tf_data"]
    assert (row["images_per_s"], row["images_per_s_min"], row["images_per_s_max"]) == (90, 40, 100)
    assert (row["ratio_to_limit"], row["ratio_to_limit_min"]) == (0.9, 0.4)
    assert row["holdout_miou"] == 0.5 and row["repeats"] == 3
    assert (row["label"], row["kind"], row["shuffle"]) == ("tf.data", "stream", "all pictures")


def test_the_table_leaves_blank_what_was_not_measured():
    rows = [{"label": "tf.data", "images_per_s": 90.4, "holdout_miou": None}]
    heading, line = table(rows).splitlines()
    assert line.split() == ["tf.data", "90"] and len(heading) == len(line)


def test_the_table_in_markdown_holds_the_same_cells():
    rows = [{"label": "tf.data", "images_per_s": 1090.4, "holdout_miou": 0.5}]
    heading, ruler, line = markdown_table(rows).splitlines()
    assert line.startswith("| tf.data | 1,090 |  |") and line.endswith("| 0.500 |")
    assert heading.count("|") == ruler.count("|") == line.count("|")


def test_the_command_writes_a_row_for_each_method(monkeypatch, tmp_path, capsys, tiny):
    def measure(method, settings):
        run = dict.fromkeys(ROW - {"method", "shuffle", "repeats"}, 2.0)
        return {"method": method} | run

    monkeypatch.setattr(comparison, "measure_method", measure)
    output = tmp_path / "deeper" / "loaders.json"
    assert command.main(["--repeats", "2", "--output", str(output)]) == 0
    report = json.loads(output.read_text(encoding="utf-8"))
    assert [row["method"] for row in report["rows"]] == installed()
    assert all(set(row) >= ROW for row in report["rows"])
    assert report["settings"]["size"] == [96, 96] and report["data"] == "tiny"
    assert {"processor", "cores", "python", "keras"} <= set(report["machine"])
    printed = capsys.readouterr().out
    assert all(CONTENDERS[method].label in printed for method in installed())


def test_without_training_only_loaders_are_measured(monkeypatch, tmp_path, tiny):
    asked = []

    def measure(method, settings):
        asked.append(method)
        assert not settings.train and not settings.score
        return {"method": method, "loader_images_per_s": 1.0}

    monkeypatch.setattr(comparison, "measure_method", measure)
    command.main(["--load-only", "--repeats", "1", "--output", str(tmp_path / "out.json")])
    assert "sliding_subset" in asked and "tf_data" in asked
    assert not set(asked) & {*LOOPS, "constant_batch", "uint8_in_memory"}


@pytest.mark.parametrize("arguments", [["--repeats", "0"], ["--methods", "magic"]])
def test_a_wrong_argument_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert "error" in capsys.readouterr().err
