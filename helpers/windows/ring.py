"""One window of an index in memory, of which only the new rows are read when it moves on."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

EMPTY = -1


class RingBuffer:
    """Rows of an index as arrays: row r lies in slot r % window.

    Windows that overlap keep their common rows in the same slots, so moving on overwrites the
    oldest rows and touches no other. `arrays` are (window, ...), one for each array that `read`
    gives for a row; `rows` says which row each slot holds (-1: none), `decoded` counts the rows
    read.

    `n_staged` rows more, the staging buffer, are kept for `prepare`, which reads in a thread while
    the window is in use. That thread touches the staging buffer alone. All methods are for one
    caller at a time: `SlidingSubset` holds a lock around them.

    `read(index, rows, size, *arrays)` fills the arrays, as `read_block` does with uint8 images
    (n, h, w, 3) and masks (n, h, w). A reader that gives other arrays has an attribute
    `declare(index, size)`, which returns their (shape, dtype) for one row, as a list.

    Notebook 02, "The ring buffer".
    """

    def __init__(self, index, size, window, n_staged, read):
        self.index, self.size, self.window, self.read = index, tuple(size), window, read
        declare = getattr(read, "declare", shapes_and_dtypes)
        self._declared = declare(index, self.size)
        self.arrays, self._staging = self._new(window), self._new(n_staged)
        self.rows = np.full(window, EMPTY)
        self.decoded, self.closed = 0, False
        self._staged_rows, self._reading, self._thread = np.zeros(0, int), None, None

    @property
    def nbytes(self):
        """Bytes of the window and of the staging buffer; 0 once closed."""
        return sum(array.nbytes for array in (*self.arrays, *self._staging))

    def hold(self, rows):
        """Make `rows`, int (n,) in rising order, present; only those not held are brought in.

        What the thread of `prepare` raised is raised here, and the ring keeps what it held.
        """
        if self.closed:
            raise ValueError("This window is closed. Make a new SlidingSubset.")
        if len(self._missing(rows)) == 0:
            return
        # First what the thread has read, then the rest from disk.
        staged_rows = self._finish_staging()
        useful = self._missing(np.intersect1d(staged_rows, rows))
        for run in self._runs(useful):
            at = np.searchsorted(staged_rows, run[0])
            self._put(run, [array[at : at + len(run)] for array in self._staging])
        for run in self._runs(self._missing(rows)):
            self._put(run)

    def prepare(self, rows):
        """Begin to read, in a thread, those of `rows` that are not held.

        There must be room for them in the staging buffer; without one, nothing is done.
        """
        rows = self._missing(rows)
        if len(self._staging[0]) == 0 or self._reading is not None or len(rows) == 0:
            return
        # An executor keeps what the thread raises. Shut down at once, it ends with its one task.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="RingBuffer")
        self._staged_rows = rows
        staging = [array[: len(rows)] for array in self._staging]
        self._reading = self._thread.submit(self._read, rows, staging)
        self._thread.shutdown(wait=False)

    def take(self, rows):
        """Copies of `rows`, int (n,) from 0 on: a tuple of arrays (n, ...).

        Raises IndexError naming the first row that is not held.
        """
        missing = self._missing(rows)
        if len(missing):
            raise IndexError(f"Row {missing[0]} is not in the window: call hold first.")
        return tuple(np.take(array, rows % self.window, axis=0) for array in self.arrays)

    def close(self):
        """Wait for the thread, then let go of the memory."""
        self._end_thread()
        self.closed = True
        self.arrays, self._staging = self._new(0), self._new(0)
        self.rows = np.zeros(0, int)

    def _put(self, run, source=None):
        """Write consecutive rows into their slots: copied from `source`, or read from the index."""
        slots = slice(run[0] % self.window, run[0] % self.window + len(run))
        self.rows[slots] = EMPTY  # so that rows written by half never count as present
        arrays = [array[slots] for array in self.arrays]
        if source is None:
            self._read(run, arrays)
        else:
            for array, new in zip(arrays, source, strict=True):
                array[:] = new
        self.rows[slots] = run

    def _read(self, rows, arrays):
        self.read(self.index, rows, self.size, *arrays)
        self.decoded += len(rows)

    def _finish_staging(self):
        """The rows that lie in the staging buffer, after waiting for the thread."""
        if self._reading is None:
            return np.zeros(0, int)
        error = self._end_thread()
        if error is not None:
            raise error
        return self._staged_rows

    def _end_thread(self):
        """Wait for the thread to be gone; what it raised, or None."""
        if self._reading is None:
            return None
        # If Ctrl-C comes while this waits, `_reading` is still set, so that `close` can wait again.
        error = self._reading.exception()
        self._thread.shutdown(wait=True)  # its task is done, but it may not have ended yet
        self._reading = None
        return error

    def _missing(self, rows):
        return rows[self.rows[rows % self.window] != rows]

    def _runs(self, rows):
        """Cut sorted rows where they skip one or where the ring starts over at slot 0."""
        if len(rows) == 0:
            return []
        breaks = (np.diff(rows) > 1) | (rows[1:] % self.window == 0)
        return np.split(rows, np.flatnonzero(breaks) + 1)

    def _new(self, n):
        return [np.empty((n, *shape), dtype) for shape, dtype in self._declared]


def shapes_and_dtypes(index, size):
    """What `read_block` gives for a row, as (shape, dtype): an image and its mask."""
    return [((*size, 3), np.uint8), (tuple(size), np.uint8)]
