"""What stays in memory is known beforehand: one batch (the limit), everything, or one window."""

from dataclasses import replace

import keras
import numpy as np

from experiments.race.schedule import Schedule
from helpers.windows import SlidingSubset, article_loop
from helpers.windows.subset import without_tuning

# The limit: nothing to read.


def constant_batch(schedule: Schedule):
    """One batch that stays in memory, given again and again: as fast as `fit` can be here."""
    import tensorflow as tf

    images = tf.data.Dataset.from_tensor_slices(schedule.read(range(schedule.geometry.batch_size)))
    # The cache keeps the batch as it is. `batch` leaves the batch size open, as all other data
    # sets do: the network is traced once for all of them.
    batch = images.batch(schedule.geometry.batch_size).cache()
    return without_tuning(batch.repeat(schedule.geometry.steps_per_pass))


def train_on_batch(schedule: Schedule, model, callbacks) -> None:
    """The same batch without `fit`, its callbacks and its data adapter."""
    images, masks = schedule.read(range(schedule.geometry.batch_size))
    callbacks = keras.callbacks.CallbackList(callbacks, model=model)
    for step in range(schedule.geometry.n_steps):
        callbacks.on_train_batch_begin(step)
        model.train_on_batch(images, masks)
        callbacks.on_train_batch_end(step)


# Everything in memory.


def float64_in_memory(schedule: Schedule):
    """Every image as float64, which is what `images / 255.` gives."""
    images, masks = schedule.read(range(schedule.geometry.n_images))
    return images.astype(np.float64), masks


def float32_in_memory(schedule: Schedule):
    """Every image as the numbers that the network computes with."""
    images, masks = schedule.read(range(schedule.geometry.n_images))
    return images.astype(np.float32), masks


def uint8_in_memory(schedule: Schedule):
    """Every image as the bytes it is; the network scales them."""
    return schedule.read(range(schedule.geometry.n_images))


# One window in memory.


def article_as_written(schedule: Schedule, model, callbacks) -> None:
    """All images stay in memory; masks are one-hot float64; each round compiles anew."""
    _article(schedule, model, callbacks, keep_all_images=True)


def article_as_meant(schedule: Schedule, model, callbacks) -> None:
    """One window of bytes, read anew each round; the model stays as it was compiled."""
    stay_compiled = {"compile_each_round": False, "compile_model": lambda model: None}
    _article(schedule, model, callbacks, one_hot=False, **stay_compiled)


def _article(schedule, model, callbacks, **choices):
    # No validation split and no early stopping here: every method takes the same steps.
    geometry = schedule.geometry
    article_loop(
        model, schedule.used, geometry.windows, geometry.size,
        epochs=geometry.passes, batch_size=geometry.batch_size, seed=geometry.seed,
        validation_share=0, callbacks=callbacks, read=schedule.reader, **choices,
    )  # fmt: skip


def sliding_subset(schedule: Schedule, background=True):
    """Ours: a ring buffer; only new images are decoded, while the network trains."""
    return SlidingSubset(
        schedule.used, schedule.geometry, read=schedule.reader, background=background
    )


def sliding_subset_reshuffled(schedule: Schedule):
    """Ours over a list that is shuffled anew for each pass; a window serves for one pass."""
    geometry = schedule.geometry
    n_rounds = geometry.n_rounds * geometry.passes
    length = geometry.window + (n_rounds - 1) * geometry.stride
    longer = schedule.used.reshuffled(length, geometry.seed)
    once = replace(geometry, n_images=length, passes=1)
    return sliding_subset(replace(schedule, index=longer, geometry=once))


def sliding_subset_waiting(schedule: Schedule):
    """Ours without the thread: training waits while new images are decoded."""
    return sliding_subset(schedule, background=False)
