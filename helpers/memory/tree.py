"""The highest memory of a process and the children it starts, sampled from outside."""

import threading

import psutil

from helpers.units import MIB


class TreePeak:
    """Sample the summed RSS of one process tree every `interval` seconds while inside `with`.

    Pages that processes share are counted once for each of them, so the sum errs on the high side.
    """

    def __init__(self, interval: float = 0.1):
        self.bytes = 0
        self._interval = interval
        self._pid: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    @property
    def mib(self) -> float:
        return self.bytes / MIB

    def watch(self, pid: int) -> None:
        self._pid = pid

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(self._interval):
            if self._pid is not None:
                self.bytes = max(self.bytes, tree_rss(self._pid))


def tree_rss(pid: int) -> int:
    """Bytes resident in a process and all its descendants; those that have ended count as 0."""
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for process in tree:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total
