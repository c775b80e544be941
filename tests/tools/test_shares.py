"""`python -m tools.shares`, `tools.scaling`, `tools.packed`: each way once, and not once more."""

import pandas as pd
import pytest

from experiments import scaling as scaling_ways
from experiments import shares as share_ways
from tools import packed, scaling, shares


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")


def twice(tool, monkeypatch, name, row, tmp_path, *options):
    """Run a tool twice with a function in the place of `name`; what it was asked, and the table."""
    asked = []

    def measure(*which):
        asked.append(which)
        return {"rows": [row]}

    monkeypatch.setattr(tool, name, measure)
    output = tmp_path / "found"
    for _ in range(2):
        assert tool.main(["--output", str(output), *options]) == 0
    return asked, pd.read_csv(output.with_suffix(".csv"))


def test_shares(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(shares, "in_a_fresh_process", lambda f, workshop: lambda *which: f(*which))
    options = ("--seeds", "0", "1", "--ways", "everything", "windows_2")
    row = {"mean_iou": 0.5}
    asked, table = twice(shares, monkeypatch, "learn_in_shares", row, tmp_path, *options)
    assert asked == [(way, seed) for seed in (0, 1) for way in ("everything", "windows_2")]
    assert len(table) == 4 and {*table["way"]} <= {*share_ways.WAYS}
    assert "windows_2   seed 1: mean IoU 0.500" in capsys.readouterr().out


def test_scaling(monkeypatch, tmp_path, capsys):
    row = {"images_per_s": 12.0}
    asked, table = twice(scaling, monkeypatch, "measure_scaling", row, tmp_path, "--turns", "2")
    turns = [(way, turn) for turn in (1, 2) for way in scaling_ways.WAYS]
    assert [which[2:] for which in asked] == turns
    assert len(table) == 6 and "12 images/s" in capsys.readouterr().out


def test_packed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(packed, "pack", lambda index, path: 1000)
    row = {"images_per_s": 12.0}
    asked, table = twice(packed, monkeypatch, "read_all", row, tmp_path, "--turns", "1")
    assert [which[3:] for which in asked] == [
        ("files", 0), ("array_record", 0), ("files", 1), ("array_record", 1),
        ("files", 0), ("array_record", 0),
    ]  # fmt: skip
    assert len(table) == 2 and "one ArrayRecord" in capsys.readouterr().out
