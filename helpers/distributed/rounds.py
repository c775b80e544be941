"""Rounds of several processes: one score of all their hold-outs, checkpoints that fit together."""

import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from helpers.distributed.group import Group
from helpers.files import remove
from helpers.network import SaveRounds, resume
from helpers.quiet import keras
from helpers.scoring import evaluate, scores

PREVIOUS = "previous.keras"


class ScoreTogether(keras.callbacks.Callback):
    """As `ScoreHoldout`, for several processes: each scores its part, and the matrices are added.

    `build` makes a network of the same kind, which scores in this process alone: between processes
    `predict` would want equally many images of all of them, and could not give them back.
    """

    def __init__(self, data, build: Callable[[], keras.Model], group: Group):
        super().__init__()
        self.data, self.group = data, group
        with alone():
            self.network = build()

    def on_epoch_end(self, epoch, logs=None):
        with alone():
            self.network.set_weights(self.model.get_weights())
            matrix = evaluate(self.network, self.data)
        found = scores(self.group.gather(matrix).sum(axis=0))
        logs["val_mean_iou"] = found.mean_iou
        logs["val_pixel_accuracy"] = found.pixel_accuracy


@contextmanager
def alone():
    """What is computed in here is computed by this process alone."""
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


class SaveTogether(SaveRounds):
    """`SaveRounds` for one of several processes: the round before the last one stays on disk, too.

    A kill may come when some processes have saved a round and others have not. They can be one
    round apart, never two: no step of the next round is done without all of them. So with the last
    two rounds of each there is always one that all have; see `resume_together`.

    Every process saves, into a folder of its own. `seed` is the same on all, unlike that of a
    share's geometry: Dropout is drawn for the whole batch.
    """

    def __init__(self, folder, subset, seed: int, **options):
        super().__init__(folder, subset, **options)
        self.seed = seed

    def _open(self, epoch):
        if epoch == 0:
            remove(self.folder / PREVIOUS)
        super()._open(epoch)

    def _save(self, name):
        last = self.folder / "last.keras"
        if name == last.name and last.is_file():
            os.replace(last, self.folder / PREVIOUS)
        super()._save(name)


def resume_together(
    build: Callable[[], keras.Model], folder: Path, subset, group: Group
) -> tuple[keras.Model, int]:
    """(model, round to go on from): the last round that all processes have finished.

    `build` makes a new compiled network; it is given back as it is where there is no such round.
    Raises ValueError as `resume` does, and on all processes where one has no file of that round, or
    none at all while others have several: nothing that was trained is thrown away in silence.

    Until the round is agreed each looks at its files alone: between processes every assignment of a
    weight is a step of all together, which wants the same value from each.
    """
    last, previous = folder / "last.keras", folder / PREVIOUS
    if previous.is_file() and not last.is_file():  # killed between the one and the other
        os.replace(previous, last)
    with alone():
        own = build()
        done = resume(own, folder, subset)
    of_all = group.gather(np.array(done))
    agreed = int(of_all.min())
    if agreed == 0 and of_all.max() > 1:  # more than a kill can bring about
        raise ValueError(
            f"Process {of_all.argmin()} has no round on its disk, and process {of_all.argmax()} "
            f"has {of_all.max()}. Is the folder of the first the right one? Bring its files back, "
            "or begin afresh with --anew."
        )
    if agreed == 0:
        return build(), 0
    if agreed < done and previous.is_file():
        os.replace(previous, last)
        with alone():
            done = resume(own, folder, subset)
    if not group.gather(np.array(done == agreed)).all():
        raise ValueError(
            f"{folder} holds round {done}, but another process has only {agreed}: start afresh."
            if done != agreed
            else f"Another process has no file of round {agreed}: start afresh."
        )
    model = build()
    return model, resume(model, folder, subset)
