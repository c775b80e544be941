"""The times of the steps: speed, what a change of round costs, growth."""

import gc
import multiprocessing
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from experiments.race import measure
from experiments.race.step_clock import StepClock, growth, own_pages_of_workers
from helpers.units import MIB
from helpers.windows import Geometry
from tests.support import race_schedule


def rates_of(seconds, per_round=4):
    """The rates of steps that take `seconds`, the first of all left out; 10 images each."""
    clock = StepClock(SimpleNamespace(steps_per_round=per_round, batch_size=10))
    clock.times = list(100 + np.cumsum([0, *seconds]))
    clock.rss_bytes = [5 * MIB, 7 * MIB]
    return clock.rates()


def test_a_change_of_round_costs_what_its_first_step_takes_beyond_a_usual_one():
    # 12 steps of 1 s, in rounds of 4; the first step of the second round takes 2 s more, of the
    # third 4 s more.
    seconds = np.ones(11)
    seconds[[3, 7]] += 2, 4
    assert rates_of(seconds) == pytest.approx({
        "images_per_s": 10 * 11 / (11 + 6),
        "slope_mib_per_round": 2,
        "workers_mib": 0,
        "step_ms": 1000,
        "round_change_ms": 3000,
        "largest_round_gap_ms": 5000,
        "round_s": 4 * (11 + 6) / 11,
    })  # fmt: skip


def test_waiting_within_a_round_is_in_the_speed_alone():
    seconds = np.ones(11)
    seconds[5] += 8
    rates = rates_of(seconds)
    assert rates["images_per_s"] == pytest.approx(10 * 11 / 19)
    assert (rates["round_change_ms"], rates["largest_round_gap_ms"]) == pytest.approx((0, 1000))


@pytest.mark.parametrize(
    ("per_round", "change", "gap"), [(4, None, None), (1, pytest.approx(1000), 4000)]
)
def test_one_round_has_no_change_and_rounds_of_one_step_have_no_other(per_round, change, gap):
    rates = rates_of([1, 1, 4], per_round)
    assert (rates["step_ms"], rates["round_change_ms"]) == (1000, change)
    assert rates["largest_round_gap_ms"] == gap


def test_workers_count_with_the_pages_that_are_theirs_alone():
    assert own_pages_of_workers() == 0
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        own = pool.apply(len, [b"awake"])
        assert own == 5 and own_pages_of_workers() > MIB


def test_growth_is_a_slope_and_one_look_shows_none():
    assert growth([50 * MIB, 53 * MIB, 56 * MIB, 59 * MIB]) == pytest.approx(3)
    assert growth([5 * MIB]) is None


GEOMETRY = Geometry(n_images=24, window=16, stride=8, size=(8, 8), batch_size=8, passes=2)


@pytest.mark.parametrize("steps", [3, 4])
def test_the_clock_stops_training_after_the_steps_where_the_epoch_would_go_on(steps):
    clock = StepClock(GEOMETRY)
    clock.set_model(SimpleNamespace(stop_training=False))
    clock.set_params({"steps": steps})
    for step in range(GEOMETRY.n_steps):
        assert not clock.model.stop_training
        clock.on_train_batch_end(step % steps)
    assert len(clock.times) == GEOMETRY.n_steps == 8 and len(clock.rss_bytes) == 2
    # Eight steps are two epochs of four; of three they end within the third.
    assert clock.model.stop_training == (steps == 3)


def test_a_fit_over_the_steps_leaves_no_iterator_behind(tmp_path):
    from tensorflow.python.data.ops.iterator_ops import OwnedIterator

    schedule = race_schedule(tmp_path)
    model = keras.Sequential(
        [keras.Input((*schedule.geometry.size, 3)), keras.layers.Conv2D(21, 1)]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(ignore_class=255))
    gc.collect()
    gc.disable()
    try:
        measure._fit("py_dataset_all_cores", schedule, model, StepClock(schedule.geometry))
        assert not [thing for thing in gc.get_objects() if isinstance(thing, OwnedIterator)]
    finally:
        gc.enable()
