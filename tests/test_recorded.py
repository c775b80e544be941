"""The measurements in `results/`: in the form the code writes today, complete, and plausible."""

import re

import numpy as np
import pytest

from helpers.comparison import markdown_table
from helpers.leak import leaked_shares, split_windows
from helpers.learning import ORDERS
from helpers.loaders import ARRAYS, CONTENDERS, LOOPS
from helpers.results import recorded
from helpers.settings import PROJECT
from helpers.subsets import sliding_windows
from tests.test_bench import ROW

FILES = sorted((PROJECT / "results").glob("*.json"))
ALONE = {
    "sliding_subset", "sliding_subset_reshuffled", "tf_data", "py_dataset", "py_dataset_2_workers",
    "memmap", "grain",
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_says_when_and_where_and_names_no_machine(path):
    report = recorded(path.stem)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", report["date"])
    assert {"processor", "cores", "python", "keras", "tensorflow"} <= set(report["machine"])
    text = path.read_text(encoding="utf-8")
    assert not re.search(r'"(/|[A-Z]:\\|~)', text), "an absolute path"


def test_the_readme_names_each_file_and_no_other():
    readme = (PROJECT / "results" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)\.json`", readme)) == {path.stem for path in FILES}


TABLES = ("loaders_drawn", "loaders_photographs")


@pytest.mark.parametrize("name", TABLES)
def test_the_full_tables_hold_every_loader(name):
    report = recorded(name)
    assert {row["method"] for row in report["rows"]} == set(CONTENDERS)
    assert report["settings"]["train"] and report["settings"]["load"]
    for row in report["rows"]:
        assert row["repeats"] >= 3 and row["images_per_s_min"] <= row["images_per_s"]
        assert (row["label"], row["kind"], row["shuffle"]) == CONTENDERS[row["method"]][:3]
        lacking = ROW - set(row)
        assert lacking <= {"loader_images_per_s", "loader_cpu_ms_per_image"}
        assert not lacking or row["method"] in {*ARRAYS, *LOOPS}


@pytest.mark.parametrize("name", TABLES)
def test_the_recorded_counts_are_those_of_the_schedule(name):
    report = recorded(name)
    settings = report["settings"]
    n_rounds, window, stride = (settings[key] for key in ("n_rounds", "window", "stride"))
    n_images, n_epochs = window + (n_rounds - 1) * stride, n_rounds * settings["epochs_per_round"]
    decoded = {row["method"]: row["decoded_images"] for row in report["rows"]}
    for method in ("sliding_subset", "uint8_batches", "memmap", "tf_data_cached"):
        assert decoded[method] == n_images
    assert decoded["article_as_meant"] == n_rounds * window
    assert decoded["sliding_subset_reshuffled"] == window + (n_epochs - 1) * stride
    for method in ("tf_data", "py_dataset", "grain"):
        assert decoded[method] >= n_epochs * window


@pytest.mark.parametrize("name", TABLES)
def test_who_decodes_each_use_is_slower_in_training_than_the_ring_buffer(name):
    rows = {row["method"]: row for row in recorded(name)["rows"]}
    once = rows["memmap"]["decoded_images"]
    streams = [row for row in rows.values() if row["decoded_images"] > 3 * once]
    assert len(streams) == 5
    assert rows["sliding_subset"]["images_per_s"] > max(row["images_per_s"] for row in streams)
    assert rows["article_as_written"]["images_per_s"] == min(
        row["images_per_s"] for row in rows.values()
    )
    loaders = [row for row in rows.values() if row["kind"] != "limit"]
    fastest = max(loaders, key=lambda row: row["images_per_s"])
    assert fastest["method"].startswith("sliding_subset")


def test_the_readme_shows_the_recorded_table():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert markdown_table(recorded("loaders_photographs")["rows"]) in readme


@pytest.mark.parametrize("name", ["steady_drawn", "steady_photographs"])
def test_over_many_epochs_the_ring_buffer_keeps_up_with_the_limit_and_an_array_does_not(name):
    rows = {row["method"]: row for row in recorded(name)["rows"]}
    assert set(rows) == {"sliding_subset", "uint8_batches"}
    ours, array = rows["sliding_subset"], rows["uint8_batches"]
    assert set(ours) >= ROW and ours["repeats"] >= 3
    assert ours["ratio_to_limit"] >= 0.95
    assert ours["window_change_ms"] / 1000 <= 0.05 * ours["round_s"]
    assert ours["decoded_images"] == array["decoded_images"] == 160 + 3 * 16
    assert ours["images_per_s"] > array["images_per_s"]
    assert ours["epoch_change_ms"] < array["epoch_change_ms"] / 2


def test_alone_the_ring_buffer_delivers_forty_times_as_much_for_a_fortieth():
    report = recorded("loaders_alone")
    assert report["data"] == "photographs" and report["settings"]["size"] == [224, 224]
    assert report["settings"]["epochs_per_round"] == 5
    rows = {row["method"]: row for row in report["rows"]}
    assert set(rows) == ALONE
    ours = rows["sliding_subset"]
    for method in ("tf_data", "grain", "py_dataset"):
        speed, cpu = (rows[method][f"loader_{key}"] for key in ("images_per_s", "cpu_ms_per_image"))
        assert ours["loader_images_per_s"] > 40 * speed
        assert 40 * ours["loader_cpu_ms_per_image"] < cpu
        assert rows["sliding_subset_reshuffled"]["loader_images_per_s"] > 7 * speed


def test_the_memory_of_windows_stays_within_its_bound():
    report = recorded("loader_memory")
    assert [row["window_mib"] for row in report["windows"]] == [32, 128, 512, 1024]
    for row in report["windows"]:
        assert row["peak_mib_over_base"] <= 1.15 * row["arrays_mib"] + 96
        assert row["peak_mib_over_base"] < row["arrays_mib"] + 96
    assert report["slope"]["rounds"] == 100 and report["slope"]["mib_per_round"] <= 0.5
    peaks = [row["peak_mib_over_base"] for row in report["images"]]
    assert [row["images"] for row in report["images"]] == [1_000, 10_000, 100_000]
    assert max(peaks) - min(peaks) < 32


@pytest.mark.parametrize(
    ("name", "expected"),
    [("learning", set(ORDERS)), ("learning_photographs", {"article", "reshuffled", "everything"})],
)
def test_each_order_was_learnt_with_three_seeds_and_equal_steps(name, expected):
    runs = recorded(name)["runs"]
    orders = {run["order"] for run in runs}
    assert orders == expected
    assert sorted((run["order"], run["seed"]) for run in runs) == sorted(
        (order, seed) for order in orders for seed in range(3)
    )
    assert len({tuple(score["step"] for score in run["scores"]) for run in runs}) == 1


def last_scores(runs):
    """For each order, the hold-out mean IoU at the end of each of its runs."""
    last = {}
    for run in runs:
        last.setdefault(run["order"], []).append(run["scores"][-1]["mean_iou"])
    return last


def test_reshuffled_windows_teach_as_much_as_a_shuffle_of_everything_and_the_articles_less():
    runs = recorded("learning")["runs"]
    last = last_scores(runs)
    assert max(last["article"]) < min(last["everything"] + last["reshuffled"])
    spread = max(last["everything"] + last["reshuffled"]) - min(last["everything"])
    assert np.mean(last["reshuffled"]) >= np.mean(last["everything"]) - spread
    assert {run["decoded_images"] for run in runs if run["order"] == "reshuffled"} == {2180}


def test_on_photographs_too_the_reshuffled_list_teaches_more_than_the_articles_windows():
    last = last_scores(recorded("learning_photographs")["runs"])
    assert min(last["reshuffled"]) > max(last["article"])
    assert np.mean(last["reshuffled"]) >= np.mean(last["everything"])


def test_windows_that_sweep_often_teach_as_much_as_a_shuffle_of_everything_at_any_size():
    last = last_scores(recorded("learning")["runs"])
    between_seeds = np.median([np.ptp(found) for found in last.values()])
    best = max(np.mean(found) for found in last.values())
    assert best - np.mean(last["everything"]) < between_seeds
    often = ("everything", "batch", "reshuffled", "disjoint", "one_epoch")
    worst = min(np.mean(last[order]) for order in often)
    assert worst > max(np.mean(last[order]) for order in last if order not in often)


def test_the_decoders_and_the_index_are_complete():
    rows = recorded("decoders")["rows"]
    assert {row["data"] for row in rows} == {"drawn", "photographs"}
    assert {row["size"] for row in rows} == {96, 224, 320}
    assert {row["threads"] for row in rows} == {1, 2}
    found = {(r["data"], r["size"], r["method"]): r for r in rows if r["threads"] == 1}
    for (data, size, method), row in found.items():
        pillow = found[data, size, "Pillow"]
        if method == "simplejpeg":
            assert row["max_difference"] == 0
            assert row["images_per_s"] < 1.11 * pillow["images_per_s"]
        if method == "Pillow draft" and size == 96:
            assert row["images_per_s"] > pillow["images_per_s"] and 20 < row["max_difference"] < 30
        if method == "OpenCV":
            assert row["mean_difference"] > 0.3
    listing, with_files = recorded("index")["rows"]
    assert listing["entries"] == 1_000_000 and with_files["entries"] == 100_000
    assert max(listing["peak_bytes"], with_files["peak_bytes"]) <= 200


CLAIMS = {
    "claims": ("article", "honest", "one_compile", "sorted"),
    "voc2012_claims": ("article", "honest"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_the_claims_were_tested_with_three_seeds_in_the_form_of_today(name):
    report = recorded(name)
    about = {"data", "n_train", "n_holdout", "classes", "body", "pretrained", "settings", "runs"}
    assert set(report) == about | {"date", "machine"}
    settings, runs = report["settings"], report["runs"]
    assert settings["n_rounds"] == 20 and settings["validation_share"] == 0.1
    assert settings["window"] == 10 * settings["stride"]
    assert report["n_train"] == 29 * settings["stride"] and report["n_holdout"] == 200
    assert sorted((run["variant"], run["seed"]) for run in runs) == sorted(
        (variant, seed) for variant in CLAIMS[name] for seed in range(3)
    )
    keys = {"round", "presented", "leaked_share", "val_accuracy"}
    keys |= {"split", "holdout", "holdout_parts", "first_window"}
    for run in runs:
        assert all(set(row) == keys for row in run["rounds"])
        assert [row["round"] for row in run["rounds"]] == [*range(1, len(run["rounds"]) + 1)]


@pytest.mark.parametrize("name", CLAIMS)
def test_the_recorded_leak_is_the_count_of_the_same_splits(name):
    report = recorded(name)
    settings = report["settings"]
    windows = sliding_windows(report["n_train"], settings["window"], settings["stride"])
    for run in report["runs"]:
        leaked = [row["leaked_share"] for row in run["rounds"]]
        if run["variant"] == "honest":
            assert set(leaked) == {0}
        else:
            splits = split_windows(windows, settings["validation_share"], run["seed"])
            assert leaked == pytest.approx(leaked_shares(splits)) and len(leaked) == 20


def test_the_honest_runs_had_as_many_presentations_of_pictures():
    for name in CLAIMS:
        report = recorded(name)
        window, share = report["settings"]["window"], report["settings"]["validation_share"]
        whole = 20 * report["settings"]["epochs_per_round"] * round(window * (1 - share))
        for run in report["runs"]:
            presented = run["rounds"][-1]["presented"]
            if run["variant"] == "honest":
                assert abs(presented - whole) <= report["n_train"] / 2
            else:
                assert presented <= whole, "early stopping can only make it less"


def gaps(runs, variant):
    """For each seed, how much higher mean IoU is on the run's own validation pictures."""
    last = [run["rounds"][-10:] for run in runs if run["variant"] == variant]
    return [
        np.mean([row["split"]["mean_iou"] - row["holdout_parts"]["mean_iou"] for row in rows])
        for rows in last
    ]


@pytest.mark.parametrize("name", CLAIMS)
def test_the_articles_splits_flatter_the_network_and_one_honest_split_does_not(name):
    runs = recorded(name)["runs"]
    assert min(gaps(runs, "article")) > 0.05 + max(gaps(runs, "honest"))


def test_a_fresh_compile_in_each_round_did_no_harm():
    new = {"article": [], "one_compile": []}
    for run in recorded("claims")["runs"]:
        if run["variant"] in new:
            last = [row["holdout"]["mean_iou"] for row in run["rounds"][-10:]]
            new[run["variant"]].append(np.mean(last))
    assert max(new["one_compile"]) < min(new["article"])


def test_small_windows_of_a_sorted_list_teach_less_than_those_of_a_shuffled_one():
    last = last_scores(recorded("learning")["runs"])
    assert max(last["small_sorted"]) < min(last["small"])
