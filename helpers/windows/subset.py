"""One window in memory that feeds Keras, batch by batch.

The article reloads its whole window of 1,000 images 20 times. Neighbouring windows share 900 of
them, so `SlidingSubset` decodes the 100 new ones, while the network trains on the window before.
"""

import threading

import keras
import numpy as np

from ..data.read import read_block
from .epochs import EpochCallback, PassCounter
from .geometry import Geometry
from .ring import RingBuffer

# `tf_data` gathers this many batches while the network trains on one.
BATCHES_AHEAD = 2


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

        with SlidingSubset(index, geometry) as subset:
            model.fit(subset, epochs=subset.n_epochs, shuffle=False)

    Every epoch is one pass over the current window; after `geometry.passes` of them the window
    moves on by its stride. `subset[i]` gives fresh arrays (images uint8 (b, h, w, 3), masks uint8
    (b, h, w)); the last batch may be short. The order is `geometry.order(round, pass)`.
    With `shuffle=True` Keras also shuffles the batches, from its global random state: the same
    images, but not an order that a resumed run could repeat.

    Which epoch comes next:
    - `fit` after `fit` goes on where the last one ended, one epoch for each complete pass
      (a pass of `evaluate` or `predict` counts as well);
    - `seek(epoch)` goes anywhere. Use it before `fit(initial_epoch=...)` and after an interrupt;
    - `callbacks=[subset.follow_callback()]` takes Keras' own number. That is exact for
      `initial_epoch`, after an interrupt and on every backend, so long runs should have it.
    Going past `n_epochs` is a ValueError, and doubt about the epoch a RuntimeError.

    On TensorFlow `fit(subset.tf_data(), ...)` trains the same batches in less time, see there.

    Memory, `nbytes`: `window` rows, and min(stride, window) rows more, the staging buffer, in which
    the next images are decoded meanwhile (`background=False` does without, and waits at each change
    of window). Nothing is decoded before the first batch, epoch or `seek`. An image that cannot be
    read raises OSError with its name, at the latest when its window begins.

    The article's windows show the ends of the list less often than its middle, and forget what came
    first. Windows of one pass each over a list that is shuffled anew for every pass,
    `index.reshuffled(window + (n - 1) * stride, seed)`, taught as much as a shuffle of everything
    in the same memory, for a tenth of a stream's decoding (`experiments/results/learning.json`; the
    idea is CorgiPile's, https://arxiv.org/abs/2206.05830).

    `augment(images, masks, rng)` returns the batch changed, see `flip_horizontally`; its rng is
    drawn from (seed, round, epoch, batch). `read` replaces `read_block`. Raises ValueError if the
    geometry is made for another number of images, or has a shorter last window.

    Notebook 02, "The ring buffer".
    """

    def __init__(self, index, geometry: Geometry, augment=None, *, background=True,
                 read=read_block):  # fmt: skip
        super().__init__(workers=1, use_multiprocessing=False)
        if len(index) != geometry.n_images:
            raise ValueError(
                f"The index holds {len(index)} images, the geometry is made for "
                f"{geometry.n_images}. Make it for this index, or cut the index."
            )
        if geometry.tail:
            raise ValueError("A shorter last window has fewer batches: leave tail at False here.")
        self.geometry, self.augment = geometry, augment
        staged = background and geometry.n_rounds > 1
        n_staged = min(geometry.stride, geometry.window) if staged else 0
        self.ring = RingBuffer(index, geometry.size, geometry.window, n_staged, read)
        self.passes = PassCounter(len(self))
        self.epoch = self.round = 0
        self.closed = False
        self._order = None
        # Keras gathers batches in a thread of its own and may still do so, for an iterator that
        # it has given up, while the window moves on. One lock around both: a batch is wholly of
        # one window. It costs nothing, because a new epoch's batches are asked for after
        # `on_epoch_begin`, and the decoding thread needs no lock: it writes to the staging buffer
        # alone.
        self._lock = threading.RLock()

    @property
    def n_rounds(self):
        """Number of windows."""
        return self.geometry.n_rounds

    @property
    def n_epochs(self):
        """Epochs of all rounds together, for `fit(epochs=...)`."""
        return self.n_rounds * self.geometry.passes

    @property
    def decoded(self):
        """Number of pairs decoded so far."""
        return self.ring.decoded

    @property
    def nbytes(self):
        """Bytes of the window and of the staging buffer; 0 once closed."""
        return self.ring.nbytes

    def __len__(self):
        return self.geometry.steps_per_pass

    def __getitem__(self, batch):
        if not 0 <= batch < len(self):
            raise IndexError(f"There is no batch {batch}: an epoch has {len(self)}.")
        with self._lock:
            if self._order is None:
                self._show(self.epoch)
            self._refuse_if_closed()
            self.passes.ask(batch)
            first = batch * self.geometry.batch_size
            images, masks = self.ring.take(self._order[first : first + self.geometry.batch_size])
            numbers = self.geometry.seed, self.round, self.epoch, batch
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
                f"There is no epoch {epoch}: {self.n_rounds} rounds of {self.geometry.passes} "
                f"are epochs 0 to {self.n_epochs - 1}. Fit with epochs=subset.n_epochs at most; "
                "subset.seek(0) starts over."
            )
        round_, pass_ = divmod(epoch, self.geometry.passes)
        self.ring.show(self.geometry.rows(round_))
        self.epoch, self.round = epoch, round_
        self._order = self.geometry.order(round_, pass_)
        if round_ + 1 < self.n_rounds:
            self.ring.prepare(self.geometry.rows(round_ + 1))

    def _refuse_if_closed(self):
        if self.closed:
            raise ValueError("This SlidingSubset is closed. Make a new one.")
