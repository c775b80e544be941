"""What stays in memory is known beforehand: everything, or one window."""

from dataclasses import replace

import numpy as np

from experiments.loop import train_windows
from experiments.race.schedule import Schedule
from helpers.data import read_mask
from helpers.windows import SlidingSubset, compile_as_article, split_windows
from helpers.windows.article import one_hot

# Everything in memory.


def float64_in_memory(schedule: Schedule):
    """Every image as float64, which is what `images / 255.` gives."""
    images, masks = schedule.read(range(schedule.geometry.n_images))
    return images.astype(np.float64), masks


# One window in memory.


def article_as_written(schedule: Schedule, model, callbacks) -> None:
    """All images stay in memory; masks are one-hot float64; each round compiles anew."""
    every_image, _ = schedule.read(range(schedule.geometry.n_images))

    def read(index, rows, size):
        masks = [read_mask(index[row].mask, size, index.n_classes, index.palette) for row in rows]
        return every_image[rows.start : rows.stop], np.stack(masks)

    _article(
        schedule, model, callbacks, read,
        compile_model=lambda model, round_: compile_as_article(model),
        as_targets=lambda masks: one_hot(masks, schedule.index.n_classes),
    )  # fmt: skip


def article_as_meant(schedule: Schedule, model, callbacks) -> None:
    """One window of bytes, read anew each round; the model stays as it was compiled."""
    _article(schedule, model, callbacks, schedule.reader)


def _article(schedule, model, callbacks, read, **choices):
    # No validation and no early stopping here: every method takes the same steps.
    geometry = schedule.geometry
    splits = split_windows(geometry.windows, 0, geometry.seed)
    train_windows(
        model, schedule.used, geometry.size, geometry.windows, splits, epochs=geometry.passes,
        batch_size=geometry.batch_size, callbacks=callbacks, read=read, **choices,
    )  # fmt: skip


def sliding_subset(schedule: Schedule):
    """Ours: a ring buffer; only new images are decoded, while the network trains."""
    return SlidingSubset(schedule.used, schedule.geometry, read=schedule.reader)


def sliding_subset_reshuffled(schedule: Schedule):
    """Ours over a list that is shuffled anew for each pass; a window serves for one pass."""
    geometry = schedule.geometry
    n_rounds = geometry.n_rounds * geometry.passes
    length = geometry.window + (n_rounds - 1) * geometry.stride
    longer = schedule.used.reshuffled(length, geometry.seed)
    once = replace(geometry, n_images=length, passes=1)
    return sliding_subset(replace(schedule, index=longer, geometry=once))
