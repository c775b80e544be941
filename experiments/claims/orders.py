"""Does a network learn as much from windows as from a shuffle of all images? One run at a time.

Images, gradient steps, network and learning rate are the same in every run; what differs is the
order in which the images come.
"""

from dataclasses import dataclass, replace

import numpy as np

from helpers.data import VOID, Index, read_mask
from helpers.network import ScoreHoldout
from helpers.quiet import keras
from helpers.windows import Geometry, SlidingSubset
from helpers.workshop import Workshop

ORDERS = {
    "everything": "one window holds all images",
    "reshuffled": "the article's windows for one epoch each, the list shuffled anew for each pass",
    "article_reshuffled": "the article's windows and epochs, the list shuffled anew",
    "article": "the article's windows and epochs",
    "one_epoch": "the article's windows for one epoch each, the same list again and again",
    "disjoint": "windows of the same size that share no image, the list shuffled anew",
    "small": "windows of three batches that overlap, the list shuffled anew",
    "small_sorted": "the same small windows over a list sorted by class",
    "batch": "a window is one batch, for one epoch, the list shuffled anew",
    "averaged": "the article's windows and epochs, scored with the average of its weights",
    "backwards": "the article's windows and epochs, every second epoch backwards",
}
AVERAGE_KEEPS = 0.8  # share of the old average at each round's end: it remembers about five rounds

# The order of the list: shuffled once, shuffled anew for each pass, sorted by class.
ONCE, ANEW, SORTED = "once", "anew", "sorted"


def subset_in_order(
    order: str, workshop: Workshop, seed: int, n_steps: int | None = None
) -> SlidingSubset:
    """A `SlidingSubset` that gives the workshop's images in one of the `ORDERS`.

    It has at least `n_steps` batches (None: as many as the article's rounds). Where these need a
    longer list than there is, the list is repeated, shuffled anew for each pass or as it is.
    """
    if order not in ORDERS:
        raise ValueError(f"{order!r} is not an order; there are: {', '.join(ORDERS)}.")
    n = len(workshop.train)
    geometry = backwards(workshop.geometry) if order == "backwards" else workshop.geometry
    n_steps = geometry.n_steps if n_steps is None else n_steps
    window, stride, passes, list_order = _cut(order, workshop)
    n_batches = -(-window // geometry.batch_size)
    if order == "everything":
        passes = -(-n_steps // n_batches)
    n_rounds = -(-n_steps // (n_batches * passes))
    length = window + (n_rounds - 1) * stride
    train = workshop.train.shuffled(seed)
    if list_order == SORTED:
        train = sorted_by_class(train, workshop.size)
    train = train.reshuffled(length, seed) if list_order == ANEW else train[np.arange(length) % n]
    cut = replace(geometry, n_images=length, window=window, stride=stride, passes=passes, seed=seed)
    return SlidingSubset(train, cut, augment=workshop.augment)


def _cut(order: str, workshop: Workshop) -> tuple[int, int, int, str]:
    """Window and stride in images, passes over a window, and the order of the list."""
    n, geometry = len(workshop.train), workshop.geometry
    window, stride, passes, batch = (
        geometry.window, geometry.stride, geometry.passes, geometry.batch_size,
    )  # fmt: skip
    small = 3 * batch
    # So that the small windows come to the end of the list when the steps do.
    small_stride = -(-(n - small) // (geometry.n_steps // (3 * passes) - 1))
    return {
        "everything": (n, n, 1, ONCE),
        "reshuffled": (window, stride, 1, ANEW),
        "article_reshuffled": (window, stride, passes, ANEW),
        **dict.fromkeys(("article", "averaged", "backwards"), (window, stride, passes, ONCE)),
        "one_epoch": (window, stride, 1, ONCE),
        "disjoint": (window, window, passes, ANEW),
        "small": (small, small_stride, passes, ANEW),
        "small_sorted": (small, small_stride, passes, SORTED),
        "batch": (batch, batch, 1, ANEW),
    }[order]


@dataclass(frozen=True)
class BackwardsGeometry(Geometry):
    """A geometry whose every second epoch over a window is the one before it, backwards.

    Paired reversal: https://arxiv.org/abs/2604.00260
    """

    def order(self, round_, pass_):
        """As `Geometry.order`; with an odd `pass_` the order of the pass before, reversed."""
        if pass_ % 2 == 0:
            return super().order(round_, pass_)
        return super().order(round_, pass_ - 1)[::-1]


def backwards(geometry: Geometry) -> BackwardsGeometry:
    """The same geometry, every second epoch backwards."""
    return BackwardsGeometry(**vars(geometry))


class AverageWeights(keras.callbacks.Callback):
    """Keeps a running average of the weights at the ends of rounds, and has the average scored.

    Where data come in chunks, such an average loses less of the earlier ones:
    https://arxiv.org/abs/2310.02206. Batch normalisation's statistics belong to the weights that
    made them, so for the average they are taken anew from the batches of the round that ended.
    First in the list of callbacks, with `scored` the next ones: the training goes on with its own
    weights.
    """

    def __init__(self, subset: SlidingSubset, scored):
        super().__init__()
        self.subset, self.scored, self.average = subset, scored, None

    def on_train_batch_end(self, batch, logs=None):
        self.step = getattr(self, "step", -1) + 1
        if (self.step + 1) % self.subset.steps_per_round:
            return
        now = [weight.numpy() for weight in self.model.trainable_weights]
        before = now if self.average is None else self.average
        self.average = [
            AVERAGE_KEEPS * old + (1 - AVERAGE_KEEPS) * new
            for old, new in zip(before, now, strict=True)
        ]

    def on_epoch_end(self, epoch, logs=None):
        own = self.model.get_weights()
        for weight, value in zip(self.model.trainable_weights, self.average, strict=True):
            weight.assign(value)
        # The round once more, only forwards: enough batches for the old statistics to fade.
        first = self.step - self.step % self.subset.steps_per_round
        for step in range(first, self.step + 1):
            self.model(self.subset[step][0], training=True)
        self.scored.set_model(self.model)
        self.scored.on_epoch_end(epoch, logs)
        self.model.set_weights(own)


def learn(workshop: Workshop, order: str, seed: int = 0, passes: int | None = None) -> dict:
    """Train the workshop's network; score the hold-out after each quarter of the steps.

    `passes` replaces the article's five, for a shorter training with as many windows. `seed`
    decides the weights at the start, which image stands where in the list, the order within a
    window and the flips. Returns a dict of `rows`, one a quarter: dicts of `step`, `mean_iou`,
    `pixel_accuracy` of the hold-out, and `decoded_images` in all.

    Notebook 05, "Claims 7 and 8: the number of subsets".
    """
    workshop = workshop.with_fcn()
    if passes is not None:
        workshop = replace(workshop, geometry=replace(workshop.geometry, passes=passes))
    model = workshop.network(seed=seed)
    quarter = workshop.geometry.n_steps // 4
    with subset_in_order(order, workshop, seed) as subset:
        scored = ScoreHoldout(workshop.holdout_data())
        if order == "averaged":
            scored = AverageWeights(subset, scored)
        rows = fit_in_quarters(model, subset, quarter, scored)
        decoded = subset.decoded
    return {"rows": [row | {"decoded_images": decoded} for row in rows]}


def fit_in_quarters(model, data, quarter: int, scored: keras.callbacks.Callback) -> list[dict]:
    """Train four times `quarter` steps; a row for each: `step`, and the scores of `scored`."""
    options = {"steps_per_epoch": quarter, "epochs": 4, "shuffle": False, "verbose": 0}
    history = model.fit(data, callbacks=[scored], **options).history
    found = zip(history["val_mean_iou"], history["val_pixel_accuracy"], strict=True)
    return [
        {"step": quarter * k, "mean_iou": float(iou), "pixel_accuracy": float(accuracy)}
        for k, (iou, accuracy) in enumerate(found, start=1)
    ]


def sorted_by_class(index: Index, size: tuple[int, int]) -> Index:
    """The same pairs, ordered by the class that covers most pixels, background aside."""
    return index[np.argsort(main_classes(index, size), kind="stable")]


def main_classes(index: Index, size: tuple[int, int]) -> np.ndarray:
    """For each mask the class with most pixels, background and void aside: int (n,), 0 for none.

    `size` is the (height, width) at which the masks are read.
    """
    found = np.zeros(len(index), int)
    for row, pair in enumerate(index):
        mask = read_mask(pair.mask, size, index.n_classes, index.palette)
        pixels = np.bincount(mask[mask != VOID], minlength=index.n_classes)
        if pixels[1:].any():
            found[row] = 1 + pixels[1:].argmax()
    return found
