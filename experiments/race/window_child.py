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
    """Counts the batches that were asked for: Keras asks ahead of the training step."""

    asked = 0

    def __getitem__(self, batch):
        self.asked += 1
        return super().__getitem__(batch)


class Notes(keras.callbacks.Callback):
    """RSS in bytes at each round's end; the most batches that were asked for and not yet done."""

    def __init__(self, subset):
        super().__init__()
        self.subset, self.rss, self.ahead = subset, [], 0

    def on_epoch_begin(self, epoch, logs=None):
        self.subset.asked = 0  # `fit` looks at two batches before it begins

    def on_train_batch_end(self, batch, logs=None):
        self.ahead = max(self.ahead, self.subset.asked - batch)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.subset.geometry.passes == 0:
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
        found |= {"index": subset.ring.index.nbytes, "rss": notes.rss, "ahead": notes.ahead}
    return found | {"kept": rebase() - found["base"]}


def _subset(images, window, stride, rounds, passes, read):
    n_images = window + stride * (rounds - 1)
    index = images[np.arange(n_images) % len(images)]
    geometry = Geometry(n_images, window, stride, SIZE, BATCH, passes)
    return CountedSubset(index, geometry, read=read)


def _work(work, subset, model, notes):
    if work == "fit":
        model.fit(subset, epochs=subset.n_epochs, shuffle=False, verbose=0, callbacks=[notes])
        return
    for epoch in range(subset.n_epochs):
        subset.seek(epoch)
        if work == "loop":
            for _ in subset:
                pass
        elif work == "step":
            batch = subset[0]
            for _ in range(len(subset)):
                model.train_on_batch(*batch)
