"""One loader measured in a fresh process: what its row holds."""

import os
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from experiments.race import measure
from experiments.race.measure import RaceSettings, measure_method
from experiments.race.per_batch import StepDataset
from experiments.race.step_clock import StepClock
from helpers.windows import Geometry
from helpers.workshop import Workshop
from tests.support import race_schedule, tiny_workshop

GEOMETRY = Geometry(n_images=24, window=16, stride=8, size=(32, 32), batch_size=8, passes=2)
SMALL = RaceSettings(GEOMETRY, score=True)


@pytest.fixture
def workshop():
    return tiny_workshop()


@pytest.fixture
def at_the_end(monkeypatch):
    """What is registered to be done at the end of the process; nothing is."""
    calls = []
    exits = SimpleNamespace(register=lambda *call: calls.append(call))
    monkeypatch.setattr(measure, "atexit", exits)
    return calls


def small_network(workshop, size):
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(workshop.train.n_classes, 1)]
    return keras.Sequential([keras.Input((*size, 3)), *layers])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
def test_training_alone_can_be_all_that_is_measured(workshop, at_the_end, monkeypatch):
    begun_with, ended_with, fit = [], [], measure._fit

    def watched_fit(method, schedule, model, clock):
        weights = [*model.get_weights(), model.optimizer.iterations.numpy()]
        begun_with.append((method, weights))
        fit(method, schedule, model, clock)
        ended_with.append(int(model.optimizer.iterations))

    monkeypatch.setattr(measure, "_fit", watched_fit)
    monkeypatch.setattr(Workshop, "network", small_network)
    settings = replace(SMALL, score=False, load=False)
    run = measure.run_method("uint8_batches", settings, workshop)
    assert run["decoded_images"] == 24
    assert not [name for name in run if "loader" in name or "holdout" in name]
    assert at_the_end == [(os._exit, 0)]
    # The warm-up trains the network; what is measured begins with it as it was new.
    methods, (warming_up, measured) = zip(*begun_with, strict=True)
    assert methods == ("uint8_batches", "uint8_batches")
    assert all(np.array_equal(*pair) for pair in zip(warming_up, measured, strict=True))
    assert ended_with[0] == 4 and measured[-1] == 0  # a round of steps, and none


def test_a_data_set_without_an_end_is_given_to_one_fit_whose_epochs_are_rounds(
    tmp_path, monkeypatch
):
    class Feed(StepDataset):
        closed = False

        def close(self):
            self.closed = True

    schedule, fits = race_schedule(tmp_path), []
    feed = Feed(schedule)
    monkeypatch.setattr(measure, "loader", lambda name: lambda schedule: feed)
    model = SimpleNamespace(fit=lambda data, **options: fits.append((data, feed.closed, options)))
    clock = StepClock(schedule.geometry)
    measure._fit("memmap", schedule, model, clock)
    options = {"callbacks": [clock], "verbose": 0, "shuffle": False}
    assert fits == [(feed, False, options | {"steps_per_epoch": 4, "epochs": 3})] and feed.closed


def test_a_subset_says_its_own_rounds(tmp_path):
    schedule = race_schedule(tmp_path)
    with measure.loader("sliding_subset_reshuffled")(schedule) as feed:
        assert measure._steps_and_rounds(feed, schedule.geometry) == (2, 6)


@pytest.mark.slow
def test_a_run_in_a_fresh_process_measures_everything(workshop):
    run = measure_method("sliding_subset", SMALL, workshop)
    assert run["method"] == "sliding_subset"
    assert run["decoded_images"] == run["loader_decoded_images"] == 24
    assert 0 <= run["holdout_miou"] <= 1
    for name in ("images_per_s", "loader_images_per_s", "loader_cpu_ms_per_image", "round_s"):
        assert run[name] > 0
    assert run["decode_images_per_s"] > 0 and run["share_of_decoding"] > 0
    n_images = GEOMETRY.n_steps * GEOMETRY.batch_size
    slowest = n_images / run["images_per_s_from_start"]
    assert slowest > run["seconds_to_first_batch"] > 0 and run["workers_mib"] == 0
    assert run["images_per_s_from_start"] < run["images_per_s"]
    assert run["peak_mib_over_base"] < 500


@pytest.mark.parametrize("method", ["article_as_meant", "float64_in_memory", "py_dataset_workers"])
def test_what_only_fit_can_drive_has_no_loader_to_be_measured(method, workshop, at_the_end):
    assert measure.run_method(method, replace(SMALL, train=False), workshop) == {}


@pytest.mark.slow
def test_the_loader_alone_can_be_all_that_is_measured(workshop, at_the_end):
    run = measure.run_method("py_dataset", replace(SMALL, train=False), workshop)
    assert set(run) == {
        "loader_images_per_s", "loader_cpu_ms_per_image", "loader_decoded_images",
        "decode_images_per_s", "share_of_decoding",
    }  # fmt: skip
    assert run["loader_decoded_images"] == 8 * 8
    # All images are decoded: the loader delivers as many as it decodes.
    by_share = run["share_of_decoding"] * run["decode_images_per_s"]
    assert run["loader_images_per_s"] == pytest.approx(by_share)


def test_a_loader_alone_is_timed_from_its_making_to_its_last_batch(tmp_path, monkeypatch):
    schedule, clock, made = race_schedule(tmp_path), [0.0], []

    class Feed(StepDataset):
        def __getitem__(self, step):
            clock[0] += 1
            self.schedule.reader.add(2)
            return np.zeros((4, 1)), np.zeros((4, 1))

    def make(given):
        made.append(given)
        clock[0] += 100  # the first fill
        return Feed(given)

    monkeypatch.setattr(measure, "loader", lambda name: make)
    rates = iter([2.0, 4.0])  # before and after
    monkeypatch.setattr(measure, "decoding_rate", lambda method, given: next(rates))
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])
    row = measure._load_alone("memmap", schedule)
    assert row["loader_images_per_s"] == 12 * 4 / (100 + 12)
    assert row["loader_decoded_images"] == 2 * 12
    assert row["share_of_decoding"] == pytest.approx(2 * 12 / 3.0 / 112)
    warm_up, measured = made
    assert warm_up.geometry.n_images == 8 and warm_up.folder != measured.folder


def test_the_first_pass_of_a_decoder_is_not_timed(monkeypatch, tmp_path):
    schedule, clock = race_schedule(tmp_path), [0.0]
    n = schedule.geometry.n_images

    def decoding(given):  # a pass of 60 seconds, then 2 seconds for each
        seconds = 60
        while True:
            clock[0] += seconds
            seconds = 2
            yield n

    monkeypatch.setattr(measure, "decoder", lambda method: decoding)
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])
    assert measure.decoding_rate("memmap", schedule, seconds=5) == 3 * n / 6


@pytest.mark.parametrize("method", ["sliding_subset", "tf_data"])
def test_the_decoder_of_a_loader_reads_every_image_again_and_again(method, tmp_path):
    schedule = race_schedule(tmp_path)
    assert measure.decoding_rate(method, schedule, seconds=0.01) > 0
    assert schedule.reader.decoded == 0  # it counts for itself


def test_an_unknown_method_is_refused_before_a_process_is_started(workshop):
    with pytest.raises(ValueError, match="'nothing' is not a loader"):
        measure_method("nothing", SMALL, workshop)
