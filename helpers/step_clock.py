"""The time of every training step, and what a usual one takes."""

import time

import numpy as np

from helpers.loaders import Schedule
from helpers.memory import MIB, current_rss
from helpers.quiet import keras


class StepClock(keras.callbacks.Callback):
    """Notes the time of each step, where epochs began, and the memory after each epoch of a window.

    It ends training after `schedule.n_steps`, so that every method takes as many.
    """

    def __init__(self, schedule: Schedule):
        super().__init__()
        self.schedule, self.times, self.rss_bytes, self.begins = schedule, [], [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.begins.append(len(self.times))

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())
        if len(self.times) % self.schedule.steps_per_epoch == 0:
            self.rss_bytes.append(current_rss())
        if len(self.times) >= self.schedule.n_steps:
            self.model.stop_training = True

    def rates(self) -> dict:
        """Speed, growth, and what the changes of epoch and of window cost.

        There are three kinds of steps: the first of a window, the first of another epoch, all
        others. Each kind counts with its median, so that a shared machine which stands still for
        half a second now and then does not decide; `stalls_s` says how much that left out. A
        change costs what its step takes longer than a usual one. Growth is counted from the first
        round's end on: memory that is used for the first time is no leak.
        """
        steps, kinds = np.diff(self.times), self._kinds()
        medians = {kind: np.median(steps[kinds == kind]) for kind in set(kinds)}
        seconds = sum(medians[kind] for kind in kinds)
        usual = medians["step"]
        epochs = self.schedule.epochs_per_round
        return {
            "images_per_s": float(len(steps) * self.schedule.batch_size / seconds),
            "stalls_s": float(steps.sum() - seconds),
            "slope_mib_per_round": growth(self.rss_bytes[epochs - 1 :], epochs),
            "epoch_change_ms": _milliseconds(medians.get("epoch"), usual),
            "window_change_ms": _milliseconds(medians.get("window"), usual),
            "round_s": float(seconds / len(steps) * self.schedule.steps_per_round),
        }

    def _kinds(self) -> np.ndarray:
        """What each step but the first of all is, by name."""
        kinds = np.full(len(self.times) - 1, "step", dtype=object)
        for begin in self.begins:
            if 0 < begin < len(self.times):
                new_window = begin % self.schedule.steps_per_round == 0
                kinds[begin - 1] = "window" if new_window else "epoch"
        return kinds


def growth(rss_bytes, looks_per_round: int = 1) -> float | None:
    """MiB a round, by least squares over memory that was looked at so often; None for one look."""
    if len(rss_bytes) < 2:
        return None
    rounds = np.arange(len(rss_bytes)) / looks_per_round
    return float(np.polyfit(rounds, np.array(rss_bytes) / MIB, 1)[0])


def _milliseconds(step, usual):
    return None if step is None else float(step - usual) * 1000
