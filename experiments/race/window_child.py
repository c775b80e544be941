"""What `window_memory` runs in each fresh process: a warm-up, the base, then one kind of work."""

import numpy as np

from helpers.data import index_voc, read_block
from helpers.memory import current_rss, mark, peak_rss, rebase
from helpers.quiet import keras
from helpers.windows import Geometry, SlidingSubset

SIZE, BATCH, STEP = (224, 224), 32, 32


def paint(index, rows, size, images, masks):
    """Stands in for `read_block`: writes the same memory and decodes nothing."""
    images[:], masks[:] = 127, 1


def network():
    """A 1×1 convolution of every 32nd row and column: what is measured is the loader."""
    images = keras.Input((*SIZE, 3), dtype="uint8")
    few = keras.ops.cast(images[:, ::STEP, ::STEP], "float32") / 255
    model = keras.Model(images, keras.layers.Conv2D(2, 1)(few))

    def loss(masks, scores):
        return keras.ops.mean((masks[:, ::STEP, ::STEP, None] - scores) ** 2)

    model.compile("sgd", loss)
    return model


class CountedSubset(SlidingSubset):
    """Knows the highest step that was asked for: Keras asks ahead of the training step."""

    highest = -1

    def __getitem__(self, step):
        self.highest = max(self.highest, step)
        return super().__getitem__(step)


class Notes(keras.callbacks.Callback):
    """RSS in bytes at each round's end; the most batches that were asked for and not yet done."""

    def __init__(self, subset):
        super().__init__()
        self.subset, self.rss, self.ahead, self.done = subset, [], 0, 0

    def on_train_batch_end(self, batch, logs=None):
        self.ahead = max(self.ahead, self.subset.highest - self.done)
        self.done += 1

    def on_epoch_end(self, epoch, logs=None):
        self.rss.append(current_rss())


def run(work, data, window, stride, rounds=3, passes=2, painted=False):
    """In the fresh process: a warm-up, the base, then the work. Returns bytes and counts.

    `work` is "decode", "loop", "fit" or "step"; `window` and `stride` are images.
    """
    images, model = index_voc(data), network()
    read = paint if painted else read_block
    with _subset(images, 2 * BATCH + 1, BATCH, 2, 1, read_block) as few:
        before = Notes(few)
        _work("fit", few, model, before)
    found = {"ahead_before": before.ahead}
    base = rebase()
    mark("base")
    found |= {"base": base, "mark_at_base": peak_rss()}
    with _subset(images, window, stride, rounds, passes, read) as subset:
        notes = Notes(subset)
        _work(work, subset, model, notes)
        found |= {"high_water": peak_rss(), "arrays": subset.nbytes, "decoded": subset.decoded}
        found |= {"index": subset.index.nbytes, "rss": notes.rss, "ahead": notes.ahead}
    return found | {"kept": rebase() - found["base"]}


def _subset(images, window, stride, rounds, passes, read):
    n_images = window + stride * (rounds - 1)
    index = images[np.arange(n_images) % len(images)]
    geometry = Geometry(n_images, window, stride, SIZE, BATCH, passes)
    return CountedSubset(index, geometry, read=read)


def _work(work, subset, model, notes):
    if work == "fit":
        model.fit(
            subset,
            steps_per_epoch=subset.steps_per_round,
            epochs=subset.n_rounds,
            shuffle=False,
            verbose=0,
            callbacks=[notes],
        )
        return
    if work == "loop":
        for _ in subset:
            pass
        return
    for step in range(0, len(subset), subset.steps_per_round):
        batch = subset[step]
        if work == "step":
            for _ in range(subset.steps_per_round):
                model.train_on_batch(*batch)
