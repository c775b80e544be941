"""Measure one loader in a fresh process: speed, memory, processor time, what was learnt.

`make bench` (`tools/bench.py`) and notebook 6 both measure through this.
"""

import atexit
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

import numpy as np

from experiments.race.loaders import LOOPS, NOT_ALONE, decoder, loader, name_of
from experiments.race.schedule import CountingReader, Schedule
from experiments.race.step_clock import StepClock
from helpers.memory import measure_peak, peak_rss, rebase
from helpers.network import compile_fcn
from helpers.quiet import keras
from helpers.scoring import evaluate, scores
from helpers.units import MIB
from helpers.windows import Geometry, SlidingSubset
from helpers.workshop import Workshop, finite_data

# The parent looks after the child twice a second: more often would be felt on two cores.
SECONDS_BETWEEN_LOOKS = 0.5
USUAL = Geometry(n_images=160, window=48, stride=16, size=(96, 96), batch_size=16, passes=2)


@dataclass(frozen=True)
class RaceSettings:
    """The work that every loader is given: the windows, and what is measured.

    `train`, `score` and `load` choose: training with the network of the workshop's settings, its
    hold-out score afterwards, and the loader alone.
    """

    geometry: Geometry = USUAL
    train: bool = True
    score: bool = False
    load: bool = True


def measure_method(method: str | Callable, settings: RaceSettings, workshop: Workshop) -> dict:
    """Run one loader in a fresh process and return its row, plain numbers only.

    `method` is a name in `LOADERS`, or a function of such a name, which is raced in its place.
    Which keys there are follows from `settings`. In training, rates are of the steady state, from
    the end of the first step to the end of the last; `images_per_s_from_start` counts from the call
    of `fit`, first fill and first step included. Of the loader alone they are of the whole
    schedule, from making the loader to its last batch, first fill included; `share_of_decoding` is
    what decoding alone, on all cores and without a loader, would have taken of that time.
    `peak_mib_over_base`: the high-water mark of the RSS while it trained, over the RSS after a
    short warm-up by the same method (network traced, libraries loaded). Only Linux can set the
    mark back at the base; elsewhere it holds the warm-up's peak as well. Of worker processes, where
    a loader has them, `workers_mib` has the pages that are theirs alone, and their time is in
    `loader_cpu_ms_per_image`.
    Raises ChildError with the child's traceback if the method fails.
    """
    name = name_of(method)
    found = measure_peak(
        run_method,
        method,
        settings,
        workshop,
        base_imports=("helpers.quiet",),
        sample_seconds=SECONDS_BETWEEN_LOOKS,
    )
    return {"method": name} | found.value


def run_method(method: str | Callable, settings: RaceSettings, workshop: Workshop) -> dict:
    """What `measure_method` runs in the fresh process."""
    row = {}
    with tempfile.TemporaryDirectory() as folder:
        schedule = Schedule(workshop.train, Path(folder), settings.geometry)
        if settings.train:
            row |= _train(method, schedule, workshop, settings.score)
        if settings.load and name_of(method) not in NOT_ALONE:
            row |= _load_alone(method, schedule)
    # TensorFlow would take most of a second to free what the end of the process frees anyway.
    atexit.register(os._exit, 0)
    return row


def _train(method, schedule: Schedule, workshop: Workshop, score: bool) -> dict:
    geometry = schedule.geometry
    # A learning rate that stays the same: the run is too short for it to fall.
    workshop = workshop.with_fcn()
    model = compile_fcn(workshop.network(size=geometry.size), workshop.settings.learning_rate)
    as_new = _state(model)
    _warm_up(method, schedule, model)
    _restore(as_new)
    base = rebase()
    clock = StepClock(geometry)
    began = time.perf_counter()
    _fit(method, schedule, model, clock)
    row = {"peak_mib_over_base": (peak_rss() - base) / MIB} | clock.rates()
    row["seconds_to_first_batch"] = clock.times[0] - began
    n_images = len(clock.times) * geometry.batch_size
    row["images_per_s_from_start"] = n_images / (clock.times[-1] - began)
    row["decoded_images"] = schedule.reader.decoded
    if score:
        holdout = finite_data(workshop.holdout, geometry.size, geometry.batch_size)
        row["holdout_miou"] = scores(evaluate(model, holdout)).mean_iou
    return row


def _warm_up(method, schedule: Schedule, model) -> None:
    """A round by the same method: the network is traced, libraries are loaded.

    The first steps of a process are slower, so there are as many as in a usual round.
    """
    short = _shortened(schedule, "warm_up")
    _fit(method, short, model, StepClock(short.geometry))


def _shortened(schedule: Schedule, name: str) -> Schedule:
    """One round over the first two batches, with a folder of its own."""
    geometry = schedule.geometry
    window, passes = 2 * geometry.batch_size, -(-geometry.steps_per_round // 2)
    few = replace(geometry, n_images=window, window=window, passes=passes)
    folder = _subfolder(schedule, name)
    return replace(schedule, folder=folder, geometry=few, reader=CountingReader())


def _state(model) -> list:
    """All variables of the model and its optimizer, with their values."""
    model.optimizer.build(model.trainable_variables)
    return [(v, np.array(v)) for v in [*model.variables, *model.optimizer.variables]]


def _restore(state: list) -> None:
    for variable, value in state:
        variable.assign(value)


def _fit(method, schedule: Schedule, model, clock) -> None:
    if name_of(method) in LOOPS:
        loader(method)(schedule, model, [clock])
        return
    feed, geometry = loader(method)(schedule), schedule.geometry
    options = {"callbacks": [clock], "verbose": 0}
    if isinstance(feed, tuple):
        images, masks = feed
        model.fit(
            images, masks, batch_size=geometry.batch_size, epochs=schedule.n_passes, **options
        )
    else:
        # The same for all: one iterator through all steps, so that nothing begins anew.
        steps, rounds = _steps_and_rounds(feed, geometry)
        model.fit(feed, steps_per_epoch=steps, epochs=rounds, shuffle=False, **options)
        _close(feed)


def _steps_and_rounds(feed, geometry: Geometry) -> tuple[int, int]:
    """The geometry's; of a subset its own, which may have more rounds of fewer passes."""
    own = feed.geometry if isinstance(feed, SlidingSubset) else geometry
    return own.steps_per_round, own.n_rounds


def _close(feed) -> None:
    if hasattr(feed, "close"):
        feed.close()


def _subfolder(schedule: Schedule, name: str) -> Path:
    folder = schedule.folder / name
    folder.mkdir()
    return folder


def _load_alone(method, schedule: Schedule) -> dict:
    """Take the batches of all steps and train nothing. Seconds are of the clock on the wall."""
    _take(method, _shortened(schedule, "load_warm_up"))  # libraries are loaded
    before = decoding_rate(method, schedule)
    again = replace(schedule, folder=_subfolder(schedule, "load"), reader=CountingReader())
    began, cpu_began = time.perf_counter(), _cpu_seconds()
    n_images = _take(method, again)
    seconds, cpu_seconds = time.perf_counter() - began, _cpu_seconds() - cpu_began
    # Before and after: a shared machine is not as fast all the time.
    decode_rate = (before + decoding_rate(method, schedule)) / 2
    return {
        "loader_images_per_s": n_images / seconds,
        "loader_cpu_ms_per_image": 1000 * cpu_seconds / n_images,
        "loader_decoded_images": again.reader.decoded,
        "decode_images_per_s": decode_rate,
        "share_of_decoding": again.reader.decoded / decode_rate / seconds,
    }


def _cpu_seconds() -> float:
    """Of this process and of the workers that it had, which count once they have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _take(method, schedule: Schedule) -> int:
    """Make the loader and take the batches of all its steps; returns the number of images."""
    feed = loader(method)(schedule)
    batches = islice(_batches(feed), schedule.geometry.n_steps)
    n_images = sum(len(batch[0]) for batch in batches)
    _close(feed)
    return n_images


def decoding_rate(method, schedule: Schedule, seconds: float = 1.0) -> float:
    """Images/s of this loader's decoder on all cores, with nothing around it.

    The first pass over the images is not timed; then it decodes all of them at least once more, for
    `seconds` or longer.
    """
    decoded = decoder(method)(replace(schedule, reader=CountingReader()))
    warm_up, n = 0, schedule.geometry.n_images
    while warm_up < n:
        warm_up += next(decoded)
    n_images, began = 0, time.perf_counter()
    while n_images < n or time.perf_counter() - began < seconds:
        n_images += next(decoded)
    return n_images / (time.perf_counter() - began)


def _batches(feed) -> Iterator:
    """Step after step, as Keras asks for them."""
    if isinstance(feed, keras.utils.PyDataset):
        return (feed[step] for step in count())
    return iter(feed)
