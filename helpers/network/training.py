"""Training over windows: one compile, one `fit`, and a run that can be stopped and resumed.

A round is all the epochs of one window. After each one the hold-out is scored and the run's
folder brought up to date; `checkpoints.py` says what lies there.
"""

import time
from pathlib import Path

import keras
import numpy as np
from tqdm.auto import tqdm

from helpers.data import read_block
from helpers.network import fcn  # noqa: F401 (a saved model names its metric: it must be known)
from helpers.network.checkpoints import plan_of, resume_run, save_round, start_run
from helpers.scoring import confusion_matrix, image_matrices, predict_masks, scores
from helpers.units import MIB

HOLDOUT_BYTES = 64 * MIB
"""A hold-out up to this size is decoded once; a larger one is read again for every score."""


def train(
    model: keras.Model,
    subset,
    holdout,
    folder: str | Path,
    *,
    patience: int | None = None,
    resume: bool = False,
    stop_after_round: int | None = None,
    callbacks=(),
    progress: bool = True,
) -> list[dict]:
    """Train a compiled model over all windows of a `SlidingSubset`; returns one dict a round.

    `holdout` is an `Index` of pairs that no window loads. `patience` ends the run when that many
    rounds in a row brought no better hold-out mean IoU. `stop_after_round=3` ends it after three
    rounds; `resume=True` loads the weights and the optimizer of the last finished round into
    `model` and goes on (from the start, where no round was finished). On one processor type the
    result is then the same, bit for bit, as without the stop, because the order of images is a
    function of the epoch alone. A network with Dropout would differ: its random state is not saved.

    The dicts hold `round` (counted from 1), `epoch` (finished so far), `loss` and `accuracy` of
    the round's last epoch, `holdout_pixel_accuracy`, `holdout_mean_iou`, and `seconds` (scoring
    included). More Keras `callbacks` may be given; they find the
    hold-out's scores in the `logs` of each round's last epoch.

    Without `resume`, an earlier run in `folder` is deleted. Raises ValueError if the model is not
    compiled, or if the run in `folder` cannot be resumed: it was set up differently (settings,
    images, the model's name; Keras names a model that was given none anew each time).

    Notebook 03, "Train, 20 rounds, one window in memory".
    """
    _check(model, patience=patience, stop_after_round=stop_after_round)
    folder, plan = Path(folder), plan_of(model, subset, holdout)
    history = resume_run(model, subset, folder, plan) if resume else start_run(folder, plan)
    done = len(history["rounds"])
    last = min(stop_after_round or subset.n_rounds, subset.n_rounds)
    if done >= last or _out_of_patience(history["rounds"], patience):
        return history["rounds"]
    subset.seek(done * subset.geometry.passes)
    with tqdm(total=subset.n_rounds, initial=done, unit="round", disable=not progress) as bar:
        scored = Holdout(holdout, subset.ring.size)
        round_end = RoundEnd(subset, scored, folder, history, patience, bar)
        model.fit(
            subset.tf_data(),
            initial_epoch=done * subset.geometry.passes,
            epochs=last * subset.geometry.passes,
            shuffle=False,  # the subset shuffles, in an order that can be repeated
            verbose=0,
            callbacks=[subset.follow_callback(), round_end, *callbacks],
        )
    return history["rounds"]


def _check(model: keras.Model, **counts: int | None) -> None:
    if not model.compiled:
        raise ValueError("the model is not compiled: call compile_fcn(model) before train")
    for name, value in counts.items():
        if value is not None and value < 1:
            raise ValueError(f"{name} must be None or at least 1, not {value}")


class Holdout:
    """The images a model is scored on: decoded once if they are few, else for every score."""

    def __init__(self, index, size):
        self.index, self.size, self.arrays = index, size, None
        if len(index) * size[0] * size[1] * 4 <= HOLDOUT_BYTES:
            self.arrays = read_block(index, range(len(index)), size)

    def matrices(self, model, batch_size: int) -> np.ndarray:
        """One confusion matrix an image, int64 (n, C, C)."""
        if self.arrays is None:
            found = image_matrices(model, self.index, self.size, batch_size=batch_size)
            return np.stack(list(found))
        images, masks = self.arrays
        pairs = zip(masks, predict_masks(model, images, batch_size), strict=True)
        return np.stack([confusion_matrix(*pair, self.index.n_classes) for pair in pairs])

    def scores(self, model, batch_size: int):
        return scores(self.matrices(model, batch_size).sum(axis=0))


class RoundEnd(keras.callbacks.Callback):
    """Scores the hold-out and saves everything at the end of each round.

    Keras' own `ModelCheckpoint` writes over the file it replaces, so that a crash leaves half of
    one, and `EarlyStopping` forgets in a resumed run how long it has waited. Both count epochs;
    only a finished round can be resumed.
    """

    def __init__(self, subset, holdout: Holdout, folder: Path, history: dict, patience, bar):
        super().__init__()
        self.subset, self.holdout, self.folder = subset, holdout, folder
        self.history, self.patience, self.bar = history, patience, bar

    def on_epoch_begin(self, epoch, logs=None):
        if epoch % self.subset.geometry.passes == 0:
            self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        finished, more = divmod(epoch + 1, self.subset.geometry.passes)
        row = {"round": finished + bool(more), "epoch": epoch + 1}
        row |= {name: float(value) for name, value in logs.items()}
        if not more:
            self._finish(row, logs)

    def _finish(self, row: dict, logs: dict) -> None:
        found = self.holdout.scores(self.model, self.subset.geometry.batch_size)
        logs["holdout_pixel_accuracy"] = found.pixel_accuracy
        logs["holdout_mean_iou"] = found.mean_iou
        rounds = self.history["rounds"]
        rounds.append({"round": row["round"], "epoch": row["epoch"]} | logs)
        rounds[-1]["seconds"] = time.perf_counter() - self.began
        best = _rounds_since_best(rounds) == 0
        save_round(self.model, self.folder, self.history, best)
        self.bar.update()
        self.bar.set_postfix_str(f"loss {row['loss']:.3f}, mean IoU {found.mean_iou:.3f}")
        if _out_of_patience(rounds, self.patience):
            self.model.stop_training = True


def _rounds_since_best(rounds: list[dict]) -> int:
    found = [row["holdout_mean_iou"] for row in rounds]
    return len(found) - 1 - found.index(max(found))


def _out_of_patience(rounds: list[dict], patience: int | None) -> bool:
    return patience is not None and bool(rounds) and _rounds_since_best(rounds) >= patience
