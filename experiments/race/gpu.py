"""How well loaders feed a GPU: images a second, beside the share of the time it computes.

The network is the article's, an FCN-8s on VGG16 at 224×224. On a GPU it takes far more images a
second than processors decode, so what keeps them decoded, and how often one is used, decides.
"""

import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from tabulate import tabulate

from experiments.race.loaders import LOADERS, loader
from experiments.race.schedule import CountingReader, Schedule
from helpers.network import build_fcn, compile_fcn
from helpers.quiet import keras
from helpers.scoring import evaluate, scores
from helpers.units import MIB
from helpers.windows import Geometry, SlidingSubset, flip_horizontally
from helpers.workshop import Workshop

FEEDS = (
    "constant_batch", "uint8_batches", "sliding_subset", "sliding_subset_reshuffled",
    "py_dataset_all_cores",
)  # fmt: skip
PRECISIONS = ("float32", "mixed_bfloat16")
# The article's 1,000 and 100, as whole batches of 32.
WINDOW, STRIDE = 960, 96
LOOKS_PER_S = 5


class BusyShare:
    """A `with` block that asks nvidia-smi how much of the time the GPU computes.

    `mean` is the mean of all looks, 0 … 1, and None where there is no nvidia-smi.
    """

    mean = None

    def __enter__(self):
        self._log = tempfile.TemporaryFile("w+")
        query = "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"
        self._process = None
        with suppress(FileNotFoundError):
            command = ["nvidia-smi", *query, f"--loop-ms={1000 // LOOKS_PER_S}"]
            self._process = subprocess.Popen(command, stdout=self._log)
        return self

    def __exit__(self, *error):
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._log.seek(0)
            looks = [int(line) for line in self._log.read().split("\n") if line.strip().isdigit()]
            self.mean = float(np.mean(looks)) / 100 if looks else None
        self._log.close()


class RoundTimes(keras.callbacks.Callback):
    """The time at the end of each round, when the GPU has done all of its steps."""

    def __init__(self):
        super().__init__()
        self.times = []

    def on_epoch_end(self, epoch, logs=None):
        float(logs["loss"])  # a backend that computes ahead waits here
        self.times.append(time.perf_counter())


def feed_gpu(
    workshop: Workshop, precision: str, n_rounds: int, turns: int, feeds=FEEDS, said=print
) -> dict:
    """Train the workshop's network from each of `feeds`, in turns, at one of the `PRECISIONS`.

    Call it in a fresh process for each precision. The network is traced once, by a constant batch,
    and then trained on. The list is repeated until it is long enough for `n_rounds` windows.

    Returns a dict of `precision`, `peak_gpu_mib` (None where the backend does not say) and `runs`,
    each with `images_per_s` from the first byte read to the last step done, `steady_images_per_s`
    of all rounds but the first, `busy_share` and `decoded_images`.
    """
    keras.config.set_dtype_policy(precision)
    geometry = gpu_geometry(workshop, n_rounds)
    index = workshop.train[np.arange(geometry.n_images) % len(workshop.train)]
    model = build_fcn(
        index.n_classes, (*geometry.size, 3), backbone=workshop.settings.backbone, seed=0
    )
    compile_fcn(model, 1e-5)
    with tempfile.TemporaryDirectory() as folder:
        schedule = Schedule(index, Path(folder), geometry)
        _fit(model, "constant_batch", schedule)
        runs = []
        for turn in range(turns):
            first = turn * len(feeds) // turns
            for name in [*feeds[first:], *feeds[:first]]:
                schedule = replace(schedule, reader=CountingReader())
                run = {"feed": name, "turn": turn} | _fit(model, name, schedule)
                said(f"{precision}: {run}")
                runs.append(run)
    return {"precision": precision, "peak_gpu_mib": peak_gpu_mib(), "runs": runs}


def gpu_geometry(workshop: Workshop, n_rounds: int) -> Geometry:
    """The article's window and stride in whole batches, for the first `n_rounds` windows."""
    settings = workshop.settings
    batch = settings.batch_size
    window, stride = WINDOW // batch * batch, max(batch, STRIDE // batch * batch)
    return Geometry(window + (n_rounds - 1) * stride, window, stride, settings.size, batch)


def _fit(model, name: str, schedule: Schedule) -> dict:
    rounds = RoundTimes()
    with BusyShare() as busy:
        began = time.perf_counter()
        feed = loader(name)(schedule)
        own = feed.geometry if isinstance(feed, SlidingSubset) else schedule.geometry
        model.fit(
            feed, steps_per_epoch=own.steps_per_round, epochs=own.n_rounds, shuffle=False,
            callbacks=[rounds], verbose=0,
        )  # fmt: skip
    if hasattr(feed, "close"):
        feed.close()
    images = own.n_steps * own.batch_size
    return {
        "images_per_s": images / (rounds.times[-1] - began),
        "steady_images_per_s": (images - images // own.n_rounds)
        / (rounds.times[-1] - rounds.times[0]),
        "busy_share": busy.mean,
        "decoded_images": schedule.reader.decoded,
    }


def learn(workshop: Workshop, precision: str, seed: int) -> dict:
    """Train the workshop's own network on its windows; hold-out mean IoU and seconds of `fit`."""
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)
    train = workshop.train.shuffled(seed)
    geometry = replace(workshop.geometry, seed=seed)
    model = workshop.network(seed=seed)
    with SlidingSubset(train, geometry, augment=flip_horizontally) as subset:
        began = time.perf_counter()
        model.fit(
            subset, steps_per_epoch=subset.steps_per_round, epochs=subset.n_rounds,
            shuffle=False, verbose=0,
        )  # fmt: skip
        seconds = time.perf_counter() - began
    found = scores(evaluate(model, workshop.holdout_data()))
    return {"precision": precision, "seed": seed, "mean_iou": found.mean_iou, "seconds": seconds}


def peak_gpu_mib() -> float | None:
    """The most GPU memory that arrays took in this process; None where it is not known."""
    if keras.backend.backend() != "jax":
        return None
    import jax

    found = jax.devices()[0].memory_stats() or {}
    peak = found.get("peak_bytes_in_use")
    return None if peak is None else peak / MIB


def feed_table(rows: list[dict]) -> str:
    """What `feed_gpu` measured at each precision as a Markdown table, one line a loader.

    The middle run, and in brackets the slowest and the fastest.
    """
    lines = []
    for row in rows:
        for name in dict.fromkeys(run["feed"] for run in row["runs"]):
            runs = [run for run in row["runs"] if run["feed"] == name]
            speeds = [
                _middle([run[key] for run in runs], ",.0f")
                for key in ("images_per_s", "steady_images_per_s")
            ]
            busy = [100 * run["busy_share"] for run in runs if run["busy_share"] is not None]
            precision = row["precision"].removeprefix("mixed_")
            busy = f"{np.median(busy):.0f} %" if busy else ""
            # A GPU machine has more cores than the threads that `read_block` uses at most.
            label = LOADERS[name].label.replace("all cores", "8 threads")
            lines.append([precision, label, *speeds, busy, f"{len(runs)}"])
    headings = "precision", "loader", "images/s", "after the first round", "GPU busy", "runs"
    align = "left", "left", "right", "right", "right", "right"
    return tabulate(lines, headings, "pipe", disable_numparse=True, colalign=align)


def _middle(values, form: str) -> str:
    middle, low, high = (format(f(values), form) for f in (np.median, min, max))
    return f"{middle} ({low} to {high})"
