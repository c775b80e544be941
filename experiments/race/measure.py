"""Measure one loader in a fresh process: speed, memory, processor time, what was learnt.

`make bench` (`tools/bench.py`) and notebook 6 both measure through this.
"""

import atexit
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

import numpy as np

from experiments.race.loaders import LOOPS, loader
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
USUAL = Geometry(n_images=128, window=112, stride=16, size=(96, 96), batch_size=16, passes=2)


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


def measure_method(method: str, settings: RaceSettings, workshop: Workshop) -> dict:
    """Run one loader in a fresh process and return its row, plain numbers only.

    Which keys there are follows from `settings`. Rates are of the steady state: in training from
    the end of the first step to the end of the last, of the loader alone from the second round.
    `ratio_to_limit` compares with the same network on a constant batch in the same process.
    `peak_mib_over_base`: the high-water mark of the RSS while it trained, over the RSS after a
    short warm-up by the same method (network traced, libraries loaded). Only Linux can set the
    mark back at the base; elsewhere it holds the warm-up's peak as well.
    Raises ChildError with the child's traceback if the method fails.
    """
    loader(method)
    found = measure_peak(
        run_method,
        method,
        settings,
        workshop,
        base_imports=("helpers.quiet",),
        sample_seconds=SECONDS_BETWEEN_LOOKS,
    )
    return {"method": method} | found.value


def run_method(method: str, settings: RaceSettings, workshop: Workshop) -> dict:
    """What `measure_method` runs in the fresh process."""
    row = {}
    with tempfile.TemporaryDirectory() as folder:
        schedule = Schedule(workshop.train, Path(folder), settings.geometry)
        if settings.train:
            row |= _train(method, schedule, workshop, settings.score)
        if settings.load and method not in LOOPS:
            again = replace(schedule, folder=_subfolder(schedule, "load"), reader=CountingReader())
            row |= _load_alone(loader(method)(again), again)
    # TensorFlow would take most of a second to free what the end of the process frees anyway.
    atexit.register(os._exit, 0)
    return row


def _train(method: str, schedule: Schedule, workshop: Workshop, score: bool) -> dict:
    geometry = schedule.geometry
    # A learning rate that stays the same: the run is too short for it to fall.
    model = compile_fcn(workshop.network(size=geometry.size), workshop.settings.learning_rate)
    as_new = _state(model)
    limit = _limit(schedule, model)
    _warm_up(method, schedule, model)
    _restore(as_new)
    base = rebase()
    clock = StepClock(geometry)
    began = time.perf_counter()
    _fit(method, schedule, model, clock)
    row = {"peak_mib_over_base": (peak_rss() - base) / MIB} | clock.rates()
    row["seconds_to_first_batch"] = clock.times[0] - began
    row["decoded_images"] = schedule.reader.decoded
    if score:
        holdout = finite_data(workshop.holdout, geometry.size, geometry.batch_size)
        row["holdout_miou"] = scores(evaluate(model, holdout)).mean_iou
    row["limit_images_per_s"], row["ratio_to_limit"] = limit, row["images_per_s"] / limit
    return row


def _warm_up(method: str, schedule: Schedule, model) -> None:
    """A few steps by the same method: the network is traced, libraries are loaded."""
    batch = schedule.geometry.batch_size
    few = replace(schedule.geometry, n_images=2 * batch, window=2 * batch, stride=batch, passes=1)
    folder = _subfolder(schedule, "warm_up")
    short = replace(schedule, folder=folder, geometry=few, reader=CountingReader())
    _fit(method, short, model, StepClock(few))


def _limit(schedule: Schedule, model) -> float:
    """Images/s of `fit` on a batch that stays in memory, for one round, now and on this machine.

    Measured just before the method, because a shared machine changes within minutes, and after an
    epoch that does not count, because the first steps of a process are slower.
    """
    one_round = replace(schedule.geometry, n_images=schedule.geometry.window)
    for geometry in (replace(one_round, passes=1), one_round):
        few = replace(schedule, geometry=geometry, reader=CountingReader())
        clock = StepClock(geometry)
        _fit("constant_batch", few, model, clock)
    return clock.rates()["images_per_s"]


def _state(model) -> list:
    """All variables of the model and its optimizer, with their values."""
    model.optimizer.build(model.trainable_variables)
    return [(v, np.array(v)) for v in [*model.variables, *model.optimizer.variables]]


def _restore(state: list) -> None:
    for variable, value in state:
        variable.assign(value)


def _fit(method: str, schedule: Schedule, model, clock) -> None:
    if method in LOOPS:
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


def _load_alone(feed, schedule: Schedule) -> dict:
    """Take the same batches and train nothing. `seconds` are of the clock on the wall."""
    if isinstance(feed, tuple):
        return {}  # arrays: there is no loader
    first_round = schedule.geometry.steps_per_round
    others = schedule.geometry.n_steps - first_round
    batches = _batches(feed)
    for _ in islice(batches, first_round):
        pass
    began, cpu_began = time.perf_counter(), time.process_time()
    n_images = sum(len(batch[0]) for batch in islice(batches, others))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    _close(feed)
    return {
        "loader_images_per_s": n_images / seconds,
        "loader_cpu_ms_per_image": 1000 * cpu_seconds / n_images,
        "loader_decoded_images": schedule.reader.decoded,
    }


def _batches(feed) -> Iterator:
    """Step after step, as Keras asks for them."""
    if isinstance(feed, keras.utils.PyDataset):
        return (feed[step] for step in count())
    return iter(feed)
