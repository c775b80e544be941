"""`make bench`: a row for each loader, and a report in the form of those that are kept."""

import json
import re
from unittest.mock import ANY

import pytest

from experiments.intervals import interval
from experiments.race import compare
from experiments.race.loaders import LOADERS, NO_LOADER, NOT_ALONE, installed
from experiments.records import recorded
from tests.support import RACE_ROW
from tools import bench


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")


def test_the_command_writes_a_row_for_each_method_and_ours_in_pairs(monkeypatch, tmp_path, capsys):
    speeds = iter([0.9, 1.0, 1.1])

    def measure(method, settings, workshop):
        run = dict.fromkeys(RACE_ROW - {"method", "shuffle", "repeats", "ratio_to_limit"}, 1.0)
        if method == "sliding_subset" and not settings.load:
            run["images_per_s"] = next(speeds)
        return {"method": method} | run | {"largest_round_gap_ms": 40, "step_ms": 30}

    monkeypatch.setattr(compare, "measure_method", measure)
    output = tmp_path / "deeper" / "loaders.json"
    assert bench.main(["--repeats", "2", "--pairs", "3", "--output", str(output)]) == 0
    report = json.loads(output.read_text(encoding="utf-8"))
    assert [row["method"] for row in report["rows"]] == installed()
    assert all(set(row) >= RACE_ROW for row in report["rows"])
    assert report["settings"]["size"] == [96, 96] and report["data"] == "tiny"
    assert {"processor", "cores", "python", "keras"} <= set(report["machine"])
    kept = recorded("loaders_photographs")
    assert set(report) == set(kept) and set(report["settings"]) == set(kept["settings"])
    (ours,) = report["ours"]
    assert (ours["method"], ours["repeats"]) == ("sliding_subset", 3)
    assert ours["ratio_to_limit_interval"] == pytest.approx(interval([0.9, 1.0, 1.1]))
    printed = capsys.readouterr().out
    assert all(LOADERS[method].label in printed for method in installed())
    assert (
        "SlidingSubset, 3 pairs: 1.000 of the speed of one constant batch "
        "(mean; its 95 % interval 0.752 to 1.248); the longest gap between steps at a change of "
        "round 40 ms, a usual step 30 ms\n"
    ) in printed


def test_the_options_are_the_work_that_is_measured(monkeypatch, tmp_path):
    asked = []

    def measure(method, settings, workshop):
        asked.append((method, settings, workshop.settings.source))
        run = {"images_per_s": 1.0, "peak_mib_over_base": 1, "step_ms": 1}
        return {"method": method, "largest_round_gap_ms": 1} | run

    monkeypatch.setattr(compare, "measure_method", measure)
    output = tmp_path / "out.json"
    bench.main([
        "--methods", "memmap", "--repeats", "1", "--size", "32", "--window", "8", "--stride", "4",
        "--rounds", "3", "--passes", "5", "--batch-size", "4", "--label", "mine", "--pairs", "2",
        "--output", str(output),
    ])  # fmt: skip
    (method, settings, source), *ours = asked
    geometry = settings.geometry
    assert (method, source, geometry.n_images, geometry.size) == ("memmap", "tiny", 16, (32, 32))
    assert (geometry.n_rounds, geometry.passes, geometry.batch_size) == (3, 5, 4)
    assert settings.train and settings.score and settings.load
    pairs = ["constant_batch", "sliding_subset"] * 2  # so it is drawn for the first two turns
    assert ours == [(method, ANY, "tiny") for method in pairs]
    assert all(one.geometry == geometry and one.train and not one.load for _, one, _ in ours)
    report = json.loads(output.read_text(encoding="utf-8"))
    assert report["data"] == "mine" and report["settings"]["n_rounds"] == 3


def test_without_training_only_loaders_are_measured(monkeypatch, tmp_path):
    asked = []

    def measure(method, settings, workshop):
        asked.append(method)
        assert settings.load and not settings.train and not settings.score
        return {"method": method, "loader_images_per_s": 1.0}

    monkeypatch.setattr(compare, "measure_method", measure)
    bench.main(["--load-only", "--repeats", "1", "--output", str(tmp_path / "out.json")])
    assert "sliding_subset" in asked and "tf_data" in asked
    assert not set(asked) & {*NOT_ALONE, *NO_LOADER}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--repeats 0", "--repeats must be 1 or more"),
        ("--pairs 1", "--pairs must be 2 or more"),
        ("--rounds 1", "--rounds must be 2 or more"),
        ("--batch-size 0", "--batch-size must be 1 or more"),
        ("--methods magic", "invalid choice: 'magic'"),
    ],
)
def test_a_wrong_argument_is_refused(words, said, capsys):
    with pytest.raises(SystemExit):
        bench.main(words.split())
    assert said in capsys.readouterr().err


def test_the_help_names_every_method(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--help"])
    assert set(LOADERS) <= set(re.findall(r"\w+", capsys.readouterr().out))
