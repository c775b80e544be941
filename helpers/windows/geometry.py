"""The sliding window as arithmetic: which image is trained on in which step.

The article's geometry: windows of 1,000 images whose start moves on by 100, 20 rounds, five passes
over each window, batches of 32. Here it is pure numbers. Nothing is read and nothing is remembered:
a batch is a function of its step.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..units import format_bytes, parse_bytes

# The article's proportions: a window is ten strides, and 20 rounds sweep over 29 strides in all.
STRIDES_PER_WINDOW = 10
ROUNDS = 20
STRIDES_IN_ALL = STRIDES_PER_WINDOW + ROUNDS - 1
BYTES_PER_PIXEL = 4  # red, green, blue and the mask's class id


class Window(NamedTuple):
    """Rows start to stop - 1 of the index, trained on in one round."""

    round: int
    start: int
    stop: int


def sliding_windows(n_images: int, size: int, stride: int, tail: bool = False) -> list[Window]:
    """The windows of `size` images whose start moves on by `stride`, as a list of `Window`.

    2,913 images, size 1,000 and stride 100 give the article's 20 windows, 0-1000 to 1900-2900.
    It leaves out the 13 images after the last whole step; `tail=True` adds one more window, a
    shorter one, that holds them. Raises ValueError for a window larger than the data.

    Notebook 02, "The article's windows".
    """
    for name, value in (("n_images", n_images), ("size", size), ("stride", stride)):
        if value < 1:
            raise ValueError(f"{name} must be 1 or more, got {value}.")
    if size > n_images:
        raise ValueError(
            f"A window of {size} images does not fit into {n_images}. Choose a smaller window."
        )
    starts = list(range(0, n_images - size + 1, stride))
    # Nothing may be left over, and a stride larger than the window may step over what is.
    if tail and starts[-1] + size < n_images and starts[-1] + stride < n_images:
        starts.append(starts[-1] + stride)
    return [Window(i, start, min(start + size, n_images)) for i, start in enumerate(starts)]


def times_seen(n_images: int, windows) -> np.ndarray:
    """How many of the windows hold each image, int (n_images,).

    Notebook 02, "The article's windows".
    """
    counts = np.zeros(n_images, int)
    for window in windows:
        counts[window.start : window.stop] += 1
    return counts


class Place(NamedTuple):
    """Where a step stands: its round, the pass over that round's window, the batch of that pass."""

    round: int
    pass_: int
    batch: int


@dataclass(frozen=True)
class Geometry:
    """Windows of `window` rows that move on by `stride` over `n_images` rows of an index.

    Each round trains `passes` times on one window, in batches of `batch_size` rows (the last batch
    of a pass may be short). `size` is the (height, width) in pixels at which the window stores its
    images. With `shuffle` every pass has an order of its own, drawn from (seed, round, pass)
    alone; without, rows come in the order of the list. With `tail` one more window, a shorter one,
    holds the rows that are left over. Raises ValueError for numbers that make no windows.

    Notebook 02, "The ring buffer".
    """

    n_images: int
    window: int
    stride: int
    size: tuple[int, int]
    batch_size: int = 32
    passes: int = 5
    seed: int = 0
    shuffle: bool = True
    tail: bool = False

    def __post_init__(self):
        object.__setattr__(self, "size", _checked_size(self.size))
        for name in ("n_images", "batch_size", "window", "stride", "passes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}.")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}.")
        if self.window > self.n_images:
            raise ValueError(
                f"A window of {self.window} images does not fit into {self.n_images}. Choose a "
                "smaller window."
            )

    @classmethod
    def article(cls) -> "Geometry":
        """The article's own: 2,913 images of VOC 2012 at 224×224, 20 rounds."""
        return cls(n_images=2913, window=1000, stride=100, size=(224, 224))

    @classmethod
    def scaled(cls, n_images, size, batch_size=32, passes=5, seed=0, max_stride=None) -> "Geometry":
        """The article's proportions for another number of images.

        The stride is a 29th of the images, `max_stride` at most; the window is ten strides. There
        are 20 rounds, or more where the stride leaves images over. Raises ValueError for fewer than
        29 images.
        """
        stride = n_images // STRIDES_IN_ALL
        if stride < 1:
            raise ValueError(
                f"{n_images} images are too few: {ROUNDS} rounds need at least {STRIDES_IN_ALL}."
            )
        if max_stride is not None:
            if max_stride < 1:
                raise ValueError(f"max_stride must be 1 or more, got {max_stride}.")
            stride = min(stride, max_stride)
        window = STRIDES_PER_WINDOW * stride
        return cls(n_images, window, stride, size, batch_size, passes, seed)

    @classmethod
    def within(cls, budget, n_images, size, batch_size=32, passes=5, seed=0) -> "Geometry":
        """The article's proportions, made smaller where `budget` asks for it.

        `budget` is text such as "512 MiB", or bytes; window and staging buffer fit into it. However
        large it is, a window is ten strides and a stride a 29th of the list at most: who has room
        for everything takes `one_window`.
        Raises ValueError, naming the smallest budget, where not even a stride of one image does.
        """
        height, width = _checked_size(size)
        row = BYTES_PER_PIXEL * height * width
        max_stride = parse_bytes(budget) // (row * (STRIDES_PER_WINDOW + 1))
        if max_stride < 1:
            smallest = row * (STRIDES_PER_WINDOW + 1)
            raise ValueError(
                f"A budget of {budget} is too small for images of {height}×{width}: a window of "
                f"{STRIDES_PER_WINDOW} and a stride of 1 take {format_bytes(smallest)}, "
                f"{smallest} bytes."
            )
        return cls.scaled(n_images, size, batch_size, passes, seed, max_stride)

    @classmethod
    def one_window(
        cls, n_images, size, batch_size=32, passes=1, seed=0, shuffle=False
    ) -> "Geometry":
        """All images in one window, in order unless `shuffle`; there is no staging buffer."""
        return cls(n_images, n_images, n_images, size, batch_size, passes, seed, shuffle)

    @classmethod
    def stream(cls, n_images, size, batch_size=32, seed=0) -> "Geometry":
        """Windows of one batch, in order, each for one pass; the last one may be shorter."""
        batch_size = min(batch_size, n_images)
        one = {"window": batch_size, "stride": batch_size, "batch_size": batch_size, "passes": 1}
        return cls(n_images, size=size, seed=seed, shuffle=False, tail=True, **one)

    @property
    def windows(self) -> list[Window]:
        """The window of each round."""
        return sliding_windows(self.n_images, self.window, self.stride, self.tail)

    @property
    def n_rounds(self) -> int:
        """Number of windows."""
        whole = (self.n_images - self.window) // self.stride + 1
        shorter_one = self._after(whole) > 0 and whole * self.stride < self.n_images
        return whole + (self.tail and shorter_one)

    @property
    def left_over(self) -> int:
        """Number of rows after the last window, which no round trains on (the article's 13)."""
        return max(0, self._after(self.n_rounds))

    def _after(self, n_rounds: int) -> int:
        """Rows that lie after the first `n_rounds` windows."""
        return self.n_images - (n_rounds - 1) * self.stride - self.window

    @property
    def steps_per_pass(self) -> int:
        """Batches of one pass over a whole window."""
        return -(-self.window // self.batch_size)

    @property
    def steps_per_round(self) -> int:
        """Batches of all passes over a whole window."""
        return self.passes * self.steps_per_pass

    @property
    def n_steps(self) -> int:
        """Batches of all rounds; a shorter last window has fewer."""
        last = self.n_rounds - 1
        return last * self.steps_per_round + self.passes * self._batches(last)

    @property
    def nbytes(self) -> int:
        """Bytes of the images and masks in memory: one window, and the staging buffer beside it."""
        staged = min(self.stride, self.window) if self.n_rounds > 1 else 0
        height, width = self.size
        return (self.window + staged) * height * width * BYTES_PER_PIXEL

    def place(self, step: int) -> Place:
        """(round, pass, batch) of a step. Raises IndexError for a step that there is not."""
        if not 0 <= step < self.n_steps:
            raise IndexError(f"There is no step {step}: the steps are 0 to {self.n_steps - 1}.")
        round_, step = divmod(step, self.steps_per_round)
        return Place(round_, *divmod(step, self._batches(round_)))

    def rows(self, round_: int) -> np.ndarray:
        """The index rows of one round's window, int, in the order of the list."""
        if not 0 <= round_ < self.n_rounds:
            raise IndexError(
                f"There is no round {round_}: the rounds are 0 to {self.n_rounds - 1}."
            )
        start = round_ * self.stride
        return np.arange(start, min(start + self.window, self.n_images))

    def order(self, round_: int, pass_: int) -> np.ndarray:
        """The same rows in the order in which one pass trains on them."""
        rows = self.rows(round_)
        if not 0 <= pass_ < self.passes:
            raise IndexError(f"There is no pass {pass_}: the passes are 0 to {self.passes - 1}.")
        if not self.shuffle:
            return rows
        rng = np.random.default_rng(self.seeds(round_, pass_))
        return rows[0] + rng.permutation(len(rows))

    def seeds(self, round_: int, pass_: int) -> tuple[int, int, int]:
        """What seeds the order of a pass: seed, round, and the pass counted over all rounds."""
        return self.seed, round_, round_ * self.passes + pass_

    def batch(self, step: int) -> np.ndarray:
        """The index rows of one step, int (batch_size,) or fewer, in training order."""
        round_, pass_, batch = self.place(step)
        first = batch * self.batch_size
        return self.order(round_, pass_)[first : first + self.batch_size]

    def _batches(self, round_: int) -> int:
        """Batches of one pass over this round's window."""
        n_rows = min(self.window, self.n_images - round_ * self.stride)
        return -(-n_rows // self.batch_size)


def _checked_size(size):
    """(height, width) as a tuple; ValueError for anything else."""
    try:
        height, width = size
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise ValueError(f"size must be (height, width) in pixels, got {size}.")
    return height, width
