"""The time of every training step, and what a usual one takes."""

import time

import numpy as np

from helpers.memory import current_rss
from helpers.quiet import keras
from helpers.units import MIB
from helpers.windows import Geometry


class StepClock(keras.callbacks.Callback):
    """Notes the time of each step, where epochs began, and the memory after each epoch of a window.

    It ends training after `geometry.n_steps`, so that every method takes as many.
    """

    def __init__(self, geometry: Geometry):
        super().__init__()
        self.geometry, self.times, self.rss_bytes, self.begins = geometry, [], [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.begins.append(len(self.times))

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())
        if len(self.times) % self.geometry.steps_per_pass == 0:
            self.rss_bytes.append(current_rss())
        if len(self.times) >= self.geometry.n_steps:
            self.model.stop_training = True

    def rates(self) -> dict:
        """Speed, growth, and what the changes of epoch and of window cost.

        There are three kinds of steps: the first of a window, the first of another epoch, all
        others. A change costs what such a step takes, on average, beyond the median of the others.
        All of it is in the speed: the waiting between epochs, and a machine that stands still.
        Growth is counted from the first round's end on: memory that is used for the first time is
        no leak.
        """
        steps, kinds = np.diff(self.times), self._kinds()
        usual = np.median(steps[kinds == "step"])
        passes = self.geometry.passes
        return {
            "images_per_s": float(len(steps) * self.geometry.batch_size / steps.sum()),
            "slope_mib_per_round": growth(self.rss_bytes[passes - 1 :], passes),
            "step_ms": float(1000 * usual),
            "epoch_change_ms": _milliseconds(steps[kinds == "epoch"], usual),
            "window_change_ms": _milliseconds(steps[kinds == "window"], usual),
            "round_s": float(steps.mean() * self.geometry.steps_per_round),
        }

    def _kinds(self) -> np.ndarray:
        """What each step but the first of all is, by name."""
        kinds = np.full(len(self.times) - 1, "step", dtype=object)
        for begin in self.begins:
            if 0 < begin < len(self.times):
                new_window = begin % self.geometry.steps_per_round == 0
                kinds[begin - 1] = "window" if new_window else "epoch"
        return kinds


def growth(rss_bytes, looks_per_round: int = 1) -> float | None:
    """MiB a round, by least squares over memory that was looked at so often; None for one look."""
    if len(rss_bytes) < 2:
        return None
    rounds = np.arange(len(rss_bytes)) / looks_per_round
    return float(np.polyfit(rounds, np.array(rss_bytes) / MIB, 1)[0])


def _milliseconds(steps, usual):
    return float(1000 * (steps.mean() - usual)) if len(steps) else None
