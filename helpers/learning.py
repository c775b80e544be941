"""Does a network learn as much from windows as from a shuffle of all pictures? One run at a time.

Pictures, gradient steps, network and learning rate are the same in every run; what differs is the
order in which the pictures come.
"""

from dataclasses import replace

import keras
import numpy as np

from helpers.dataset import VOID, Index
from helpers.fcn import build_fcn, compile_fcn
from helpers.images import read_mask
from helpers.subsets import SlidingSubset, flip_horizontally
from helpers.training import Holdout
from helpers.workshop import Workshop, open_workshop

ORDERS = {
    "everything": "one window holds all pictures",
    "reshuffled": "the article's windows for one epoch each, the list shuffled anew for each pass",
    "article_reshuffled": "the article's windows and epochs, the list shuffled anew",
    "article": "the article's windows and epochs",
    "one_epoch": "the article's windows for one epoch each, the same list again and again",
    "disjoint": "windows of the same size that share no picture, the list shuffled anew",
    "small": "windows of three batches that overlap, the list shuffled anew",
    "small_sorted": "the same small windows over a list sorted by class",
    "batch": "a window is one batch, for one epoch, the list shuffled anew",
}

# The order of the list: shuffled once, shuffled anew for each pass, sorted by class.
ONCE, ANEW, SORTED = "once", "anew", "sorted"


class ScoreAt(keras.callbacks.Callback):
    """Scores the hold-out after each of `steps` gradient steps, and ends training at the last."""

    def __init__(self, holdout: Holdout, steps, batch_size: int):
        super().__init__()
        self.holdout, self.steps, self.batch_size = holdout, sorted(steps), batch_size
        self.step, self.scores = 0, []

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step not in self.steps:
            return
        found = self.holdout.scores(self.model, self.batch_size)
        self.scores.append(
            {
                "step": self.step,
                "mean_iou": float(found.mean_iou),
                "pixel_accuracy": float(found.pixel_accuracy),
            }
        )
        if self.step == self.steps[-1]:
            self.model.stop_training = True


def subset_in_order(order: str, workshop: Workshop, seed: int) -> SlidingSubset:
    """A `SlidingSubset` that gives the workshop's pictures in one of the `ORDERS`.

    It has at least as many batches as the article's rounds. Where these need a longer list than
    there is, the list is repeated, shuffled anew for each pass or as it is.
    """
    if order not in ORDERS:
        raise ValueError(f"{order!r} is not an order; there are: {', '.join(ORDERS)}.")
    n, n_steps = len(workshop.train), steps_of(workshop)
    window, stride, epochs, list_order = _cut(order, workshop)
    n_batches = -(-window // workshop.batch_size)
    if order == "everything":
        epochs = -(-n_steps // n_batches)
    n_rounds = -(-n_steps // (n_batches * epochs))
    length = window + (n_rounds - 1) * stride
    train = workshop.train.shuffled(seed)
    if list_order == SORTED:
        train = sorted_by_class(train, workshop.size)
    train = train.reshuffled(length, seed) if list_order == ANEW else train[np.arange(length) % n]
    return SlidingSubset(
        train, window, stride, workshop.size,
        batch_size=workshop.batch_size, epochs_per_round=epochs, seed=seed,
        augment=flip_horizontally,
    )  # fmt: skip


def _cut(order: str, workshop: Workshop) -> tuple[int, int, int, str]:
    """Window and stride in images, epochs a window, and the order of the list."""
    n, window, stride, epochs = (
        len(workshop.train), workshop.window, workshop.stride, workshop.epochs_per_round,
    )  # fmt: skip
    batch = workshop.batch_size
    small = 3 * batch
    # So that the small windows come to the end of the list when the steps do.
    small_stride = -(-(n - small) // (steps_of(workshop) // (3 * epochs) - 1))
    return {
        "everything": (n, n, 1, ONCE),
        "reshuffled": (window, stride, 1, ANEW),
        "article_reshuffled": (window, stride, epochs, ANEW),
        "article": (window, stride, epochs, ONCE),
        "one_epoch": (window, stride, 1, ONCE),
        "disjoint": (window, window, epochs, ANEW),
        "small": (small, small_stride, epochs, ANEW),
        "small_sorted": (small, small_stride, epochs, SORTED),
        "batch": (batch, batch, 1, ANEW),
    }[order]


def steps_of(workshop: Workshop) -> int:
    """Gradient steps of the article's rounds."""
    batches = -(-workshop.window // workshop.batch_size)
    return batches * workshop.n_rounds * workshop.epochs_per_round


def learn(order: str, seed: int = 0, epochs_per_round: int | None = None) -> dict:
    """Train the workshop's network; score the hold-out after each quarter of the steps.

    `epochs_per_round` replaces the article's five, for a shorter training with as many windows.
    `seed` decides the weights at the start, which picture stands where in the list, the order
    within a window and the flips. Returns a dict of `order`, `seed`, `decoded_images` and
    `scores`, a list of dicts with `step`, `mean_iou` and `pixel_accuracy`.
    """
    workshop = open_workshop()
    if epochs_per_round is not None:
        workshop = replace(workshop, epochs_per_round=epochs_per_round)
    settings, n_steps = workshop.settings, steps_of(workshop)
    model = new_network(workshop, seed)
    falling = keras.optimizers.schedules.CosineDecay(settings.learning_rate, n_steps)
    compile_fcn(model, falling)
    holdout = Holdout(workshop.holdout, workshop.size)
    quarters = np.linspace(0, n_steps, 5).astype(int)[1:].tolist()
    scored = ScoreAt(holdout, quarters, workshop.batch_size)
    with subset_in_order(order, workshop, seed) as subset:
        callbacks = [subset.follow_callback(), scored]
        data, epochs = subset.tf_data(), subset.n_epochs
        model.fit(data, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
        decoded = subset.decoded
    return {"order": order, "seed": seed, "decoded_images": decoded, "scores": scored.scores}


def new_network(workshop: Workshop, seed: int) -> keras.Model:
    """The network of the workshop's settings, not compiled."""
    chosen = workshop.settings
    shape = (*workshop.size, 3)
    return build_fcn(
        workshop.train.n_classes, shape, body=chosen.body, weights=chosen.weights, seed=seed
    )


def sorted_by_class(index: Index, size: tuple[int, int]) -> Index:
    """The same pairs, ordered by the class that covers most pixels, background aside."""
    return index[np.argsort(main_classes(index, size), kind="stable")]


def main_classes(index: Index, size: tuple[int, int]) -> np.ndarray:
    """For each mask the class with most pixels, background and void aside: int (n,), 0 for none.

    `size` is the (height, width) at which the masks are read.
    """
    found = np.zeros(len(index), int)
    for row, pair in enumerate(index):
        mask = read_mask(pair.mask, size, index.n_classes)
        pixels = np.bincount(mask[mask != VOID], minlength=index.n_classes)
        if pixels[1:].any():
            found[row] = 1 + pixels[1:].argmax()
    return found
