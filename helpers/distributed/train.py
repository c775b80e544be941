"""What each of several processes does: train on its share, every step with the others."""

import hashlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from helpers.distributed.group import Group
from helpers.distributed.rounds import SaveTogether, ScoreTogether, resume_together
from helpers.files import read_json
from helpers.memory import peak_rss
from helpers.network import ScoreHoldout
from helpers.quiet import keras
from helpers.units import MIB
from helpers.windows import SideBySide, SlidingSubset, rows_left_over
from helpers.workshop import Workshop

FIRST_STEPS = 8  # whose losses are told one by one


def train_share(
    workshop: Workshop, group: Group, folder: Path, tell: Callable[[dict], None] = print
) -> dict:
    """Train the workshop's network with the others; go on from the last round that all finished.

    `workshop` holds the whole list, the same on all processes. `folder` gets this process's
    checkpoints. `tell` is given a dict after each round: `process`, `pid`, `round`, `rounds`,
    `loss`, `mean_iou` of all hold-outs together, `images_per_s` of all processes. Returns a dict:

        process, images, window_mib   its share, and the window in its memory
        left_over                     names of images that are in no share
        losses, mean_ious             a number a round
        first_losses                  of the first steps since this start: the mean up to each
        weights                       fingerprint of the final weights, equal on all processes
        images_per_s                  of all processes, rounds since this start but its first
        peak_mib                      of this process
    """
    _refuse_differences(workshop, group)
    share = workshop.share(group.process, group.n_processes)
    with (
        SlidingSubset(share.train, share.geometry, share.augment) as subset,
        share.holdout_data() as holdout,
    ):
        model, done = resume_together(share.network, folder, subset, group)
        clock = Clock(group.process, group.n_processes, share.geometry, tell)
        model.fit(
            subset.from_round(done),
            initial_epoch=done,
            steps_per_epoch=subset.steps_per_round,
            epochs=subset.n_rounds,
            shuffle=False,
            verbose=0,
            callbacks=[
                ScoreTogether(holdout, share.network, group),
                SaveTogether(folder, subset, workshop.geometry.seed),
                clock,
            ],
        )
        window_mib = subset.nbytes / MIB
    rounds = read_json(folder / "history.json")["rounds"]
    about = {"images": len(share.train), "window_mib": window_mib}
    losses, mean_ious = ([row[name] for row in rounds] for name in ("loss", "val_mean_iou"))
    return _outcome(workshop, model, clock, losses, mean_ious) | about


def _refuse_differences(workshop, group):
    """ValueError on all processes if one of them trains on something else, or otherwise."""
    settings = workshop.settings
    weights = settings.weights.read_bytes() if isinstance(settings.weights, Path) else b""
    jax_version = getattr(sys.modules.get("jax"), "__version__", "")  # none for one process alone
    for what, value in {
        "images": workshop.train.images.tobytes(),
        "hold-out images": workshop.holdout.images.tobytes(),
        "classes": "\n".join(workshop.train.class_names).encode(),
        "settings": f"{workshop.geometry} {settings.network} {settings.backbone}".encode(),
        "first weights": weights,
        "versions of Keras and JAX": f"{keras.__version__} {jax_version}".encode(),
    }.items():
        group.refuse_differences(what, value)


def train_as(n_processes: int, workshop: Workshop, tell: Callable[[dict], None] = print) -> dict:
    """One process that takes the batches of `n_processes`, to be compared with them.

    All their windows are in its memory, nothing is saved, and the hold-out is scored by itself.
    Returns a dict as `train_share` does.
    """
    shares = [workshop.share(process, n_processes) for process in range(n_processes)]
    subsets = [SlidingSubset(share.train, share.geometry, share.augment) for share in shares]
    clock = Clock(0, n_processes, shares[0].geometry, tell)
    with SideBySide(subsets) as together, workshop.holdout_data() as holdout:
        model = shares[0].network()
        history = model.fit(
            together,
            steps_per_epoch=together.steps_per_round,
            epochs=together.n_rounds,
            shuffle=False,
            verbose=0,
            callbacks=[ScoreHoldout(holdout), clock],
        ).history
        window_mib = together.nbytes / MIB
    about = {"images": sum(len(share.train) for share in shares), "window_mib": window_mib}
    return _outcome(workshop, model, clock, history["loss"], history["val_mean_iou"]) | about


def _outcome(workshop, model, clock, losses, mean_ious) -> dict:
    """What is told of a training when it is done, but for the images in memory."""
    rows = rows_left_over(len(workshop.train), clock.n_processes)
    return {
        "process": clock.process,
        "left_over": [pair.id for pair in workshop.train[rows]],
        "losses": losses,
        "mean_ious": mean_ious,
        "first_losses": clock.first_losses,
        "weights": fingerprint(model),
        "images_per_s": clock.images_per_s,
        "peak_mib": peak_rss() / MIB,
    }


class Clock(keras.callbacks.Callback):
    """Tells each round, and measures the speed of its steps; scores and files are left out."""

    def __init__(self, process: int, n_processes: int, geometry, tell: Callable[[dict], None]):
        super().__init__()
        self.process, self.n_processes = process, n_processes
        self.geometry, self.tell = geometry, tell
        self.seconds, self.first_losses = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.ended = time.perf_counter()
        if len(self.first_losses) < FIRST_STEPS:
            self.first_losses.append(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(self.ended - self.began)
        self.tell(
            {
                "process": self.process,
                "pid": os.getpid(),
                "round": epoch + 1,
                "rounds": self.geometry.n_rounds,
                "loss": logs["loss"],
                "mean_iou": logs["val_mean_iou"],
                "images_per_s": self._images_per_round / self.seconds[-1],
            }
        )

    @property
    def images_per_s(self) -> float:
        """Of all rounds but the first, in which the network is compiled; nan if there was one."""
        later = self.seconds[1:]
        return len(later) * self._images_per_round / sum(later) if later else float("nan")

    @property
    def _images_per_round(self) -> int:
        return self.geometry.window * self.geometry.passes * self.n_processes


def fingerprint(model) -> str:
    """Twelve characters that differ if any weight of a network does."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()[:12]
