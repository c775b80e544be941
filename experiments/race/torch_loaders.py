"""PyTorch's own loader, and MONAI's `SmartCacheDataset`, the peer with the same idea.

Both give the batches of all steps from one iterator, like everyone here. They need an environment
of their own, which `make race-monai` makes.
"""

import os

import numpy as np
import torch
from monai.data import SmartCacheDataset
from monai.transforms import Transform
from torch.utils.data import DataLoader, Dataset

from experiments.race.schedule import Schedule


class Decode(Transform):
    """From a row to its image and mask. MONAI keeps the results of its own `Transform`s only."""

    def __init__(self, schedule: Schedule):
        self.schedule = schedule

    def __call__(self, row):
        return self.schedule.read_one(row)


class DecodedPerItem(Dataset):
    """An image and its mask, decoded whenever they are asked for."""

    def __init__(self, schedule: Schedule):
        self.n_images, self.decode = schedule.geometry.n_images, Decode(schedule)

    def __len__(self):
        return self.n_images

    def __getitem__(self, row):
        return self.decode(row)


def torch_data_loader(schedule: Schedule):
    """Shuffled, with a worker for each core: https://docs.pytorch.org/docs/stable/data.html"""
    geometry = schedule.geometry
    loader = DataLoader(
        DecodedPerItem(schedule),
        geometry.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=os.cpu_count(),
        persistent_workers=True,
        generator=torch.Generator().manual_seed(geometry.seed),
    )
    schedule.reader.add(geometry.n_steps * geometry.batch_size)  # its workers' counts stay there
    return _without_end(loader)


def smart_cache(schedule: Schedule):
    """A pool as large as a window, of which as many images as a stride are replaced each round.

    https://docs.monai.io/en/stable/data.html#smartcachedataset. Its threads decode the replacements
    while the pool is in use, and a round is as many passes over the pool as ours over a window.
    """
    geometry = schedule.geometry
    pool = SmartCacheDataset(
        list(range(geometry.n_images)),
        transform=Decode(schedule),
        replace_rate=geometry.stride / geometry.window,
        cache_num=geometry.window,
        num_init_workers=os.cpu_count(),
        num_replace_workers=os.cpu_count(),
        progress=False,
        shuffle=True,
        seed=geometry.seed,
    )
    batches = DataLoader(
        pool,
        geometry.batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(geometry.seed),
    )
    pool.start()
    try:
        while True:
            for _ in range(geometry.passes):
                yield from _as_arrays(batches)
            pool.update_cache()
    finally:
        pool.shutdown()


def _without_end(loader: DataLoader):
    while True:
        yield from _as_arrays(loader)


def _as_arrays(loader: DataLoader):
    for images, masks in loader:
        yield np.asarray(images), np.asarray(masks)
