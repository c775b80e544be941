"""The memory of the window: what is measured, counted and judged. Never how long it takes."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from experiments.race import window_memory
from helpers.units import MIB

PIXELS = 224 * 224


@pytest.mark.slow
def test_a_fit_in_a_fresh_process_holds_its_arrays_over_the_base(voc_folder):
    found = window_memory.measure("fit", str(voc_folder(3)), window=40, stride=20, passes=1)
    assert found["arrays"] == 60 * 4 * PIXELS and found["decoded"] == 80
    assert len(found["rss"]) == 3 and found["ahead"] >= 1  # how far, TensorFlow tunes
    assert found["index"] == 80 * (15 + 15) + 63
    assert 0.95 * found["arrays"] < found["peak"] < found["arrays"] + 96 * MIB
    assert found["kept"] < found["peak"] - 0.8 * found["arrays"]  # closed, the arrays are gone


def test_a_window_has_ten_strides_and_at_least_its_mib():
    for mib in (1, 32, 128, 512, 1024):
        window, stride = window_memory.window_of(mib)
        assert window == 10 * stride
        assert (window - 10) * 4 * PIXELS < mib * MIB <= window * 4 * PIXELS
    assert window_memory.window_of(1024) == (5350, 535)


def test_the_slope_is_in_mib_a_round():
    rss = MIB * (700 + 0.25 * np.arange(30) + np.resize([1, -1], 30))
    assert window_memory.slope_of(rss.tolist()) == pytest.approx(0.25, abs=0.02)


@dataclass
class Runs:
    """Stands in for `measure`: remembers the cases; a fit takes `over` MiB beyond its arrays."""

    over: int = 20
    growth: float = 0
    cases: list = field(default_factory=list)

    def __call__(self, work, data, window, stride, rounds=3, passes=2, painted=False):
        self.cases.append((work, window, stride, rounds, passes, painted))
        arrays = (window + stride) * 4 * PIXELS
        # The first rounds grow faster, and are to be left out.
        rss = [MIB * (700 + 5 * min(i, 10) + self.growth * i) for i in range(rounds)]
        return {
            "base": 600 * MIB, "arrays": arrays, "peak": arrays + self.over * MIB, "rss": rss,
            "ahead": 4, "ahead_before": 1, "kept": 10 * MIB, "index": 30 * window,
            "decoded": window + stride * (rounds - 1),
        }  # fmt: skip


@pytest.fixture
def runs(monkeypatch):
    """A function that puts `Runs(over, growth)` in the place of `measure`."""

    def instead(*numbers):
        stand_in = Runs(*numbers)
        monkeypatch.setattr(window_memory, "measure", stand_in)
        return stand_in

    return instead


def test_a_window_is_judged_by_its_arrays(runs):
    made = runs()
    row = {"window_mib": 64, "arrays_mib": 71.6, "peak_mib_over_base": 91.6, "bound_mib": 178.3}
    row |= {"within": True, "batches_ahead": 4}
    assert window_memory.measure_window("data", 64) == row
    window_memory.measure_window("data", 1024)
    assert made.cases[1] == ("fit", 5350, 535, 3, 2, False)


def test_the_slope_leaves_out_the_first_rounds(runs):
    made = runs(20, 0.25)
    slope = window_memory.measure_slope("data", 20)
    assert slope["mib_per_round"] == slope["mib_per_round_second_half"] == 0.25
    assert slope["within"] and len(slope["rss_mib_over_base"]) == 20
    assert slope["rss_mib_over_base"][0] == 100
    assert made.cases[0][3:] == (20, 1, False)


def test_figures_beyond_a_bound_are_called_so(runs):
    runs(130, 0.6)
    rows = [window_memory.measure_window("data", mib) for mib in (128, 512)]
    assert [row["within"] for row in rows] == [False, True]
    assert window_memory.measure_slope("data", 100)["within"] is False


def test_any_number_of_images_passes_the_window_in_as_many_passes(runs):
    made = runs()
    for n_images in window_memory.IMAGES:
        assert window_memory.measure_images("data", n_images)["images"] == n_images
    assert window_memory.IMAGES == (1_000, 10_000, 100_000)
    for _, window, stride, rounds, passes, painted in made.cases:
        assert (window, stride) == (500, 500) and rounds * passes == 200 and painted


def test_the_constant_is_measured_part_by_part(runs):
    made = runs()
    parts = {row["part"]: row["mib"] for row in window_memory.measure_constant("data")}
    assert {(case[0], case[5]) for case in made.cases} == set(window_memory.PARTS.values())
    assert parts["one batch of uint8, for comparison"] == 6.1
    assert parts["decoding, and fit"] == 20 and parts["fit: batches asked for ahead"] == 24.5


def report_with(over):
    row = {"window_mib": 64, "arrays_mib": 71.6, "peak_mib_over_base": over, "bound_mib": 178.3}
    slope = {"mib_per_round": 0.25, "rounds": 100, "mib_per_round_second_half": 0.1}
    images = {"images": 10_000, "peak_mib_over_base": 80.5, "arrays_mib": 70, "index_mib": 0.1}
    return {
        "windows": [row | {"within": over <= 178.3, "batches_ahead": 4}],
        "slope": slope,
        "images": [images],
        "constant": [{"part": "decoding alone", "mib": 1.5}],
    }


def test_the_table_says_what_lies_above_its_bound():
    text = window_memory.table(report_with(91.6))
    assert "within" in text and "ABOVE" not in text and "0.25 MiB a round" in text
    assert "10,000 images" in text and "1.5 MiB  decoding alone" in text
    assert "ABOVE" in window_memory.table(report_with(200))
