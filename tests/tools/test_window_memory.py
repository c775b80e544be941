"""The command that measures the window's memory: what it asks for, writes and refuses."""

import json

import pytest

from experiments.records import recorded
from tools import window_memory

ROWS = {
    "measure_window": {
        "window_mib": 64, "arrays_mib": 71.6, "peak_mib_over_base": 91.6, "bound_mib": 178.3,
        "within": True, "batches_ahead": 4,
    },
    "measure_slope": {
        "window_mib": 128, "rounds": 20, "left_out_rounds": 10, "mib_per_round": 0.25,
        "mib_per_round_second_half": 0.1, "limit": 0.5, "within": True, "rss_mib_over_base": [1.0],
    },
    "measure_images": {
        "images": 1000, "rounds": 2, "arrays_mib": 191.4, "index_mib": 0.03,
        "peak_mib_over_base": 218.7, "batches_ahead": 5,
    },
    "measure_constant": [{"part": "decoding alone", "mib": 1.5}],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch, voc_folder):
    """What each measurement is asked for, without the data; nothing is measured."""
    folder = voc_folder(30, splits={"train": [f"2007_{i:06}" for i in range(29)],
                                    "val": ["2007_000029"]})  # fmt: skip
    monkeypatch.setenv("TUTORIAL_DATA", str(folder))
    calls = []
    for name, row in ROWS.items():

        def instead(data, *numbers, name=name, row=row):
            assert data == str(folder)
            calls.append((name, *numbers))
            return row

        monkeypatch.setattr(window_memory.memory, name, instead)
    return calls


def test_the_report_holds_every_measurement(asked, tmp_path, capsys):
    output = tmp_path / "folder" / "memory.json"
    options = ["--windows-mib", "32", "64", "--rounds", "20", "--output", str(output)]
    window_memory.main(options)
    assert asked == [
        ("measure_window", 32), ("measure_window", 64), ("measure_slope", 20),
        ("measure_images", 1_000), ("measure_images", 10_000), ("measure_images", 100_000),
        ("measure_constant",),
    ]  # fmt: skip
    text = output.read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    report = json.loads(text)
    assert report["date"] and {"cores", "memory_gib", "processor", "tensorflow"} <= set(
        report["machine"]
    )
    assert report["windows"] == [ROWS["measure_window"]] * 2
    assert report["images"] == [ROWS["measure_images"]] * 3
    assert report["slope"] == ROWS["measure_slope"]
    kept = recorded("loader_memory")
    assert set(report) == set(kept) and set(report["slope"]) == set(kept["slope"])
    assert set(report["windows"][0]) == set(kept["windows"][0])
    assert set(report["images"][0]) == set(kept["images"][0])
    printed = capsys.readouterr().out
    assert "within" in printed and "ABOVE" not in printed and "0.25 MiB a round" in printed
    assert "written: memory.json" in printed


def test_the_usual_windows_and_rounds_are_those_of_the_kept_file(asked, tmp_path):
    window_memory.main(["--output", str(tmp_path / "memory.json")])
    kept = recorded("loader_memory")
    windows = [("measure_window", row["window_mib"]) for row in kept["windows"]]
    assert asked[:5] == [*windows, ("measure_slope", kept["slope"]["rounds"])]


@pytest.mark.parametrize("options", [["--rounds", "12"], ["--windows-mib", "0"]])
def test_too_few_rounds_and_no_window_are_refused(asked, tmp_path, options, capsys):
    with pytest.raises(SystemExit):
        window_memory.main(["--output", str(tmp_path / "memory.json"), *options])
    assert "13 or more" in capsys.readouterr().err and not asked
