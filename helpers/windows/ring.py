"""One window of images in memory, of which only the new rows are decoded when it moves on."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

EMPTY = -1


class RingBuffer:
    """Rows of an index as uint8 arrays: row r lies in slot r % window.

    Windows that overlap keep their common rows in the same slots, so moving on overwrites the
    oldest rows and touches no other. `images` is (window, h, w, 3), `masks` (window, h, w),
    `rows` says which index row each slot holds (-1: none), `decoded` counts the images read.

    `n_staged` more rows, the staging buffer, are kept for `prepare`, which decodes in a thread
    while the window is in use; with 0 there is neither buffer nor thread. That thread touches the
    staging buffer alone. All methods are for one caller at a time: `SlidingSubset` holds a lock
    around them. `read(index, rows, size, images, masks)` fills the arrays, as `read_block` does.

    Notebook 02, "Saw-tooth and flat line".
    """

    def __init__(self, index, size, window, n_staged, read):
        self.index, self.size, self.window, self.read = index, tuple(size), window, read
        self.images, self.masks = self._new_rows(window)
        self.staged_images, self.staged_masks = self._new_rows(n_staged)
        self.rows = np.full(window, EMPTY)
        self.decoded = 0
        self._staged = np.zeros(0, int)
        self._reading = self._thread = None

    @property
    def nbytes(self):
        """Bytes of the window and of the staging buffer."""
        arrays = (self.images, self.masks, self.staged_images, self.staged_masks)
        return sum(array.nbytes for array in arrays)

    def show(self, rows):
        """Make `rows`, int (n,) in rising order, present; only those not held are brought in.

        What the thread of `prepare` raised is raised here, and the ring keeps what it held.
        """
        if len(self._missing(rows)) == 0:
            return
        staged = self._finish_staging()
        for run in self._runs(self._missing(np.intersect1d(staged, rows))):
            slots, at = self._slots(run), np.searchsorted(staged, run[0])
            self.rows[slots] = EMPTY  # so that rows written by half never count as present
            self.images[slots] = self.staged_images[at : at + len(run)]
            self.masks[slots] = self.staged_masks[at : at + len(run)]
            self.rows[slots] = run
        for run in self._runs(self._missing(rows)):
            slots = self._slots(run)
            self.rows[slots] = EMPTY
            self._read(run, self.images[slots], self.masks[slots])
            self.rows[slots] = run

    def prepare(self, rows):
        """Begin to decode, in a thread, those of `rows` that are not held."""
        rows = self._missing(rows)
        if len(self.staged_images) == 0 or self._reading is not None or len(rows) == 0:
            return
        images, masks = self.staged_images[: len(rows)], self.staged_masks[: len(rows)]
        # An executor keeps what the thread raises. Shut down at once, it ends with its one task.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="RingBuffer")
        self._staged = rows
        self._reading = self._thread.submit(self._read, rows, images, masks)
        self._thread.shutdown(wait=False)

    def take(self, rows):
        """Copies (images uint8 (n, h, w, 3), masks uint8 (n, h, w)) of `rows`, int (n,).

        Raises IndexError naming the first row that is not held.
        """
        missing = self._missing(rows)
        if len(missing):
            raise IndexError(f"Row {missing[0]} is not in the window: call show first.")
        slots = rows % self.window
        return np.take(self.images, slots, axis=0), np.take(self.masks, slots, axis=0)

    def close(self):
        """Wait for the thread, then let go of the memory."""
        self._end_thread()
        self.images, self.masks = self._new_rows(0)
        self.staged_images, self.staged_masks = self._new_rows(0)
        self.rows = np.zeros(0, int)

    def _finish_staging(self):
        """The rows that lie in the staging buffer, after waiting for the thread."""
        if self._reading is None:
            return np.zeros(0, int)
        error = self._end_thread()
        if error is not None:
            raise error
        return self._staged

    def _end_thread(self):
        """Wait for the thread to be gone; what it raised, or None."""
        if self._reading is None:
            return None
        error = self._reading.exception()  # interrupted here, the thread is still known to close
        self._thread.shutdown(wait=True)  # its task is done, but it may not have ended yet
        self._reading = None
        return error

    def _read(self, rows, images, masks):
        self.read(self.index, rows, self.size, images, masks)
        self.decoded += len(rows)

    def _missing(self, rows):
        return rows[self.rows[rows % self.window] != rows]

    def _runs(self, rows):
        """Cut sorted rows where they skip one or where the ring starts over at slot 0."""
        if len(rows) == 0:
            return []
        breaks = (np.diff(rows) > 1) | (rows[1:] % self.window == 0)
        return np.split(rows, np.flatnonzero(breaks) + 1)

    def _slots(self, run):
        first = run[0] % self.window
        return slice(first, first + len(run))

    def _new_rows(self, n):
        return np.empty((n, *self.size, 3), np.uint8), np.empty((n, *self.size), np.uint8)
