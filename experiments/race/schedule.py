"""What a race trains on: the images, the windows, the number of steps."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from helpers.data import Index, read_block
from helpers.windows import Geometry


class CountingReader:
    """`read_block` that counts the images it decodes, in whatever threads it is called."""

    def __init__(self):
        self.count, self._lock = 0, threading.Lock()
        self.count_in_graph = None  # a counter of TensorFlow's, where it decodes by itself

    def __call__(self, index, rows, size, images=None, masks=None, threads=None):
        found = read_block(index, rows, size, images, masks, threads)
        self.add(len(rows))
        return found

    def add(self, n):
        with self._lock:
            self.count += int(n)

    @property
    def decoded(self) -> int:
        """Images decoded so far."""
        return self.count + int(self.count_in_graph or 0)


@dataclass(frozen=True)
class Schedule:
    """The first images of `index`, as many as `geometry` has, for all of its steps.

    A method without windows sees the same images in shuffled passes, for as many steps; one that
    writes files writes them to `folder`. Raises ValueError if a window or a stride is not a whole
    number of batches (methods would take different numbers of steps), or if there are too few
    images.
    """

    index: Index
    folder: Path
    geometry: Geometry
    reader: CountingReader = field(default_factory=CountingReader)

    def __post_init__(self):
        window, stride, batch_size = (
            getattr(self.geometry, name) for name in ("window", "stride", "batch_size")
        )
        if window % batch_size or stride % batch_size:
            raise ValueError(
                f"A window of {window} images and a stride of {stride} are not whole "
                f"batches of {batch_size}. Choose multiples of the batch size."
            )
        if self.geometry.n_images > len(self.index):
            raise ValueError(
                f"{self.geometry.n_rounds} rounds need {self.geometry.n_images} images, and there "
                f"are {len(self.index)}. Take fewer rounds or a smaller window."
            )

    @property
    def used(self) -> Index:
        return self.index[: self.geometry.n_images]

    @property
    def n_passes(self) -> int:
        """Passes over all images that hold at least as many full batches as there are steps."""
        batches = self.geometry.n_images // self.geometry.batch_size
        return -(-self.geometry.n_steps // batches)

    def read(self, rows):
        """(images uint8 (n, h, w, 3), masks uint8 (n, h, w)) of these rows."""
        return self.reader(self.index, rows, self.geometry.size)

    def read_one(self, row):
        """(image uint8 (h, w, 3), mask uint8 (h, w)) of one row, decoded in the calling thread."""
        images, masks = self.reader(self.index, [row], self.geometry.size, threads=1)
        return images[0], masks[0]
