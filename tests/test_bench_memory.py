"""The memory benchmark: what is measured, counted and written. Never how long it takes."""

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.dataset import index_voc
from helpers.images import read_block
from helpers.memory import MIB
from tools import bench_memory as bench
from tools import memory_child as child

PIXELS = 224 * 224


def test_a_fit_in_a_fresh_process_holds_its_arrays_over_the_base(voc_folder):
    found = bench.measure("fit", str(voc_folder(3)), window=40, stride=20, epochs=1)
    assert found["arrays"] == 60 * 4 * PIXELS and found["decoded"] == 80
    assert len(found["rss"]) == 3 and found["ahead"] in (1, 2)
    assert found["index"] == 80 * (11 + 2) + 63
    assert 0.95 * found["arrays"] < found["peak"] < found["arrays"] + 96 * MIB
    assert found["kept"] < found["peak"] - 0.8 * found["arrays"]  # closed, the arrays are gone


@pytest.fixture
def small(monkeypatch, voc_folder):
    """Pictures of 32×32 in batches of 4; gives the folder."""
    monkeypatch.setattr(child, "SIZE", (32, 32))
    monkeypatch.setattr(child, "BATCH", 4)
    return str(voc_folder(5))


@pytest.mark.parametrize("work", ["decode", "loop", "step", "fit"])
@pytest.mark.parametrize("painted", [True, False])
def test_each_kind_of_work_does_what_it_says(monkeypatch, small, work, painted):
    readers, asked = Counter(), Counter()

    def counting(reader):
        def read(index, rows, *rest, **options):
            readers[reader.__name__] += len(rows)
            return reader(index, rows, *rest, **options)

        return read

    class Subset(child.CountedSubset):
        def __getitem__(self, batch):
            asked[self.ring.window] += 1
            return super().__getitem__(batch)

    monkeypatch.setattr(child, "CountedSubset", Subset)
    monkeypatch.setattr(child, "read_block", counting(read_block))
    monkeypatch.setattr(child, "paint", counting(child.paint))
    found = child.run(work, small, 10, 5, rounds=3, epochs=2, painted=painted)
    assert found["decoded"] == 20 and found["arrays"] == 15 * 4 * 32 * 32
    warm_up = 9 + 4  # always of real pictures
    assert readers == ({"paint": 20, "read_block": warm_up} if painted else {"read_block": 33})
    # Six epochs of three batches; `fit` asks for two more before it begins.
    assert asked[10] == {"decode": 0, "loop": 18, "step": 6, "fit": 20}[work]
    assert len(found["rss"]) == (3 if work == "fit" else 0)
    assert found["ahead"] in ((1, 2, 3) if work == "fit" else (0,))


def test_batches_ahead_are_those_asked_for_and_not_yet_trained_on():
    subset = SimpleNamespace(asked=2, epochs_per_round=2)
    notes = child.Notes(subset)
    for epoch in range(2):
        notes.on_epoch_begin(epoch)
        for batch, asked in enumerate([1, 4, 5, 5]):
            subset.asked = asked
            notes.on_train_batch_end(batch)
        notes.on_epoch_end(epoch)
    assert notes.ahead == 3 and len(notes.rss) == 1


def test_painting_writes_all_of_both_arrays(voc_folder):
    index = index_voc(voc_folder(2))
    images, masks = np.zeros((2, 8, 6, 3), np.uint8), np.zeros((2, 8, 6), np.uint8)
    child.paint(index, [0, 1], (8, 6), images=images, masks=masks, threads=None)
    assert images.all() and masks.all()


def test_a_window_has_ten_strides_and_at_least_its_mib():
    for mib in (1, 32, 128, 512, 1024):
        window, stride = bench.window_of(mib)
        assert window == 10 * stride
        assert (window - 10) * 4 * PIXELS < mib * MIB <= window * 4 * PIXELS
    assert bench.window_of(1024) == (5350, 535)


def test_the_peak_is_the_own_mark_only_if_it_has_risen():
    assert bench.peak_of({"high_water": 90, "mark_at_base": 50}, 80) == 90
    assert bench.peak_of({"high_water": 90, "mark_at_base": 50}, 95) == 95
    # Not set back, it still is what the imports once took.
    assert bench.peak_of({"high_water": 90, "mark_at_base": 90}, 80) == 80


def test_the_slope_is_in_mib_a_round():
    rss = MIB * (700 + 0.25 * np.arange(30) + np.resize([1, -1], 30))
    assert bench.slope_of(rss.tolist()) == pytest.approx(0.25, abs=0.02)


class Runs:
    """Stands in for `measure`: remembers the cases; a fit takes `over` MiB beyond its arrays."""

    def __init__(self, over=20, growth=0):
        self.cases, self.over, self.growth = [], over, growth

    def __call__(self, work, data, window, stride, rounds=3, epochs=2, painted=False):
        self.cases.append((work, window, stride, rounds, epochs, painted))
        arrays = (window + stride) * 4 * PIXELS
        # The first rounds grow faster, and are to be left out.
        rss = [MIB * (700 + 5 * min(i, 10) + self.growth * i) for i in range(rounds)]
        return {
            "base": 600 * MIB, "arrays": arrays, "peak": arrays + self.over * MIB, "rss": rss,
            "ahead": 4, "ahead_before": 1, "kept": 10 * MIB, "index": 14 * window,
            "decoded": window + stride * (rounds - 1),
        }  # fmt: skip


def report_of(monkeypatch, tmp_path, runs, *options):
    monkeypatch.setattr(bench, "measure", runs)
    output = tmp_path / "folder" / "memory.json"
    bench.main(["--data", str(tmp_path), "--output", str(output), *options])
    text = output.read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    return json.loads(text)


def test_the_report_holds_every_measurement(monkeypatch, tmp_path, capsys):
    runs = Runs(growth=0.25)
    report = report_of(monkeypatch, tmp_path, runs, "--windows-mib", "32", "64", "--rounds", "20")
    assert report["date"] and {"cores", "memory_gib", "processor", "tensorflow"} <= set(
        report["machine"]
    )
    window = {"window_mib": 64, "arrays_mib": 71.6, "peak_mib_over_base": 91.6, "bound_mib": 178.3}
    assert report["windows"][1] == window | {"within": True, "batches_ahead": 4}
    assert report["slope"]["mib_per_round"] == report["slope"]["mib_per_round_second_half"] == 0.25
    assert report["slope"]["within"] and len(report["slope"]["rss_mib_over_base"]) == 20
    assert report["slope"]["rss_mib_over_base"][0] == 100
    assert [row["images"] for row in report["images"]] == [1_000, 10_000, 100_000]
    parts = {row["part"]: row["mib"] for row in report["constant"]}
    assert parts["one batch of uint8, for comparison"] == 6.1
    assert parts["decoding, and fit"] == 20 and parts["fit: batches asked for ahead"] == 24.5
    printed = capsys.readouterr().out
    assert "within" in printed and "ABOVE" not in printed and "0.25 MiB a round" in printed


def test_figures_beyond_a_bound_are_called_so(monkeypatch, tmp_path, capsys):
    over, growth = 130, 0.6
    report = report_of(monkeypatch, tmp_path, Runs(over, growth), "--windows-mib", "128", "512")
    assert [row["within"] for row in report["windows"]] == [False, True]
    assert report["slope"]["within"] is False
    assert "ABOVE" in capsys.readouterr().out


def test_the_cases_are_those_that_are_claimed(monkeypatch, tmp_path):
    runs = Runs()
    report_of(monkeypatch, tmp_path, runs, "--windows-mib", "1024")
    assert runs.cases[0] == ("fit", 5350, 535, 3, 2, False)
    assert runs.cases[1][3:] == (100, 1, False)
    for (_, window, stride, rounds, epochs, _), images in zip(
        runs.cases[2:5], (1_000, 10_000, 100_000), strict=True
    ):
        assert window + stride * (rounds - 1) == images and rounds * epochs == 200
    assert {(case[0], case[5]) for case in runs.cases[5:]} == set(bench.PARTS.values())


@pytest.mark.parametrize("options", [["--rounds", "12"], ["--windows-mib", "0"]])
def test_too_few_rounds_and_no_window_are_refused(monkeypatch, tmp_path, options, capsys):
    monkeypatch.setattr(bench, "measure", Runs())
    with pytest.raises(SystemExit):
        bench.main(["--data", str(tmp_path), "--output", str(tmp_path / "memory.json"), *options])
    assert "13 or more" in capsys.readouterr().err
