"""`make bench`: a row for each loader, and a report in the form of those that are kept."""

import json

import pytest

from experiments.race import compare
from experiments.race.loaders import LOADERS, LOOPS, installed
from experiments.records import recorded
from tests.support import RACE_ROW
from tools import bench


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")


def test_the_command_writes_a_row_for_each_method(monkeypatch, tmp_path, capsys):
    def measure(method, settings, workshop):
        run = dict.fromkeys(RACE_ROW - {"method", "shuffle", "repeats"}, 2.0)
        return {"method": method} | run

    monkeypatch.setattr(compare, "measure_method", measure)
    output = tmp_path / "deeper" / "loaders.json"
    assert bench.main(["--repeats", "2", "--output", str(output)]) == 0
    report = json.loads(output.read_text(encoding="utf-8"))
    assert [row["method"] for row in report["rows"]] == installed()
    assert all(set(row) >= RACE_ROW for row in report["rows"])
    assert report["settings"]["size"] == [96, 96] and report["data"] == "tiny"
    assert {"processor", "cores", "python", "keras"} <= set(report["machine"])
    kept = recorded("loaders_drawn")
    assert set(report) == set(kept) and report["settings"] == kept["settings"]
    printed = capsys.readouterr().out
    assert all(LOADERS[method].label in printed for method in installed())


def test_the_options_are_the_work_that_is_measured(monkeypatch, tmp_path):
    asked = []

    def measure(method, settings, workshop):
        asked.append((method, settings, workshop.settings.source))
        return {"method": method, "images_per_s": 1.0, "ratio_to_limit": 1, "peak_mib_over_base": 1}

    monkeypatch.setattr(compare, "measure_method", measure)
    output = tmp_path / "out.json"
    bench.main([
        "--methods", "memmap", "--repeats", "1", "--size", "32", "--window", "8", "--stride", "4",
        "--rounds", "3", "--passes", "5", "--batch-size", "4", "--label", "mine",
        "--output", str(output),
    ])  # fmt: skip
    ((method, settings, source),) = asked
    geometry = settings.geometry
    assert (method, source, geometry.n_images, geometry.size) == ("memmap", "tiny", 16, (32, 32))
    assert (geometry.n_rounds, geometry.passes, geometry.batch_size) == (3, 5, 4)
    assert settings.train and settings.score and settings.load
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
    assert not set(asked) & {*LOOPS, "constant_batch", "uint8_in_memory"}


@pytest.mark.parametrize("arguments", [["--repeats", "0"], ["--methods", "magic"]])
def test_a_wrong_argument_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        bench.main(arguments)
    assert "error" in capsys.readouterr().err


def test_the_help_names_every_method(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--help"])
    assert set(LOADERS) <= set(capsys.readouterr().out.replace(",", " ").replace(".", " ").split())
