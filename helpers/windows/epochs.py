"""Which epoch is it? What a `keras.utils.PyDataset` has to know, and Keras does not tell it.

Keras calls a data set's `on_epoch_begin` and `on_epoch_end` without a number, and not only
around epochs of training. As read in the source of Keras 3.15.1 (`epoch_iterator.py` and the
trainers of its backends):

- `fit` reads batches 0 and 1 to learn their shapes, then calls `on_epoch_end`, all before the
  first epoch;
- on JAX and PyTorch, and under a TensorFlow distribution strategy, the first `fit` after
  `compile` begins an epoch, reads a batch or two and drops it;
- an interrupt leaves an epoch without its end;
- `evaluate` looks like an epoch of training.

So calls are not counted here. A pass is an epoch when each batch was asked for once between its
begin and its end, and what stays unclear is an error. `EpochCallback` needs no guessing: Keras
does tell callbacks the epoch.
"""

import keras
import numpy as np


class PassCounter:
    """Tells whether the last pass over `n_batches` batches was an epoch."""

    def __init__(self, n_batches):
        self.times_asked = np.zeros(n_batches, int)
        self.forget()

    def forget(self, followed=False):
        """Start anew: someone has said which epoch comes next (`followed`: the callback has)."""
        self.begun = self.running = False
        self.dropped = 0
        self.followed = followed

    def begin(self):
        self.begun = self.running = True
        self.times_asked[:] = 0

    def ask(self, batch):
        if self.running:
            self.times_asked[batch] += 1

    def end(self):
        self.running = False

    def finished(self):
        """True after a whole epoch, False after none; RuntimeError if that cannot be told."""
        if not self.begun:
            return False
        if self.followed:
            raise _unclear("the callback that led the last fit is silent now")
        if (self.times_asked == 1).all():
            # A backend's trial run of one or two batches would be a whole epoch of that length.
            if len(self.times_asked) <= 2 and keras.backend.backend() != "tensorflow":
                raise _unclear("an epoch of one or two batches looks like Keras' trial run")
            return True
        if (self.times_asked > 0).all():
            raise _unclear("some batches of the last epoch were asked for more than once")
        self.dropped += 1
        if self.dropped > 1:
            raise _unclear("two epochs in a row were left before their last batch")
        return False


class EpochCallback(keras.callbacks.Callback):
    """Takes a `SlidingSubset` to the epoch that `fit` is about to train."""

    def __init__(self, subset):
        super().__init__()
        self.subset = subset

    def on_epoch_begin(self, epoch, logs=None):
        self.subset.seek(epoch, followed=True)

    def on_train_end(self, logs=None):
        self.subset.passes.followed = False


def _unclear(why):
    return RuntimeError(
        f"It is unclear which epoch comes next: {why}. Let Keras say it, "
        "fit(subset, callbacks=[subset.follow_callback()], ...), or call subset.seek(epoch) "
        "first. Leave steps_per_epoch out: every epoch is a whole pass."
    )
