"""The article's schedule, and what its validation does not show: one training run at a time.

Every round's model is scored three times: on that round's validation split, as the article does,
on a hold-out that no window ever loads, and on the first window, which the windows leave behind.
"""

import keras
import numpy as np

from experiments.claims.orders import sorted_by_class
from experiments.loop import train_windows
from helpers.data import Index
from helpers.scoring import evaluate, scores
from helpers.windows import compile_as_article, leaked_shares, split_windows
from helpers.windows.geometry import Window
from helpers.workshop import Workshop, finite_data

VALIDATION_SHARE = 0.1
# The article's batches are 32 of a window of 1,000. In proportion to the window, the number of
# gradient steps is the article's too, whatever the size of the data.
BATCH_SHARE = 32 / 1000
# The article's 1e-3 is for a network from scratch. A pre-trained MobileNet learnt photographs best
# with this rate: hold-out mean IoU after four rounds 0.11, against 0.10 with 3e-4.
PRETRAINED_LEARNING_RATE = 1e-4
VARIANTS = {
    "article": "the article's rounds: a fresh split and a fresh compile in each",
    "one_compile": "the same rounds, compiled once: Adam keeps its state",
    "sorted": "the article's rounds over a list sorted by class",
    "honest": "one split made once, all its images shuffled together, equal compute",
}


def run_variant(
    workshop: Workshop, variant: str, seed: int = 0, n_rounds: int | None = None
) -> dict:
    """Train the workshop's network in one of the `VARIANTS` and score it as it goes.

    `seed` decides the weights at the start, the order of the list and the splits. `n_rounds` stops
    the article's rounds early (None: all of them). "honest" trains on nine tenths of the list,
    shuffled in every epoch, until it has seen as many samples as the article's rounds show.

    Returns a dict of `variant`, `seed` and `rounds`. Each round is a dict of `samples_seen` (so
    far, repeats counted), `leaked_share` (of its validation images, counted), `val_accuracy`
    (a list, Keras' own at the end of each epoch, as the article reports it) and the scores
    `split`, `holdout`, `holdout_parts` and `first_window`: dicts of `mean_iou` and
    `pixel_accuracy`. A score of few images has fewer classes in it and so is not to be compared
    with one of many; `holdout_parts` is the mean over parts of the hold-out as large as the split.
    For "honest" a round is an epoch. Raises ValueError for an unknown variant.

    Notebook 05, "Claim 6: the validation shows a mean IoU of 0.737".
    """
    if variant not in VARIANTS:
        raise ValueError(f"{variant!r} is not a variant; there are: {', '.join(VARIANTS)}.")
    index, geometry = workshop.train.shuffled(seed), workshop.geometry
    if variant == "sorted":
        index = sorted_by_class(index, workshop.size)
    windows, epochs = geometry.windows[:n_rounds], geometry.passes
    splits = split_windows(windows, VALIDATION_SHARE, seed)
    if variant == "honest":
        samples_seen = epochs * sum(len(train) for train, _ in splits)
        windows = [Window(0, 0, len(index))]
        splits = split_windows(windows, VALIDATION_SHARE, seed)
        epochs = round(samples_seen / len(splits[0][0]))
    judge = _Judge(workshop, index, splits, each_epoch=variant == "honest")
    patience = epochs if variant == "honest" else 3
    stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)

    def compile_model(model, round_):
        if round_ == 0 or variant != "one_compile":
            _compile(model, workshop)

    histories = train_windows(
        workshop.network(seed=seed), index, workshop.size, windows, splits,
        epochs=epochs, batch_size=batch_size_of(workshop), compile_model=compile_model,
        callbacks=[stopping, judge],
    )  # fmt: skip
    return {"variant": variant, "seed": seed, "rounds": judge.rounds_with(histories)}


def batch_size_of(workshop: Workshop) -> int:
    """Images in a batch: the article's share of a window, at least one."""
    return max(1, round(BATCH_SHARE * workshop.geometry.window))


def _compile(model: keras.Model, workshop: Workshop) -> None:
    """As the article does; a pre-trained backbone with the smaller steps that suit it."""
    compile_as_article(model, one_hot=False)
    if workshop.settings.weights is not None:
        model.optimizer.learning_rate = PRETRAINED_LEARNING_RATE


class _Judge(keras.callbacks.Callback):
    """Scores the model at the end of each `fit`, or of each epoch."""

    def __init__(self, workshop: Workshop, index: Index, splits, each_epoch: bool):
        super().__init__()
        self.workshop, self.index, self.splits = workshop, index, splits
        self.holdout = workshop.holdout_data()
        self.first_window = self._data(index[: workshop.geometry.window])
        self.each_epoch, self.rounds, self.samples_seen = each_epoch, [], 0
        self.leaked = leaked_shares(splits)

    def on_epoch_end(self, epoch, logs=None):
        k = 0 if self.each_epoch else len(self.rounds)
        self.samples_seen += len(self.splits[k][0])
        if self.each_epoch:
            self._score(k)

    def on_train_end(self, logs=None):
        if not self.each_epoch:
            self._score(len(self.rounds))

    def _score(self, k: int) -> None:
        validation = self.splits[k][1]
        split = self._matrices(self._data(self.index[validation]))
        holdout = self._matrices(self.holdout)
        n_parts = max(1, len(holdout) // len(validation))
        parts = [_scores(part) for part in np.array_split(holdout, n_parts)]
        self.rounds.append(
            {
                "samples_seen": self.samples_seen,
                "leaked_share": self.leaked[k],
                "split": _scores(split),
                "holdout": _scores(holdout),
                "holdout_parts": {
                    name: float(np.mean([part[name] for part in parts])) for name in parts[0]
                },
                "first_window": _scores(self._matrices(self.first_window)),
            }
        )

    def _data(self, index: Index):
        return finite_data(index, self.workshop.size, self.workshop.geometry.batch_size)

    def _matrices(self, data) -> np.ndarray:
        return evaluate(self.model, data, per_image=True)

    def rounds_with(self, histories: list[dict]) -> list[dict]:
        """The rounds, each with Keras' own accuracy on its split after each epoch."""
        accuracies = [history["val_accuracy"] for history in histories]
        if self.each_epoch:
            accuracies = [[accuracy] for accuracy in accuracies[0]]
        return [
            {"round": number, "val_accuracy": [float(value) for value in found]} | row
            for number, (row, found) in enumerate(
                zip(self.rounds, accuracies, strict=True), start=1
            )
        ]


def _scores(matrices: np.ndarray) -> dict:
    found = scores(matrices.sum(axis=0))
    return {"mean_iou": found.mean_iou, "pixel_accuracy": found.pixel_accuracy}
