"""The time of every training step, and what a usual one takes."""

import time

import numpy as np
import psutil

from helpers.memory import current_rss
from helpers.quiet import keras
from helpers.units import MIB
from helpers.windows import Geometry


class StepClock(keras.callbacks.Callback):
    """Notes the time of each step and the memory after each round, that of workers as well.

    It ends training after `geometry.n_steps`, so that every method takes as many.
    """

    def __init__(self, geometry: Geometry):
        super().__init__()
        self.geometry, self.times = geometry, []
        self.rss_bytes, self.workers_bytes = [], 0

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())
        if len(self.times) % self.geometry.steps_per_round == 0:
            self.rss_bytes.append(current_rss())
            self.workers_bytes = max(self.workers_bytes, own_pages_of_workers())
        # Not where the epoch ends anyway: an iterator that is left in the middle is a circle of
        # objects, which Python frees at some later time, in any thread. TensorFlow then waits for
        # the thread that gathers its batches, and that one may wait for the thread it happens in.
        ends_anyway = batch + 1 == self.params.get("steps")
        if len(self.times) >= self.geometry.n_steps and not ends_anyway:
            self.model.stop_training = True

    def rates(self) -> dict:
        """Speed, growth, and what a change of round costs.

        A change costs what the first step of a round takes, on average, beyond the median of all
        other steps; `largest_round_gap_ms` is the longest of these first steps. All of it is in
        the speed: waiting between rounds, and a machine that stands still. Growth is counted from
        the first round's end on: memory that is used for the first time is no leak.
        """
        steps, per_round = np.diff(self.times), self.geometry.steps_per_round
        first = np.arange(1, len(self.times)) % per_round == 0
        usual = np.median(steps[~first]) if per_round > 1 else np.median(steps)
        changes = 1000 * steps[first]
        return {
            "images_per_s": float(len(steps) * self.geometry.batch_size / steps.sum()),
            "slope_mib_per_round": growth(self.rss_bytes),
            "workers_mib": self.workers_bytes / MIB,
            "step_ms": float(1000 * usual),
            "round_change_ms": float(changes.mean() - 1000 * usual) if first.any() else None,
            "largest_round_gap_ms": float(changes.max()) if first.any() else None,
            "round_s": float(steps.mean() * per_round),
        }


def own_pages_of_workers() -> int:
    """Bytes in the child processes that they do not share with this one; 0 without any."""
    children = psutil.Process().children(recursive=True)
    return sum(child.memory_full_info().uss for child in children)


def growth(rss_bytes) -> float | None:
    """MiB a round, by least squares over the memory at the end of each; None for one round."""
    if len(rss_bytes) < 2:
        return None
    return float(np.polyfit(np.arange(len(rss_bytes)), np.array(rss_bytes) / MIB, 1)[0])
