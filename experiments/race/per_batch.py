"""Keras data sets and Grain: the images of a batch are fetched when it is due."""

import os
from functools import lru_cache

import keras
import numpy as np

from experiments.race.schedule import Schedule


class StepDataset(keras.utils.PyDataset):
    """Batches of all steps, pass after pass over a shuffled list; to Keras it is infinite.

    As `SlidingSubset` it is asked for ever higher steps through one iterator, so `fit` loses no
    time between epochs: https://keras.io/api/utils/python_utils
    """

    num_batches = None

    def __init__(self, schedule, **options):
        super().__init__(**options)
        self.schedule, self.geometry = schedule, schedule.geometry
        self._order = lru_cache(2)(self._draw)  # drawn once for a pass, not for each batch

    def __getitem__(self, step):
        size = self.geometry.batch_size
        pass_, batch = divmod(step, self.geometry.n_images // size)
        return self.take(self._order(pass_)[batch * size : (batch + 1) * size])

    def _draw(self, pass_):
        rng = np.random.default_rng((self.geometry.seed, pass_))
        return rng.permutation(self.geometry.n_images)


class DecodedPerBatch(StepDataset):
    """Reads the images of a batch when it is asked for, in so many threads (None: all cores)."""

    def __init__(self, schedule, threads, **options):
        super().__init__(schedule, **options)
        self.threads = threads

    def take(self, rows):
        used, size = self.schedule.used, self.geometry.size
        return self.schedule.reader(used, rows, size, threads=self.threads)


def py_dataset(schedule: Schedule):
    """A Keras data set that decodes each batch, in the thread that gathers them."""
    return DecodedPerBatch(schedule, threads=1)


def py_dataset_all_cores(schedule: Schedule):
    """The same, and the cores share a batch: as many threads as our window is decoded with."""
    return DecodedPerBatch(schedule, threads=None)


def py_dataset_workers(schedule: Schedule):
    """The same with Keras' own workers: a thread for each core, and each reads whole batches."""
    return DecodedPerBatch(schedule, threads=1, workers=os.cpu_count())


class Memmap(StepDataset):
    """Batches copied out of files of decoded bytes, of which only their own pages are read."""

    def __init__(self, schedule):
        super().__init__(schedule)
        shape = (self.geometry.n_images, *self.geometry.size)
        paths = schedule.folder / "images.raw", schedule.folder / "masks.raw"
        with paths[0].open("wb") as images, paths[1].open("wb") as masks:
            for start in range(0, shape[0], self.geometry.batch_size):
                stop = min(start + self.geometry.batch_size, shape[0])
                block = schedule.read(range(start, stop))
                block[0].tofile(images)
                block[1].tofile(masks)
        self.images = np.memmap(paths[0], np.uint8, "r", shape=(*shape, 3))
        self.masks = np.memmap(paths[1], np.uint8, "r", shape=shape)

    def take(self, rows):
        return self.images[rows], self.masks[rows]


def memmap(schedule: Schedule):
    """All images decoded into files once; NumPy maps them into memory."""
    return Memmap(schedule)


class Batches(StepDataset):
    """Batches copied out of arrays that lie in memory."""

    def __init__(self, schedule):
        super().__init__(schedule)
        self.images, self.masks = schedule.read(range(self.geometry.n_images))

    def take(self, rows):
        return self.images[rows], self.masks[rows]


def uint8_batches(schedule: Schedule):
    """All images as bytes in memory; `fit` is given one batch at a time, not the array."""
    return Batches(schedule)


class Constant(StepDataset):
    """The same batch at every step."""

    def __init__(self, schedule):
        super().__init__(schedule)
        self.batch = schedule.read(range(self.geometry.batch_size))

    def __getitem__(self, step):
        return self.batch


def constant_batch(schedule: Schedule):
    """One batch that stays in memory, given again and again: as fast as `fit` can be here."""
    return Constant(schedule)


def constant_batch_again(schedule: Schedule):
    """The same once more: how far apart two runs are that differ in nothing."""
    return Constant(schedule)


def grain(schedule: Schedule):
    """Google's loader, with a thread for each core and four batches kept ready."""
    return _grain(schedule, num_threads=os.cpu_count(), prefetch_buffer_size=4)


def grain_default(schedule: Schedule):
    """The same as it comes: 16 threads, and up to 500 batches kept ready, a data set in memory."""
    return _grain(schedule)


def _grain(schedule: Schedule, **options):
    """https://google-grain.readthedocs.io/en/latest/tutorials/dataset_basic_tutorial.html"""
    import grain  # optional: the tutorial does not need it

    index, geometry = schedule.used, schedule.geometry

    def decode(row):
        schedule.reader.add(1)
        return index.read(int(row), geometry.size)

    rows = grain.MapDataset.range(geometry.n_images).shuffle(geometry.seed)
    batches = rows.repeat().map(decode).batch(geometry.batch_size)
    return batches.to_iter_dataset(grain.ReadOptions(**options))
