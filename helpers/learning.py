"""Does a network learn as much from windows as from a shuffle of all pictures? One run at a time.

Pictures, gradient steps, network and learning rate are the same in every run; what differs is the
order in which the pictures come.
"""

import keras
import numpy as np

from helpers.fcn import build_fcn, compile_fcn
from helpers.subsets import SlidingSubset, flip_horizontally
from helpers.training import Holdout
from helpers.workshop import Workshop, open_workshop

ORDERS = ("article", "reshuffled", "everything")


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
    """A `SlidingSubset` that gives the workshop's pictures in one of three orders.

    - "article": the article's windows, five epochs each, over a list that is shuffled once;
    - "reshuffled": the same windows for one epoch each, over a list that is shuffled anew for
      every pass and so is as long as the training needs it;
    - "everything": one window that holds all pictures, the shuffle that others are measured by.
    All have at least as many batches as the article's rounds.
    """
    n, window, stride = len(workshop.train), workshop.window, workshop.stride
    train, epochs = workshop.train.shuffled(seed), workshop.epochs_per_round
    if order == "reshuffled":
        n_rounds, epochs = workshop.n_rounds * epochs, 1
        train = train.reshuffled(window + (n_rounds - 1) * stride, seed)
    elif order == "everything":
        n_batches = -(-n // workshop.batch_size)
        window, stride, epochs = n, n, -(-steps_of(workshop) // n_batches)
    elif order != "article":
        raise ValueError(f"{order!r} is not an order; there are: {', '.join(ORDERS)}.")
    return SlidingSubset(
        train, window, stride, workshop.size,
        batch_size=workshop.batch_size, epochs_per_round=epochs, seed=seed,
        augment=flip_horizontally,
    )  # fmt: skip


def steps_of(workshop: Workshop) -> int:
    """Gradient steps of the article's rounds."""
    batches = -(-workshop.window // workshop.batch_size)
    return batches * workshop.n_rounds * workshop.epochs_per_round


def learn(order: str, seed: int = 0) -> dict:
    """Train the workshop's network; score the hold-out after each quarter of the steps.

    `seed` decides the weights at the start, which picture stands where in the list, the order
    within a window and the flips. Returns a dict of `order`, `seed`, `decoded_images` and
    `scores`, a list of dicts with `step`, `mean_iou` and `pixel_accuracy`.
    """
    workshop = open_workshop()
    settings, n_steps = workshop.settings, steps_of(workshop)
    model = build_fcn(
        workshop.train.n_classes, (*workshop.size, 3),
        body=settings.body, weights=settings.weights, seed=seed,
    )  # fmt: skip
    falling = keras.optimizers.schedules.CosineDecay(settings.learning_rate, n_steps)
    compile_fcn(model, falling)
    holdout = Holdout(workshop.holdout, workshop.size)
    quarters = np.linspace(0, n_steps, 5).astype(int)[1:].tolist()
    scored = ScoreAt(holdout, quarters, workshop.batch_size)
    with subset_in_order(order, workshop, seed) as subset:
        callbacks = [subset.follow_callback(), scored]
        model.fit(subset, epochs=subset.n_epochs, shuffle=False, verbose=0, callbacks=callbacks)
        decoded = subset.decoded
    return {"order": order, "seed": seed, "decoded_images": decoded, "scores": scored.scores}
