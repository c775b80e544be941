"""Calls a function for many items in parallel processes, with a progress bar."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor

from tqdm.auto import tqdm

MOST_ON_WINDOWS = 61  # ProcessPoolExecutor refuses more there


def call_for_each(
    function: Callable, items: Iterable, *, workers: int | None = None, **bar_options
) -> None:
    """Call `function(item)` for every item; what it returns is dropped, its errors are raised.

    `workers` processes do it (None: one for each processor, fewer for few items; 1: no new
    process; on Windows 61 at most). `function` must be importable, as for every other process.
    `bar_options` go to tqdm.
    """
    items = list(items)
    # A new process takes about as long to start as a dozen calls of the kind this is used for.
    workers = workers or min(_processors(), len(items) // 16)
    if sys.platform == "win32":
        workers = min(workers, MOST_ON_WINDOWS)
    with tqdm(total=len(items), **bar_options) as bar:
        if workers <= 1:
            for item in items:
                function(item)
                bar.update()
            return
        # "spawn" on every system: a fork of a process that has loaded TensorFlow may hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_end_with_parent) as pool:
            try:
                for _ in pool.map(function, items, chunksize=4):
                    bar.update()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def _processors():
    """Processors this process may use; containers and batch systems often allow fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _end_with_parent():
    """In a worker: end when the main process does, however that ended (a killed kernel)."""

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
