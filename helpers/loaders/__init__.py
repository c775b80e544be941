"""The ways to feed a network, each written as its own documentation would have it.

A contender takes a `Schedule` and returns what `fit` is given: a data set, or a pair of NumPy
arrays (`ARRAYS`). All see the same pictures, in batches of the same size, for the same number of
steps. Those in `LOOPS` are called with (schedule, model, callbacks) and train by themselves.
`helpers/bench.py` measures them.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from helpers.loaders.schedule import CountingReader, Schedule

__all__ = [
    "ARRAYS",
    "CONTENDERS",
    "LOOPS",
    "WHOLE",
    "Contender",
    "CountingReader",
    "Schedule",
    "contender",
    "installed",
]


class Contender(NamedTuple):
    """`kind` says what is kept in memory, `shuffle` among how many pictures the order is drawn."""

    label: str
    kind: str
    shuffle: str
    module: str


WHOLE, WINDOW, NONE = "all pictures", "one window", "none"
LIMIT, MEMORY, SUBSET, STREAM = "limit", "in memory", "subset", "stream"
# Imported when it is used: a process that measures one loader should not carry the others.
IN_MEMORY, TF_DATA, PER_BATCH = "in_memory", "tf_data", "per_batch"

CONTENDERS = {
    "constant_batch": Contender("fit, one constant batch", LIMIT, NONE, IN_MEMORY),
    "train_on_batch": Contender("train_on_batch, the same", LIMIT, NONE, IN_MEMORY),
    "float64_in_memory": Contender("float64 array", MEMORY, WHOLE, IN_MEMORY),
    "float32_in_memory": Contender("float32 array", MEMORY, WHOLE, IN_MEMORY),
    "uint8_in_memory": Contender("uint8 array", MEMORY, WHOLE, IN_MEMORY),
    "uint8_batches": Contender("uint8 array, by batches", MEMORY, WHOLE, PER_BATCH),
    "article_as_written": Contender("article, as written", SUBSET, WINDOW, IN_MEMORY),
    "article_as_meant": Contender("article, as meant", SUBSET, WINDOW, IN_MEMORY),
    "sliding_subset": Contender("SlidingSubset", SUBSET, WINDOW, IN_MEMORY),
    "sliding_subset_waiting": Contender("SlidingSubset, no thread", SUBSET, WINDOW, IN_MEMORY),
    "sliding_subset_reshuffled": Contender("SlidingSubset, reshuffled", SUBSET, WINDOW, IN_MEMORY),
    "tf_data": Contender("tf.data", STREAM, WHOLE, TF_DATA),
    "tf_data_ram_budget": Contender("tf.data, ram_budget", STREAM, WHOLE, TF_DATA),
    "tf_data_cached": Contender("tf.data, cache(file)", STREAM, WINDOW, TF_DATA),
    "py_dataset": Contender("PyDataset, 1 worker", STREAM, WHOLE, PER_BATCH),
    "py_dataset_2_workers": Contender("PyDataset, 2 workers", STREAM, WHOLE, PER_BATCH),
    "memmap": Contender("memmap of bytes", STREAM, WHOLE, PER_BATCH),
    "grain": Contender("Grain", STREAM, WHOLE, PER_BATCH),
}
ARRAYS = ("float64_in_memory", "float32_in_memory", "uint8_in_memory")
LOOPS = ("train_on_batch", "article_as_written", "article_as_meant")


def contender(name: str) -> Callable:
    """The function that makes this contender. Raises ValueError for a name that is none."""
    if name not in CONTENDERS:
        raise ValueError(f"{name!r} is not a loader; there are: {', '.join(CONTENDERS)}.")
    return getattr(import_module(f"helpers.loaders.{CONTENDERS[name].module}"), name)


def installed() -> list[str]:
    """The names of all contenders that can run here: Grain is optional."""
    return [name for name in CONTENDERS if name != "grain" or find_spec("grain")]
