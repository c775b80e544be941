"""The ways to feed a network, each written as its own documentation would have it.

A loader takes a `Schedule` and returns what `fit` is given: a data set without an end, from which
one iterator takes all steps, or a pair of NumPy arrays (`ARRAYS`). All see the same images, in
batches of the same size, for the same number of steps. Those in `LOOPS` are called with (schedule,
model, callbacks) and train by themselves.
`measure.py` measures them.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple


class Loader(NamedTuple):
    """`kind` says what is kept in memory, `shuffle` among how many images the order is drawn."""

    label: str
    kind: str
    shuffle: str
    module: str


WHOLE, WINDOW, NONE = "all images", "one window", "none"
LIMIT, MEMORY, SUBSET, STREAM = "limit", "in memory", "subset", "stream"
# Imported when it is used: a process that measures one loader should not carry the others.
IN_MEMORY, TF_DATA, PER_BATCH, TORCH = "in_memory", "tf_data", "per_batch", "torch_loaders"

LOADERS = {
    "constant_batch": Loader("fit, one constant batch", LIMIT, NONE, PER_BATCH),
    "constant_batch_again": Loader("the same, once more", LIMIT, NONE, PER_BATCH),
    "float64_in_memory": Loader("float64 array", MEMORY, WHOLE, IN_MEMORY),
    "uint8_batches": Loader("uint8 array, by batches", MEMORY, WHOLE, PER_BATCH),
    "article_as_written": Loader("article, as written", SUBSET, WINDOW, IN_MEMORY),
    "article_as_meant": Loader("article, as meant", SUBSET, WINDOW, IN_MEMORY),
    "sliding_subset": Loader("SlidingSubset", SUBSET, WINDOW, IN_MEMORY),
    "sliding_subset_reshuffled": Loader("SlidingSubset, reshuffled", SUBSET, WINDOW, IN_MEMORY),
    "tf_data": Loader("tf.data", STREAM, WHOLE, TF_DATA),
    "tf_data_index_shuffle": Loader("tf.data, index_shuffle", STREAM, WHOLE, TF_DATA),
    "tf_data_pillow": Loader("tf.data with Pillow", STREAM, WHOLE, TF_DATA),
    "tf_data_echo": Loader("tf.data, echoing", STREAM, WINDOW, TF_DATA),
    "tf_data_window_cache": Loader("tf.data, a cache a window", SUBSET, WINDOW, TF_DATA),
    "tf_data_in_memory": Loader("tf.data, cache()", MEMORY, WHOLE, TF_DATA),
    "tf_data_cached": Loader("tf.data, cache(file)", STREAM, WINDOW, TF_DATA),
    "py_dataset": Loader("PyDataset, 1 worker", STREAM, WHOLE, PER_BATCH),
    "py_dataset_all_cores": Loader("PyDataset, all cores", STREAM, WHOLE, PER_BATCH),
    "py_dataset_workers": Loader("PyDataset, Keras' workers", STREAM, WHOLE, PER_BATCH),
    "memmap": Loader("memmap of bytes", STREAM, WHOLE, PER_BATCH),
    "grain": Loader("Grain", STREAM, WHOLE, PER_BATCH),
    "grain_default": Loader("Grain, default buffer", STREAM, WHOLE, PER_BATCH),
    "torch_data_loader": Loader("PyTorch DataLoader", STREAM, WHOLE, TORCH),
    "smart_cache": Loader("MONAI SmartCacheDataset", SUBSET, WINDOW, TORCH),
}
NEED = {
    "grain": "grain",
    "grain_default": "grain",
    "torch_data_loader": "monai",
    "smart_cache": "monai",
}
NO_LOADER = tuple(name for name, chosen in LOADERS.items() if chosen.kind == LIMIT)
ARRAYS = ("float64_in_memory",)
LOOPS = ("article_as_written", "article_as_meant")
# What has no batches to take without `fit`: arrays, loops, and workers that Keras starts.
NOT_ALONE = (*ARRAYS, *LOOPS, "py_dataset_workers")


def name_of(method: str | Callable) -> str:
    """The name in `LOADERS` of a loader, or of a function of that name.

    Raises ValueError for a name that is none.
    """
    name = method if isinstance(method, str) else method.__name__
    if name not in LOADERS:
        raise ValueError(f"{name!r} is not a loader; there are: {', '.join(LOADERS)}.")
    return name


def loader(method: str | Callable) -> Callable:
    """The function that makes this loader; a function is taken as it is."""
    name = name_of(method)
    if callable(method):
        return method
    return getattr(import_module(f"experiments.race.{LOADERS[name].module}"), name)


def decoder(method: str | Callable) -> Callable:
    """What decodes the images of a `Schedule` as this loader does, on all cores and without end.

    It gives an iterator: how many images were decoded since it was asked last.
    """
    name = name_of(method)
    if LOADERS[name].module == TF_DATA and name != "tf_data_pillow":
        return import_module("experiments.race.tf_data").decoding
    return _decoding


def _decoding(schedule):
    n = schedule.geometry.n_images
    while True:
        schedule.read(range(n))
        yield n


def installed() -> list[str]:
    """The names of all loaders that can run here: Grain, PyTorch and MONAI are optional."""
    return [name for name in LOADERS if name not in NEED or find_spec(NEED[name])]
