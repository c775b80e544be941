"""Measurements that are kept: what a report says of itself, and how a long one is resumed."""

import json
import platform
import re
import subprocess
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from experiments import records
from experiments.records import (
    check_about,
    commit,
    in_a_fresh_process,
    machine,
    measure_tables,
    read_rows,
    recorded,
    recorded_arrays,
    recorded_table,
    settings_of,
    write_report,
)
from helpers.windows import Geometry

ABOUT = {"data": "drawn", "settings": {"size": (8, 8)}}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_kept_measurement_is_read_by_its_name():
    assert recorded("decoders") == read(records.RECORDED / "decoders.json")


def test_an_unknown_recording_names_those_that_there_are():
    with pytest.raises(FileNotFoundError, match=r"results/magic\.json does not exist; there are: "):
        recorded("magic")


def test_a_report_says_when_of_which_commit_and_where(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "commit", lambda: "0123456789+")
    path = tmp_path / "deeper" / "report.json"
    write_report(path, rows=[{"speed": np.float32(0.5)}])
    assert read(path) == {
        "date": date.today().isoformat(),
        "commit": "0123456789+",
        "machine": machine(),
        "rows": [{"speed": 0.5}],
    }
    assert list(read(path))[:3] == ["date", "commit", "machine"]


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "report.json"
    write_report(path, rows=[1])
    kept = path.read_bytes()
    with pytest.raises(TypeError, match="not set"):
        write_report(path, rows={1})
    assert path.read_bytes() == kept and [*tmp_path.iterdir()] == [path]


def test_the_machine_is_described_and_not_named():
    facts = machine()
    assert {"processor", "cores", "memory_gib", "system", "python", "keras"} <= set(facts)
    assert facts["cores"] >= 1 and facts["memory_gib"] >= 1
    assert platform.node() not in facts.values() and "/" not in json.dumps(facts)


def test_a_gpu_is_named_with_its_driver(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA T4, 580.1'\necho 'another, 1'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert machine().items() >= {"gpu": "NVIDIA T4", "gpu_driver": "580.1"}.items()
    program.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "gpu" not in machine()


def git(folder, *words):
    who = ("-c", "user.name=A. Tester", "-c", "user.email=tester@example.org")
    settings = ("-c", "commit.gpgsign=false", "-c", "core.hooksPath=none")
    run = subprocess.run(
        ["git", *who, *settings, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A folder under git with one committed file, in the place of the project."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "code.py").write_text("x = 1\n", encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "code.py")
    git(folder, "commit", "--quiet", "--message", "One")
    monkeypatch.setattr(records, "PROJECT", folder)
    return folder


def test_the_commit_is_the_one_that_is_measured(repository):
    assert re.fullmatch(r"[0-9a-f]{10}", commit())
    assert git(repository, "rev-parse", "HEAD").startswith(commit())


@pytest.mark.parametrize("name", ["code.py", "new.py"])
def test_a_commit_with_other_files_is_marked(repository, name):
    clean = commit()
    (repository / name).write_text("x = 2\n", encoding="utf-8")
    assert commit() == clean + "+"


def test_without_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "PROJECT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() is None


def test_without_git_there_is_no_commit(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    assert commit() is None


def test_runs_of_other_data_or_settings_do_not_come_into_one_file(tmp_path):
    path = tmp_path / "report.json"
    check_about(path, ABOUT)  # nothing is there yet
    write_report(path, **ABOUT)
    check_about(path, ABOUT)  # a tuple is the list that JSON made of it
    with pytest.raises(ValueError, match=r"report\.json holds runs with data drawn, now it is"):
        check_about(path, ABOUT | {"data": "mine"})
    with pytest.raises(ValueError, match="holds runs with backbone None, now it is small"):
        check_about(path, ABOUT | {"backbone": "small"})


def run_of(name, seed):
    """What a measured function returns: two tables and the arrays."""
    rows = [{"round": k, "score": seed + 0.123456789} for k in (1, 2)]
    return {"rows": rows, "epochs": [{"epoch": 1}], "arrays": {"seen": [0, 1], "counts": [[300]]}}


@pytest.fixture
def asked(monkeypatch):
    """What `measure_peak` is called with; nothing is run."""
    calls = []

    def measure_peak(function, *arguments, **options):
        calls.append((function, *arguments, options))
        return SimpleNamespace(value=run_of(*arguments[1:]))

    monkeypatch.setattr(records, "measure_peak", measure_peak)
    monkeypatch.setattr(records, "commit", lambda: "0123456789")
    return calls


def measured(stem, names, seeds, about=ABOUT):
    measure = in_a_fresh_process("function", "workshop")
    return measure_tables(stem, about, measure, ("order", "seed"), names, seeds)


def test_each_run_has_a_process_of_its_own_that_is_given_the_workshop(asked, tmp_path):
    runs = measured(tmp_path / "table", ["a", "b"], [0, 1])
    assert [(run["order"], run["seed"]) for run in runs] == [
        ("a", 0), ("b", 0), ("a", 1), ("b", 1),
    ]  # fmt: skip
    assert asked[0] == ("function", "workshop", "a", 0, {"base_imports": ("helpers.quiet",)})
    assert len(asked) == 4


def test_every_run_is_on_disk_before_it_is_given(asked, tmp_path):
    stem = tmp_path / "deeper" / "table.x"  # a dot in a name is no suffix
    for n_runs, run in enumerate(measured(stem, ["a", "b"], [7]), start=1):
        table = read_rows(tmp_path / "deeper" / "table.x.csv")
        assert len(table) == 2 * n_runs and {*table.commit} == {"0123456789"}
        last = table.iloc[-1]
        assert (last.order, last.seed, last["round"]) == (run["order"], 7, 2)
        assert last.score == pytest.approx(7.12346)
        assert len(read_rows(tmp_path / "deeper" / "table.x_epochs.csv")) == n_runs
        with np.load(tmp_path / "deeper" / "table.x.npz") as arrays:
            assert len(arrays) == 2 * n_runs
            assert arrays[f"{run['order']}/7/counts"].tolist() == [[300]]
            assert arrays[f"{run['order']}/7/seen"].dtype == np.uint8
        report = read(tmp_path / "deeper" / "table.x.json")
        assert report["settings"] == {"size": [8, 8]} and {"date", "machine"} < set(report)


def test_runs_that_are_there_are_not_made_again(asked, tmp_path):
    next(measured(tmp_path / "table", ["a", "b"], [0]))  # stopped after one
    rest = measured(tmp_path / "table", ["a", "b"], [0])
    assert [run["order"] for run in rest] == ["b"]
    assert len(asked) == 2 and len(read_rows(tmp_path / "table.csv")) == 4


def test_a_run_that_was_stopped_between_its_files_stands_in_them_once(asked, tmp_path):
    [*measured(tmp_path / "table", ["a"], [0])]
    (tmp_path / "table.csv").unlink()  # the rows are written last: as if killed before them
    [*measured(tmp_path / "table", ["a"], [0])]
    assert len(read_rows(tmp_path / "table.csv")) == 2
    assert len(read_rows(tmp_path / "table_epochs.csv")) == 1


def test_runs_of_other_settings_are_refused_before_a_process_is_started(asked, tmp_path):
    write_report(tmp_path / "table.json", **ABOUT)
    with pytest.raises(ValueError, match="Give another --output"):
        next(measured(tmp_path / "table", ["a"], [0], ABOUT | {"data": "mine"}))
    assert not asked


def test_a_kept_table_is_read_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "RECORDED", tmp_path)
    (tmp_path / "orders.csv").write_text("order,seed\na,0\n", encoding="utf-8")
    assert recorded_table("orders").to_dict("records") == [{"order": "a", "seed": 0}]
    with pytest.raises(FileNotFoundError, match=r"results/magic\.csv does not exist; .*: orders"):
        recorded_table("magic")


def test_kept_arrays_are_read_by_the_name_of_their_table(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "RECORDED", tmp_path)
    np.savez_compressed(tmp_path / "orders.npz", **{"a/0/counts": [[1, 2]]})
    assert {name: found.tolist() for name, found in recorded_arrays("orders").items()} == {
        "a/0/counts": [[1, 2]]
    }


def test_settings_are_the_geometry_that_seeds_share():
    geometry = Geometry(n_images=28, window=20, stride=4, size=(8, 6), batch_size=5, passes=3)
    assert settings_of(geometry) == {
        "window": 20, "stride": 4, "size": (8, 6), "batch_size": 5, "passes": 3, "n_rounds": 3,
    }  # fmt: skip
