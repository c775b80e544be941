"""A plan before a training: its arithmetic, and its memory beside a real run's."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.memory import measure_peak
from helpers.planning import KNOWN, Plan, Sizes, Speeds, known_sets, measure_speeds, plan_training
from helpers.units import MIB
from helpers.windows import Geometry, SlidingSubset
from tests.layouts import drawn
from tests.support import tiny_workshop

SPEEDS = Speeds(step_s=0.5, decode_s=0.01, other_bytes=100 * MIB)


@pytest.fixture
def workshop():
    return tiny_workshop()


def test_sizes_are_estimated_from_a_sample_and_exact_for_a_small_set(monkeypatch):
    index = drawn("train")
    files = [path for pair in index for path in (pair.image, pair.mask)]
    native = sum(4 * index.read(row)[1].size for row in range(len(index)))
    sizes = Sizes.of(index, (64, 32))
    on_disk = sum(path.stat().st_size for path in files)
    assert sizes == Sizes(60, on_disk, native, 60 * 64 * 32 * 4)
    monkeypatch.setattr("helpers.planning.N_SAMPLED", 20)
    some = Sizes.of(index, (64, 32))
    assert some.on_disk == pytest.approx(on_disk, rel=0.2) and some.on_disk != on_disk


def test_seconds_and_decodes_follow_from_the_geometry():
    geometry = Geometry(100, window=40, stride=10, size=(8, 8), batch_size=10, passes=2)
    plan = Plan(Sizes(100, 0, 0, 0), SPEEDS, geometry)
    assert plan.decodes == 40 + 6 * 10 and plan.first_s == pytest.approx(0.4)
    assert plan.round_s == pytest.approx(8 * 0.5 + 10 * 0.01)
    assert plan.all_s == pytest.approx(0.4 + 7 * 4.1)
    assert plan.peak_bytes == 100 * MIB + 50 * 8 * 8 * 4
    text = str(plan)
    assert "A window of 40 images that moves on by 10" in text and "500 ms" in text
    assert "7 rounds of 8 steps" in text and "100 images are decoded" in text
    assert "0.4 s until the first window, then 4.1 s a round, 29.1 s in all" in text
    slower = replace(plan, speeds=replace(SPEEDS, step_s=50))
    assert "then 6.7 minutes a round, 46.7 minutes in all" in str(slower)


def test_the_window_is_the_largest_that_fits_beside_the_rest(workshop):
    row = 4 * 64 * 64
    plan = plan_training(workshop, 100 * MIB + 22 * row, speeds=SPEEDS)
    assert (plan.geometry.window, plan.geometry.stride) == (20, 2)
    assert plan.geometry.nbytes == 22 * row and plan.geometry.passes == 5
    smaller = plan_training(workshop, 100 * MIB + 21 * row, passes=1, speeds=SPEEDS)
    assert (smaller.geometry.window, smaller.geometry.passes) == (10, 1)


def test_a_budget_that_the_network_alone_exceeds_is_refused(workshop):
    with pytest.raises(ValueError, match=r"100\.0 MiB is too small: libraries, network .* 100\.0"):
        plan_training(workshop, 100 * MIB, speeds=SPEEDS)


def test_known_sets_have_the_windows_of_the_geometry():
    rows = {name: values for name, *values in known_sets(64 * MIB, (128, 128))}
    assert {*rows} == {*KNOWN}
    n, native, stored, window = rows["Pascal VOC 2012"]
    assert (n, native, stored) == (2913, 2913 * 375 * 500 * 4, 2913 * 128 * 128 * 4)
    assert window == Geometry.within(64 * MIB, 2913, (128, 128)).window


def train(workshop, geometry):
    """What is planned: a few rounds, and the bytes of the window."""
    with SlidingSubset(workshop.train, geometry) as subset:
        workshop.network().fit(
            subset, steps_per_epoch=subset.steps_per_round, epochs=2, shuffle=False, verbose=0
        )
        return subset.nbytes


@pytest.mark.slow
def test_the_planned_memory_is_that_of_a_real_run_within_a_tenth(workshop):
    index = workshop.train[np.arange(5800) % len(workshop.train)]
    larger = replace(workshop, train=index)
    speeds = measure_speeds(workshop)
    plan = plan_training(larger, speeds.other_bytes + 40 * MIB, passes=1, speeds=speeds)
    assert plan.geometry.nbytes > 30 * MIB
    found = measure_peak(train, larger, plan.geometry, base_imports=("helpers.quiet",))
    assert found.value == plan.geometry.nbytes
    assert found.peak_bytes == pytest.approx(plan.peak_bytes, rel=0.1)
    assert speeds.step_s > 0 and speeds.decode_s > 0
