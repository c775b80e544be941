"""The times of the steps: speed, what a change of epoch and of window costs, growth."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.race.step_clock import StepClock, growth
from helpers.units import MIB
from helpers.windows import Geometry


def clock_with(steps, rss_mib=(0, 0), begins=(0,), per_round=4, passes=2):
    geometry = SimpleNamespace(
        steps_per_pass=per_round // passes,
        steps_per_round=per_round,
        passes=passes,
        n_steps=len(steps) + 1,
        batch_size=10,
    )
    clock = StepClock(geometry)
    clock.times = list(100 + np.cumsum([0, *steps]))
    clock.rss_bytes, clock.begins = [mib * MIB for mib in rss_mib], list(begins)
    return clock


def test_rates_come_from_the_times_of_the_steps():
    # 12 steps of 1 s; an epoch (2 steps) costs 0.5 s more, a window (4 steps) 2 s more.
    steps = np.ones(11)
    steps[[1, 5, 9]] += 0.5
    steps[[3, 7]] += 2
    rates = clock_with(steps, begins=range(0, 12, 2)).rates()
    assert rates["images_per_s"] == pytest.approx(10 * 11 / (11 + 1.5 + 4))
    assert rates["epoch_change_ms"] == pytest.approx(500)
    assert rates["window_change_ms"] == pytest.approx(2000)
    assert rates["round_s"] == pytest.approx(4 * 16.5 / 11)
    assert rates["step_ms"] == pytest.approx(1000)


def test_waiting_counts_and_a_change_is_what_it_costs_on_average():
    # Three epochs without a new window: at one of the two changes everything waits for 8 s.
    steps = np.ones(11)
    steps[6] += 8
    rates = clock_with(steps, begins=(0, 3, 7)).rates()
    assert rates["images_per_s"] == pytest.approx(10 * 11 / 19)
    assert rates["epoch_change_ms"] == pytest.approx(4000) and rates["window_change_ms"] is None


def test_a_method_without_windows_has_its_own_epochs():
    # Its passes are of three steps; the first step of each takes 1 s more.
    steps = np.ones(11)
    steps[[2, 5, 8]] += 1
    rates = clock_with(steps, begins=(0, 3, 6, 9)).rates()
    assert rates["images_per_s"] == pytest.approx(10 * 11 / 14)
    assert rates["epoch_change_ms"] == pytest.approx(1000) and rates["window_change_ms"] is None


def test_growth_is_counted_after_the_first_round():
    # Six epochs, two a round: 50 MiB in the first round is no growth, 3 MiB an epoch is.
    rates = clock_with(np.ones(11), [0, 50, 53, 56, 59, 62]).rates()
    assert rates["slope_mib_per_round"] == pytest.approx(6)


def test_one_look_shows_no_growth():
    assert growth([5 * MIB]) is None and growth([5 * MIB, 7 * MIB]) == pytest.approx(2)


def test_the_clock_stops_training_after_the_steps_and_looks_after_each_pass():
    geometry = Geometry(n_images=24, window=16, stride=8, size=(8, 8), batch_size=8, passes=2)
    clock = StepClock(geometry)
    clock.set_model(SimpleNamespace(stop_training=False))
    for epoch in range(4):
        clock.on_epoch_begin(epoch)
        for batch in range(2):
            assert not clock.model.stop_training
            clock.on_train_batch_end(batch)
    assert clock.model.stop_training and len(clock.times) == geometry.n_steps == 8
    assert clock.begins == [0, 2, 4, 6] and len(clock.rss_bytes) == 4
