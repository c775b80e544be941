"""The measurements in `results/`: their form, and what can be counted or computed again.

None of these tests says which method is better: another measurement may say otherwise. Of loaders
that are gone only the form of their rows is looked at.
"""

import re

import numpy as np
import pytest

from experiments import head, packed, scaling, shares
from experiments.claims.orders import ORDERS
from experiments.claims.variants import BATCH_SHARE, SIZES, splits_of
from experiments.race import window_memory
from experiments.race.gpu import FEEDS, PRECISIONS
from experiments.race.loaders import ARRAYS, LOADERS, NO_LOADER, NOT_ALONE, TORCH
from experiments.records import RECORDED, recorded, recorded_arrays, recorded_table
from helpers.scoring import scores
from helpers.settings import PROJECT
from helpers.units import MIB
from helpers.windows import Geometry, leaked_shares
from tests.support import RACE_ROW
from tools.race import PEERS

FILES = sorted(RECORDED.glob("*.json"))
README = (RECORDED / "README.md").read_text(encoding="utf-8")
RACES = ("race_drawn", "race_photographs")
WITHOUT_CODE = ("decoders", "index")  # what measured them is no longer here
HERE = {name for name, chosen in LOADERS.items() if chosen.module != TORCH}  # beside TensorFlow
DECODE_ONCE = (
    "sliding_subset", "uint8_batches", "memmap", "tf_data_cached", "tf_data_in_memory",
)  # fmt: skip
DECODE_EACH_USE = (
    "tf_data", "tf_data_index_shuffle", "tf_data_pillow", "py_dataset", "py_dataset_all_cores",
    "grain", "grain_default",
)  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_says_when_where_and_of_which_commit_and_names_no_machine(path):
    report = recorded(path.stem)
    assert list(report)[:3] == ["date", "commit", "machine"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", report["date"])
    assert re.fullmatch(r"[0-9a-f]{10}", report["commit"])
    assert {"processor", "cores", "python", "keras"} <= set(report["machine"])
    assert {"tensorflow", "jax", "torch"} & set(report["machine"]), "what Keras computed with"
    text = path.read_text(encoding="utf-8")
    assert not re.search(r'"(/|[A-Z]:\\|~)', text), "an absolute path"


def test_the_readme_names_each_file_with_its_commit_and_no_other():
    assert set(re.findall(r"`(\w+)\.json`", README)) == {path.stem for path in FILES}
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    named = {name: row for row in rows for name in re.findall(r"`(\w+)\.json`", row)}
    assert set(named) == {path.stem for path in FILES}
    for name, row in named.items():
        *_, commit = (cell.strip() for cell in row.strip("| ").split("|"))
        assert commit == f"`{recorded(name)['commit']}`", name


def test_the_readme_says_of_which_files_the_code_is_gone():
    (gone,) = re.findall(r"^.*whose code is in that commit.*$", README, flags=re.MULTILINE)
    assert re.findall(r"`(\w+)\.json`", gone) == list(WITHOUT_CODE)
    for name in WITHOUT_CODE:
        assert f"tools/bench_{name}.py" in README
        assert not (PROJECT / "tools" / f"bench_{name}.py").exists()


@pytest.mark.parametrize("name", ["loaders_photographs", "loaders_alone"])
def test_a_race_says_what_work_it_was(name):
    report = recorded(name)
    about = {"date", "commit", "machine", "data", "backbone", "settings", "minutes", "rows"}
    assert set(report) == about | {"ours"}
    geometry = {"window", "stride", "size", "batch_size", "passes", "n_rounds"}
    assert set(report["settings"]) == geometry | {"seed", "train", "score", "load"}


def geometry_of(report):
    """The geometry of a race, from its recorded settings."""
    settings = dict(report["settings"])
    for name in ("train", "score", "load"):
        settings.pop(name, None)
    n_rounds = settings.pop("n_rounds")
    n_images = settings["window"] + (n_rounds - 1) * settings["stride"]
    geometry = Geometry(n_images, **settings)
    assert geometry.n_rounds == n_rounds
    return geometry


def test_the_full_table_holds_every_loader():
    report = recorded("loaders_photographs")
    assert {row["method"] for row in report["rows"]} == HERE
    assert report["settings"]["train"] and report["settings"]["load"]
    for row in report["rows"]:
        lacking = RACE_ROW - set(row)
        assert lacking <= {"loader_images_per_s", "loader_cpu_ms_per_image"}
        assert not lacking or row["method"] in NOT_ALONE


@pytest.mark.parametrize("name", ["loaders_photographs", "loaders_alone"])
def test_a_row_is_named_as_its_loader_and_is_a_median_of_three(name):
    for row in recorded(name)["rows"]:
        assert (row["label"], row["kind"], row["shuffle"]) == LOADERS[row["method"]][:3]
        assert row["repeats"] >= 3
        for key in [key for key in row if f"{key}_min" in row]:
            assert row[f"{key}_min"] <= row[key] <= row[f"{key}_max"]


def test_the_recorded_counts_are_those_of_the_schedule():
    report = recorded("loaders_photographs")
    geometry = geometry_of(report)
    window, stride, n_rounds = geometry.window, geometry.stride, geometry.n_rounds
    n_passes = n_rounds * geometry.passes
    decoded = {row["method"]: row["decoded_images"] for row in report["rows"]}
    for method in (*DECODE_ONCE, *ARRAYS, "article_as_written"):
        assert decoded[method] == geometry.n_images
    assert decoded["constant_batch"] == geometry.batch_size
    assert decoded["article_as_meant"] == n_rounds * window
    assert decoded["sliding_subset_reshuffled"] == window + (n_passes - 1) * stride
    for method in DECODE_EACH_USE:
        assert decoded[method] >= n_passes * window


@pytest.mark.parametrize("name", RACES)
def test_every_turn_of_a_race_has_all_runners_and_each_decoded_what_it_must(name):
    report, table = recorded(name), recorded_table(name)
    geometry = geometry_of(report)
    n_passes = geometry.n_rounds * geometry.passes
    shown = geometry.n_steps * geometry.batch_size
    expected = {
        "constant_batch": geometry.batch_size,
        "uint8_batches": geometry.n_images,
        "sliding_subset": geometry.n_images,
        "sliding_subset_reshuffled": geometry.window + (n_passes - 1) * geometry.stride,
    }
    assert len(table) and not table.duplicated(["method", "turn"]).any()
    for _, turn in table.groupby("turn"):
        decoded = turn.set_index("method")["decoded_images"].to_dict()
        assert expected.items() <= decoded.items()
        assert set(decoded) - set(expected) == {"tf_data", "grain"}
        assert min(decoded["tf_data"], decoded["grain"]) >= shown
    assert table["commit"].str.fullmatch(r"[0-9a-f]{10}").all()


def test_the_gpu_was_fed_by_every_loader_in_turns():
    report = recorded("gpu_feed")
    assert {row["precision"] for row in report["rows"]} == {*PRECISIONS} and report["machine"][
        "gpu"
    ]
    window, stride, n_rounds, passes = (
        report["settings"][key] for key in ("window", "stride", "n_rounds", "passes")
    )
    once = window + (n_rounds - 1) * stride
    least = {"constant_batch": 32, "uint8_batches": once, "sliding_subset": once}
    least["sliding_subset_reshuffled"] = window + (n_rounds * passes - 1) * stride
    least["py_dataset_all_cores"] = n_rounds * passes * window
    for row in report["rows"]:
        turns = {run["turn"] for run in row["runs"]}
        assert len(turns) >= 2 and len(row["runs"]) == len(turns) * len(FEEDS)
        for run in row["runs"]:
            assert run["decoded_images"] >= least[run["feed"]] and 0 < run["busy_share"] <= 1


def test_the_gpu_learnt_at_both_precisions_with_the_same_seeds():
    rows = recorded("gpu_learn")["rows"]
    seeds = {p: [row["seed"] for row in rows if row["precision"] == p] for p in PRECISIONS}
    assert len(set(map(tuple, seeds.values()))) == 1 and seeds["float32"]
    assert all(0 < row["mean_iou"] < 1 for row in rows)


def test_every_loader_was_taken_alone_for_the_articles_passes():
    report = recorded("loaders_alone")
    assert report["data"] == "photographs" and report["settings"]["size"] == [224, 224]
    assert report["settings"]["passes"] == 5 and not report["settings"]["train"]
    decoded = {row["method"]: row["loader_decoded_images"] for row in report["rows"]}
    assert set(decoded) == HERE - {*NO_LOADER, *NOT_ALONE}
    geometry = geometry_of(report)
    n_passes = geometry.n_rounds * geometry.passes
    for method in DECODE_ONCE:
        assert decoded[method] == geometry.n_images
    reshuffled = geometry.window + (n_passes - 1) * geometry.stride
    assert decoded["sliding_subset_reshuffled"] == reshuffled
    for method in DECODE_EACH_USE:
        assert decoded[method] >= n_passes * geometry.window


def test_every_turn_beside_the_peers_has_all_of_them_alone_as_well():
    report, table = recorded("race_peers"), recorded_table("race_peers")
    geometry = geometry_of(report)
    for _, turn in table.groupby("turn"):
        assert sorted(turn["method"]) == sorted(PEERS)
        decoded = turn.set_index("method")["loader_decoded_images"].to_dict()
        assert decoded["sliding_subset"] == decoded["uint8_batches"] == geometry.n_images
        assert decoded["torch_data_loader"] >= geometry.n_steps * geometry.batch_size
        # It replaces a stride after each round, the last one too, and decodes ahead.
        assert decoded["smart_cache"] >= geometry.n_images


def test_the_memory_of_windows_is_judged_by_the_bound_that_it_names():
    report = recorded("loader_memory")
    assert [row["window_mib"] for row in report["windows"]] == [32, 128, 512, 1024]
    for row in report["windows"]:
        arrays = sum(window_memory.window_of(row["window_mib"])) * 4 * 224 * 224
        bound = window_memory.FACTOR * arrays / MIB + window_memory.CONSTANT_MIB
        assert row["arrays_mib"] == pytest.approx(arrays / MIB, abs=0.05)
        assert row["bound_mib"] == pytest.approx(bound, abs=0.05)
        assert row["within"] == (row["peak_mib_over_base"] <= row["bound_mib"])
    assert [row["images"] for row in report["images"]] == [*window_memory.IMAGES]
    for row in report["images"]:
        assert row["rounds"] == row["images"] / window_memory.IMAGES_WINDOW
        assert row["arrays_mib"] == pytest.approx(2 * 500 * 4 * 224 * 224 / MIB, abs=0.05)


def test_the_slope_of_the_memory_is_that_of_its_rounds():
    slope = recorded("loader_memory")["slope"]
    rss = np.array(slope["rss_mib_over_base"]) * MIB
    assert slope["rounds"] == len(rss) == 100
    later = rss[slope["left_out_rounds"] :]
    assert slope["mib_per_round"] == pytest.approx(window_memory.slope_of(later), abs=0.001)
    half = window_memory.slope_of(rss[50:])
    assert slope["mib_per_round_second_half"] == pytest.approx(half, abs=0.001)
    assert slope["within"] == (slope["mib_per_round"] <= slope["limit"])


LEARNING = ("orders_drawn", "orders_photographs")  # tables that grow run by run


@pytest.mark.parametrize("name", LEARNING)
def test_each_run_of_an_order_took_equal_steps(name):
    settings, table = recorded(name)["settings"], recorded_table(name)
    n_steps = 20 * settings["passes"] * -(-settings["window"] // settings["batch_size"])
    assert settings["window"] == 10 * settings["stride"] and {*table["order"]} <= {*ORDERS}
    for _, run in table.groupby(["order", "seed"]):
        assert run["step"].tolist() == [n_steps // 4 * quarter for quarter in (1, 2, 3, 4)]
    assert table["mean_iou"].between(0, 1).all()
    assert table["commit"].str.fullmatch(r"[0-9a-f]{10}").all()


@pytest.mark.parametrize("name", LEARNING)
def test_each_order_decoded_as_many_images_as_its_windows_bring(name):
    settings, table = recorded(name)["settings"], recorded_table(name)
    window, stride, batch = (settings[key] for key in ("window", "stride", "batch_size"))
    n_steps = 20 * settings["passes"] * -(-window // batch)
    once = ("article", "article_reshuffled", "everything", "backwards")
    expected = dict.fromkeys(once, 29 * stride)
    expected |= dict.fromkeys(("reshuffled", "one_epoch"), window + 99 * stride)
    expected |= {"disjoint": 20 * window, "batch": n_steps * batch}
    # "averaged" asks for the round's batches once more; by then the next window may be there.
    table = table[table["order"] != "averaged"]
    for (order, processor), runs in table.groupby(["order", "processor"]):
        decoded = runs["decoded_images"]
        assert decoded.nunique() == 1, "another number for another seed"
        # JAX's trainer asks for a few steps beyond the last one; with windows of a batch it shows.
        ahead = 3 * batch if order == "batch" and "NVIDIA" in processor else 0
        assert decoded.iloc[0] - ahead == expected.get(order, decoded.iloc[0])


def test_both_ways_read_the_same_lists_each_image_once():
    table, settings = recorded_table("list_length"), recorded("list_length")["settings"]
    lengths = {way: sorted(rows["images"]) for way, rows in table.groupby("way")}
    assert lengths["array"] == lengths["window"] and max(lengths["array"]) >= 20_000
    assert table["decoded_images"].tolist() == table["images"].tolist()
    held = table["images"].where(table["way"] == "array", settings["window"] + settings["stride"])
    n_bytes = held * np.prod(settings["size"]) * 4
    assert table["arrays_mib"].tolist() == pytest.approx((n_bytes / MIB).tolist(), rel=1e-5)


RUNS = ("claims_drawn", "claims_photographs")  # tables that grow run by run


@pytest.mark.parametrize("name", RUNS)
def test_every_run_in_a_table_is_whole_and_its_counts_are_those_of_its_splits(name):
    report, table = recorded(name), recorded_table(name)
    settings = report["settings"]
    geometry = Geometry(
        report["n_train"], settings["window"], settings["stride"], settings["size"],
        passes=settings["passes"],
    )  # fmt: skip
    arrays = recorded_arrays(name)
    for (variant, seed), run in table.groupby(["variant", "seed"]):
        splits = splits_of(variant, geometry.windows, seed)
        n_rounds = len(splits)
        assert run["round"].tolist() == [*range(1, n_rounds + 1)]
        assert len(arrays[f"{variant}/{seed}/holdout"]) == report["n_holdout"]
        assert run["n_validation"].tolist() == [len(validation) for _, validation in splits]
        if variant != "sorted":  # its list is another one, its splits are the same rows
            assert run["leaked_share"].tolist() == pytest.approx(leaked_shares(splits), abs=1e-5)
        rows = np.concatenate([validation for _, validation in splits])
        assert arrays[f"{variant}/{seed}/row"].tolist() == rows.tolist()
        seen = [arrays[f"{variant}/{seed}/{array}"] for array in ("round", "seen")]
        shares = [np.mean(seen[1][seen[0] == number]) for number in range(1, n_rounds + 1)]
        assert shares == pytest.approx(run["leaked_share"].tolist(), abs=1e-5)


@pytest.mark.parametrize("name", RUNS)
def test_the_rows_of_a_table_and_its_matrices_say_the_same(name):
    table, epochs = recorded_table(name), recorded_table(f"{name}_epochs")
    arrays = recorded_arrays(name)
    for (variant, seed), run in table.groupby(["variant", "seed"]):
        holdout = arrays[f"{variant}/{seed}/holdout"].astype(np.int64).sum(axis=0)
        assert scores(holdout).mean_iou == pytest.approx(run["holdout_mean_iou"].iloc[-1], abs=1e-5)
        of_run = epochs[(epochs["variant"] == variant) & (epochs["seed"] == seed)]
        last = of_run.groupby("round")["val_accuracy"].last()
        assert last.tolist() == pytest.approx(run["val_accuracy"].tolist(), abs=1e-5)


@pytest.mark.parametrize("name", RUNS)
def test_the_claims_were_tested_on_the_articles_schedule(name):
    report = recorded(name)
    about = {"data", "n_train", "n_holdout", "classes", "backbone", "pretrained", "settings"}
    assert set(report) == about | {"date", "commit", "machine"}
    settings = report["settings"]
    assert settings["n_rounds"] == 20 and settings["validation_share"] == 0.1
    assert settings["batch_size"] == round(BATCH_SHARE * settings["window"])
    assert settings["window"] == 10 * settings["stride"]
    assert report["n_train"] == 29 * settings["stride"] and report["n_holdout"] == 200


@pytest.mark.parametrize("name", RUNS)
def test_the_samples_seen_are_those_of_the_epochs_that_were_trained(name):
    settings, table = recorded(name)["settings"], recorded_table(name)
    epochs = recorded_table(f"{name}_epochs").groupby(["variant", "seed", "round"]).size()
    for (variant, seed), run in table.groupby(["variant", "seed"]):
        in_round = epochs[variant, seed]
        assert in_round.between(1, settings["passes"]).all() or variant.startswith("stride_")
        samples = (settings["window"] - run["n_validation"].to_numpy()) * in_round.to_numpy()
        assert run["samples_seen"].tolist() == samples.cumsum().tolist()


def test_each_size_is_the_articles_rounds_over_so_many_images():
    table = recorded_table("claims_sizes")
    runs = table.groupby("variant")["seed"].unique()
    assert {variant: [*seeds] for variant, seeds in runs.items()} == {
        f"size_{n_images}": [5, 6, 7] for n_images in SIZES
    }
    for (variant, seed), run in table.groupby(["variant", "seed"]):
        n_images = int(variant.removeprefix("size_"))
        windows = Geometry.scaled(29 * (n_images // 29), (128, 128)).windows
        splits = splits_of("article", windows, seed)
        assert run["round"].tolist() == [*range(1, 21)]
        assert run["n_validation"].tolist() == [len(validation) for _, validation in splits]
        assert run["leaked_share"].tolist() == pytest.approx(leaked_shares(splits), abs=1e-5)


def test_the_readmes_memory_is_that_of_the_file():
    report, words = recorded("loader_memory"), " ".join(README.split())
    beyond = [row["peak_mib_over_base"] - row["arrays_mib"] for row in report["windows"]]
    assert "{:.0f}, {:.0f}, {:.0f} and {:.0f} MiB more than the arrays".format(*beyond) in words
    peaks = [row["peak_mib_over_base"] for row in report["images"]]
    assert "{:.0f}, {:.0f} and {:.0f} MiB.".format(*peaks) in words


def test_each_run_over_shares_took_the_same_quarters():
    table, settings = recorded_table("shares_drawn"), recorded("shares_drawn")["settings"]
    assert settings["window"] == 10 * settings["stride"] and {*table["way"]} <= {*shares.WAYS}
    steps = {tuple(run["step"]) for _, run in table.groupby(["way", "seed"])}
    (quarters,) = steps
    assert len(quarters) == 4 and {*np.diff([0, *quarters])} == {quarters[0]}
    assert table["mean_iou"].between(0, 1).all()


def test_each_head_had_as_many_steps_and_its_scores_are_those_of_its_matrix():
    table, about = recorded_table("head_photographs"), recorded("head_photographs")
    matrices, settings = recorded_arrays("head_photographs"), about["settings"]
    assert {*table["way"]} <= {*head.WAYS} and not table.duplicated(["way", "seed"]).any()
    counts = np.array([*about["images_per_class"].values()])
    frequent = counts >= about["frequent_from"]
    # Rows from before answers were averaged have no such scores.
    averaged = table.dropna(subset=["averaged_mean_iou"])
    kept = set()
    for rows, times, name in ((table, "", "matrix"), (averaged, "averaged_", "averaged")):
        for row in rows.to_dict("records"):
            kept.add(f"{row['way']}/{row['seed']}/{name}")
            found = np.array(scores(matrices[f"{row['way']}/{row['seed']}/{name}"]).per_class_iou)
            assert row[f"{times}mean_iou"] == pytest.approx(np.nanmean(found), abs=1e-5)
            expected = pytest.approx(np.nanmean(found[frequent]), abs=1e-5)
            assert row[f"{times}frequent_iou"] == expected
    assert {*matrices} == kept
    window, stride = settings["window"], settings["stride"]
    # A window of one pass goes through the list five times as often as the article's does.
    many = window + (settings["passes"] * settings["n_rounds"] - 1) * stride
    for row in table.itertuples():
        everything = row.way == "everything"
        assert row.decoded_images == (about["n_train"] if everything else many)
        held = about["n_train"] if everything else window + stride
        height, width = settings["size"]
        assert row.window_mib == pytest.approx(held * height * width * 4 / MIB, rel=1e-4)


def test_every_turn_of_the_scaling_has_all_ways():
    table = recorded_table("scaling")
    assert len(table) == 3 * table["turn"].nunique()
    assert all({*ways} == {*scaling.WAYS} for _, ways in table.groupby("turn")["way"])
    assert (table["images_per_s"] > 0).all() and (table["peak_mib"] > 0).all()


def test_packed_and_in_files_are_the_same_pixels():
    table = recorded_table("packed")
    assert {*table["way"]} == {*packed.WAYS} and table["sum_of_pixels"].nunique() == 1
    assert len(table) == 2 * table["turn"].nunique() >= 10


def test_every_backend_trained_the_same_seeds_through_the_same_window():
    report, table = recorded("backends"), recorded_table("backends")
    settings = report["settings"]
    held = (settings["window"] + settings["stride"]) * np.prod(settings["size"]) * 4
    assert report["data"] == "shapes" and settings["passes"] == 1
    seeds = {name: sorted(runs["seed"]) for name, runs in table.groupby("backend")}
    assert set(seeds) == {"tensorflow", "jax", "torch"}
    assert len(set(map(tuple, seeds.values()))) == 1 and len(seeds["jax"]) >= 3
    assert table["window_mib"].tolist() == pytest.approx([held / MIB] * len(table), rel=1e-4)
    assert (table["peak_mib"] > table["base_mib"] + table["window_mib"]).all()
