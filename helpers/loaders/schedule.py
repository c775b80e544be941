"""What a comparison of loaders trains on: the pictures, the windows, the number of steps."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from helpers.dataset import Index
from helpers.images import read_block
from helpers.subsets import sliding_windows


class CountingReader:
    """`read_block` that counts the pictures it decodes, in whatever threads it is called."""

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
        """Pictures decoded so far."""
        return self.count + int(self.count_in_graph or 0)


@dataclass(frozen=True)
class Schedule:
    """The first `n_images` of `index`, for `n_steps` gradient steps.

    Windows of `window` images move on by `stride` for `n_rounds` rounds of `epochs_per_round`. A
    method without windows sees the same images in shuffled passes, for as many steps. `size` is
    (height, width) in pixels; a method that writes files writes them to `folder`.

    Raises ValueError if a window or a stride is not a whole number of batches (methods would take
    different numbers of steps), or if there are too few images.
    """

    index: Index
    folder: Path
    size: tuple[int, int]
    window: int
    stride: int
    n_rounds: int
    epochs_per_round: int
    batch_size: int
    seed: int = 0
    reader: CountingReader = field(default_factory=CountingReader)

    def __post_init__(self):
        if self.window % self.batch_size or self.stride % self.batch_size:
            raise ValueError(
                f"A window of {self.window} images and a stride of {self.stride} are not whole "
                f"batches of {self.batch_size}. Choose multiples of the batch size."
            )
        if self.n_images > len(self.index):
            raise ValueError(
                f"{self.n_rounds} rounds need {self.n_images} images, and there are "
                f"{len(self.index)}. Take fewer rounds or a smaller window."
            )

    @property
    def n_images(self) -> int:
        return self.window + (self.n_rounds - 1) * self.stride

    @property
    def steps_per_epoch(self) -> int:
        return self.window // self.batch_size

    @property
    def steps_per_round(self) -> int:
        return self.epochs_per_round * self.steps_per_epoch

    @property
    def n_steps(self) -> int:
        return self.n_rounds * self.steps_per_round

    @property
    def n_passes(self) -> int:
        """Passes over all images that hold at least `n_steps` full batches."""
        return -(-self.n_steps // (self.n_images // self.batch_size))

    @property
    def used(self) -> Index:
        return self.index[: self.n_images]

    @property
    def windows(self) -> list:
        return sliding_windows(self.n_images, self.window, self.stride)

    @property
    def window_bytes(self) -> int:
        """Bytes of one window: three of an image and one of its mask for each pixel."""
        return self.window * self.size[0] * self.size[1] * 4

    def read(self, rows):
        """(images uint8 (n, h, w, 3), masks uint8 (n, h, w)) of these rows."""
        return self.reader(self.index, rows, self.size)
