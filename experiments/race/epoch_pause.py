"""What `fit` may lose between epochs: one batch again and again, by epochs or by one iterator.

At the end of an epoch TensorFlow waits for a thread of its own, which tunes the pipeline that `fit`
has made of the data set. One iterator for all steps has no such end: python -m tools.epoch_pause
"""

import time

import numpy as np

from helpers.quiet import keras


class Same(keras.utils.PyDataset):
    num_batches = None  # infinite: one iterator for all epochs

    def __init__(self, num_batches=None):
        super().__init__()
        self.num_batches = num_batches
        self.batch = np.zeros((16, 96, 96, 3), np.float32), np.zeros((16, 1), np.float32)

    def __getitem__(self, step):
        return self.batch


class Times(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.times = []

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())


def gaps(data, steps: int, epochs: int) -> tuple[float, list[float]]:
    """A usual step and each gap between epochs, in milliseconds."""
    layers = [keras.layers.Conv2D(32, 3), keras.layers.GlobalMaxPool2D(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((96, 96, 3)), *layers])
    model.compile("sgd", "mse")
    more = {"epochs": epochs, "steps_per_epoch": steps, "shuffle": False, "verbose": 0}
    model.fit(data, callbacks=[clock := Times()], **more)
    between, found = slice(steps - 1, None, steps), 1000 * np.diff(clock.times)
    return float(np.median(np.delete(found, between))), found[between].tolist()
