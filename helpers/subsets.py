"""The sliding window: the article's arithmetic, and one window in memory that feeds Keras.

The article reloads its whole window of 1,000 images 20 times. Neighbouring windows share 900 of
them, so `SlidingSubset` decodes the 100 new ones, while the network trains on the window before.
"""

import threading
from typing import NamedTuple

import keras
import numpy as np

from helpers.epochs import EpochCallback, PassCounter
from helpers.images import read_block
from helpers.ring import RingBuffer

# `tf_data` gathers this many batches while the network trains on one.
BATCHES_AHEAD = 2


class Window(NamedTuple):
    """Rows start to stop - 1 of the index, trained on in one round."""

    round: int
    start: int
    stop: int


def sliding_windows(n_images, size, stride, tail=False):
    """The windows of `size` images whose start moves on by `stride`, as a list of `Window`.

    2,913 images, size 1,000 and stride 100 give the article's 20 windows, 0-1000 to 1900-2900.
    It leaves out the 13 images after the last whole step; `tail=True` adds one more window that
    ends with the last image. Raises ValueError for a window larger than the data.
    """
    for name, value in (("n_images", n_images), ("size", size), ("stride", stride)):
        if value < 1:
            raise ValueError(f"{name} must be 1 or more, got {value}.")
    if size > n_images:
        raise ValueError(
            f"A window of {size} images does not fit into {n_images}. Choose a smaller window."
        )
    starts = list(range(0, n_images - size + 1, stride))
    if tail and starts[-1] + size < n_images:
        starts.append(n_images - size)
    return [Window(i, start, start + size) for i, start in enumerate(starts)]


def times_seen(n_images, windows):
    """How many of the windows hold each image, int (n_images,)."""
    counts = np.zeros(n_images, int)
    for window in windows:
        counts[window.start : window.stop] += 1
    return counts


def flip_horizontally(images, masks, rng):
    """Mirror about half of the pictures of a batch, each with its mask. For `augment=`.

    `images` (b, h, w, 3) and `masks` (b, h, w), of any dtype, are changed in place and returned;
    `rng` is a `numpy.random.Generator`, of which b numbers are drawn.
    """
    flip = rng.random(len(images)) < 0.5
    images[flip] = images[flip, :, ::-1]
    masks[flip] = masks[flip, :, ::-1]
    return images, masks


def without_tuning(dataset):
    """The same `tf.data.Dataset`, for which `fit` does not wait at the end of an epoch.

    `fit` wraps a `PyDataset` (and an array) in a `tf.data.Dataset` that tunes itself, although
    there is nothing to tune. TensorFlow 2.21 wakes the tuning thread to end it, but before it has
    noted that it shall end; the thread then often goes back to sleep, and at the end of the epoch
    `fit` waits for it: for up to as long as the epoch took. Without tuning there is no such thread.
    """
    import tensorflow as tf  # the other backends do without it

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


class SlidingSubset(keras.utils.PyDataset):
    """The windows of an index, one after another, in one `fit`; only one window is in memory.

        with SlidingSubset(index, window=200, stride=20, size=(96, 96)) as subset:
            model.fit(subset, epochs=subset.n_epochs, shuffle=False)

    Every epoch is one pass over the current window; after `epochs_per_round` of them the window
    moves on by `stride`. `subset[i]` gives fresh arrays (images uint8 (b, h, w, 3), masks uint8
    (b, h, w)); the last batch may be short. The order is drawn from (seed, round, epoch) alone.
    With `shuffle=True` Keras also shuffles the batches, from its global random state: the same
    pictures, but not an order that a resumed run could repeat.

    Which epoch comes next:
    - `fit` after `fit` goes on where the last one ended, one epoch for each complete pass
      (a pass of `evaluate` or `predict` counts as well);
    - `seek(epoch)` goes anywhere. Use it before `fit(initial_epoch=...)` and after an interrupt;
    - `callbacks=[subset.follow_callback()]` takes Keras' own number. That is exact for
      `initial_epoch`, after an interrupt and on every backend, so long runs should have it.
    Going past `n_epochs` is a ValueError, and doubt about the epoch a RuntimeError.

    On TensorFlow `fit(subset.tf_data(), ...)` trains the same batches in less time, see there.

    Memory, `nbytes`: `window` rows, and min(stride, window) rows more in which the next pictures
    are decoded meanwhile (`background=False` does without, and waits at each change of window).
    Nothing is decoded before the first batch, epoch or `seek`. A picture that cannot be read
    raises OSError with its name, at the latest when its window begins.

    The article's windows show the ends of the list less often than its middle, and forget what came
    first. Windows of one epoch each over a list that is shuffled anew for every pass,
    `SlidingSubset(index.reshuffled(window + (n - 1) * stride, seed), ..., epochs_per_round=1)`,
    taught as much as a shuffle of everything in the same memory, for a tenth of a stream's
    decoding (`results/learning.json`; the idea is CorgiPile's, https://arxiv.org/abs/2206.05830).

    `augment(images, masks, rng)` returns the batch changed, see `flip_horizontally`; its rng is
    drawn from (seed, round, epoch, batch). `reader` replaces `read_block`.
    """

    def __init__(self, index, window, stride, size, *, batch_size=32, epochs_per_round=5,
                 seed=0, background=True, augment=None, threads=None, tail=False,
                 reader=read_block):  # fmt: skip
        super().__init__(workers=1, use_multiprocessing=False)
        for name, value in (("batch_size", batch_size), ("epochs_per_round", epochs_per_round)):
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, got {value}.")
        self.windows = sliding_windows(len(index), window, stride, tail)
        self.batch_size, self.epochs_per_round = batch_size, epochs_per_round
        self.seed, self.augment = seed, augment
        stage_rows = min(stride, window) if background and self.n_rounds > 1 else 0
        self.ring = RingBuffer(index, size, window, stage_rows, reader, threads)
        self.passes = PassCounter(len(self))
        self.epoch = self.round = 0
        self.closed = False
        self._order = None
        # Keras gathers batches in a thread of its own and may still do so, for an iterator that
        # it has given up, while the window moves on. One lock around both: a batch is wholly of
        # one window. It costs nothing, because a new epoch's batches are asked for after
        # `on_epoch_begin`, and the decoding thread needs no lock: it writes to the stage alone.
        self._lock = threading.RLock()

    n_rounds = property(lambda self: len(self.windows), doc="Number of windows.")
    images = property(lambda self: self.ring.images, doc="Ring buffer, uint8 (window, h, w, 3).")
    masks = property(lambda self: self.ring.masks, doc="Ring buffer, uint8 (window, h, w).")
    rows = property(lambda self: self.ring.rows, doc="The index row that each slot holds.")
    decoded = property(lambda self: self.ring.decoded, doc="Number of pairs decoded so far.")
    nbytes = property(lambda self: self.ring.nbytes, doc="Bytes of all picture memory.")

    @property
    def n_epochs(self):
        """Epochs of all rounds together, for `fit(epochs=...)`."""
        return self.n_rounds * self.epochs_per_round

    def __len__(self):
        return -(-self.ring.window // self.batch_size)

    def __getitem__(self, batch):
        if not 0 <= batch < len(self):
            raise IndexError(f"There is no batch {batch}: an epoch has {len(self)}.")
        with self._lock:
            if self._order is None:
                self._show(self.epoch)
            self._refuse_if_closed()
            self.passes.ask(batch)
            rows = self._order[batch * self.batch_size : (batch + 1) * self.batch_size]
            images, masks = self.ring.take(rows)
            numbers = self.seed, self.round, self.epoch, batch
        if self.augment is None:
            return images, masks
        return self.augment(images, masks, np.random.default_rng(numbers))

    def on_epoch_begin(self):
        if self.workers > 1 or self.use_multiprocessing:
            raise ValueError("Leave workers at 1: decoding has a thread already, in step with fit.")
        with self._lock:
            self._show(self.epoch + 1 if self.passes.finished() else self.epoch)
            self.passes.begin()

    def on_epoch_end(self):
        with self._lock:
            self.passes.end()

    def seek(self, epoch, followed=False):
        """Go to any epoch, counted from 0 over all rounds. Decodes only what is not held."""
        with self._lock:
            self._show(epoch)
            self.passes.forget(followed)

    def follow_callback(self):
        """A Keras callback that keeps this subset at the epoch that `fit` is in."""
        return EpochCallback(self)

    def tf_data(self):
        """The same epochs as a `tf.data.Dataset` that loses no time between them.

            model.fit(subset.tf_data(), epochs=subset.n_epochs, shuffle=False)

        It is gathered `without_tuning`. An error in the data set reaches the caller as one of
        `tf.errors`, with the error's name and text in it.
        """
        import tensorflow as tf  # the other backends do without it

        height, width = self.ring.size

        def gather(batch):
            images, masks = tf.numpy_function(self._in_turn, [batch], (tf.uint8, tf.uint8))
            # The shapes are lost on the way through NumPy.
            images = tf.ensure_shape(images, (None, height, width, 3))
            return images, tf.ensure_shape(masks, (None, height, width))

        batches = tf.data.Dataset.range(len(self)).map(gather)
        return without_tuning(batches.prefetch(BATCHES_AHEAD))

    def _in_turn(self, batch):
        """The next batch of a pass: the first begins an epoch, the last ends it."""
        if batch == 0:
            self.on_epoch_begin()
        images, masks = self[batch]
        if batch == len(self) - 1:
            self.on_epoch_end()
        return images, masks

    def close(self):
        """Join the decoding thread and free the memory, even if Keras still holds this object."""
        with self._lock:
            self.closed = True
            self.ring.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _show(self, epoch):
        self._refuse_if_closed()
        if not 0 <= epoch < self.n_epochs:
            raise ValueError(
                f"There is no epoch {epoch}: {self.n_rounds} rounds of {self.epochs_per_round} "
                f"are epochs 0 to {self.n_epochs - 1}. Fit with epochs=subset.n_epochs at most; "
                "subset.seek(0) starts over."
            )
        now = self.windows[epoch // self.epochs_per_round]
        self.ring.show(now.start, now.stop)
        self.epoch, self.round = epoch, now.round
        rng = np.random.default_rng((self.seed, self.round, epoch))
        self._order = now.start + rng.permutation(now.stop - now.start)
        if self.round + 1 < self.n_rounds:
            self.ring.prepare(*self.windows[self.round + 1][1:])

    def _refuse_if_closed(self):
        if self.closed:
            raise ValueError("This SlidingSubset is closed. Make a new one.")
