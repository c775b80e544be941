"""`make run`: what it writes, what it says, and how it fails."""

import json
import os
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.notebook.execute import Outcome
from tools import run_notebooks


def write(path, *sources):
    notebook = new_notebook(cells=[new_markdown_cell("# 9 · A test")])
    notebook.cells += [new_code_cell(source) for source in sources]
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(run_notebooks, "BUILD", tmp_path)
    monkeypatch.setattr(run_notebooks, "RUN", tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.slow
def test_a_good_and_a_bad_notebook(tmp_path, run_folder, capsys):
    good = write(tmp_path / "01_good.ipynb", "x = 1")
    bad = write(tmp_path / "02_bad.ipynb", "width = 0\n1 / width", "never = 1")
    assert run_notebooks.main([str(bad), str(good)]) == 1

    summary = json.loads((run_folder / "summary.json").read_text(encoding="utf-8"))
    assert [set(row) for row in summary] == [{"notebook", "seconds", "peak_mib", "ok"}] * 2
    assert [(row["notebook"], row["ok"]) for row in summary] == [
        ("02_bad", False),
        ("01_good", True),
    ]
    assert all(row["seconds"] > 0 for row in summary)
    printed = capsys.readouterr()
    assert "01_good  cell 2 of 2" in printed.out
    assert "02_bad, cell 2: ZeroDivisionError: division by zero  at: 1 / width" in printed.err


def test_nothing_is_stored_when_a_notebook_fails(tmp_path, run_folder, monkeypatch):
    for name in [name for name in os.environ if name.startswith("TUTORIAL_")]:
        monkeypatch.setenv(name, os.environ[name])  # so that it is there again afterwards
    path = write(tmp_path / "01_bad.ipynb", "undefined")
    before = path.read_bytes()
    assert run_notebooks.main(["--store-outputs", str(path)]) == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize(("source", "looked_at"), [("workshop.kept_networks", 1), ("1 + 1", 0)])
def test_outputs_of_a_notebook_with_kept_networks_begin_with_them(
    tmp_path, run_folder, monkeypatch, source, looked_at
):
    calls = []

    def look(command, **options):
        calls.append(command[1:])
        assert options["check"] and not run_folder.exists()

    monkeypatch.setattr(run_notebooks.subprocess, "run", look)
    monkeypatch.setattr(run_notebooks, "execute", stopped)
    path = write(tmp_path / "01_some.ipynb", source)
    run_notebooks.main([str(path)])
    assert calls == [], "only where outputs are stored"
    shutil.rmtree(run_folder)
    run_notebooks.main(["--store-outputs", str(path)])
    assert calls == [["-m", "tools.keep_networks"]] * looked_at


def stopped(path, out, progress):
    return Outcome(path.stem, error="stopped here")
