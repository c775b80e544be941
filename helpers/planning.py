"""Bytes, windows and minutes of a training, before anything is trained.

Bytes follow from the index and from the geometry. What they cannot tell, the speed of this machine
and the memory of the network, a probe of a few steps measures in a process of its own.
"""

import time
from dataclasses import dataclass

import numpy as np
from PIL import Image

from helpers.data import Index, read_block
from helpers.memory import measure_peak
from helpers.units import format_bytes, parse_bytes
from helpers.windows import Geometry
from helpers.windows.geometry import BYTES_PER_PIXEL
from helpers.workshop import Workshop

N_SAMPLED = 100
N_DECODED = 64
WARM_STEPS, TIMED_STEPS = 5, 20
# Images with a mask's byte beside each pixel: number, height, width (a usual one where they
# differ), as their own pages give them.
KNOWN = {
    "MNIST (training)": (60_000, 28, 28),
    "Pascal VOC 2012": (2_913, 375, 500),
    "Cityscapes (fine)": (5_000, 1024, 2048),
    "COCO (train2017)": (118_287, 480, 640),
}


@dataclass(frozen=True)
class Sizes:
    """Bytes of a data set: in its files, and as arrays of images and masks.

    `sample` files were looked at; `native` is at their own size, `stored` at `size`.
    """

    n_images: int
    on_disk: int
    native: int
    stored: int

    @classmethod
    def of(cls, index: Index, size: tuple[int, int], seed: int = 0) -> "Sizes":
        """Estimated from `N_SAMPLED` pairs, drawn by `seed`; only their headers are read."""
        n = len(index)
        rows = np.random.default_rng(seed).permutation(n)[:N_SAMPLED]
        on_disk = native = 0
        for pair in index[rows]:
            on_disk += pair.image.stat().st_size + pair.mask.stat().st_size
            with Image.open(pair.image) as image:
                native += image.width * image.height * BYTES_PER_PIXEL
        height, width = size
        share = n / len(rows)
        return cls(
            n, round(on_disk * share), round(native * share), n * height * width * BYTES_PER_PIXEL
        )


@dataclass(frozen=True)
class Speeds:
    """What the probe has measured: seconds for a step, for decoding one image, and bytes beside
    the window: libraries, network, optimizer and one step of training."""

    step_s: float
    decode_s: float
    other_bytes: int


@dataclass(frozen=True)
class Plan:
    """A training under a budget. Seconds and bytes are predictions."""

    sizes: Sizes
    speeds: Speeds
    geometry: Geometry

    @property
    def peak_bytes(self) -> int:
        """Peak RSS of the process that trains."""
        return self.speeds.other_bytes + self.geometry.nbytes

    @property
    def decodes(self) -> int:
        """Images decoded in the whole training: each of those in a window once."""
        geometry = self.geometry
        return geometry.window + (geometry.n_rounds - 1) * geometry.stride

    @property
    def first_s(self) -> float:
        """Seconds until the first window is there."""
        return self.geometry.window * self.speeds.decode_s

    @property
    def round_s(self) -> float:
        """Seconds a round: its steps, and the next stride, which the same cores decode."""
        geometry, speeds = self.geometry, self.speeds
        return geometry.steps_per_round * speeds.step_s + geometry.stride * speeds.decode_s

    @property
    def all_s(self) -> float:
        """Seconds of the whole training, scores of a hold-out left out."""
        return self.first_s + self.geometry.n_rounds * self.round_s

    def __str__(self) -> str:
        sizes, geometry = self.sizes, self.geometry
        height, width = geometry.size
        return "\n".join([
            f"{sizes.n_images:,} pairs: about {format_bytes(sizes.on_disk)} on disk, "
            f"{format_bytes(sizes.native)} as arrays in their own size (uint8), "
            f"{format_bytes(sizes.stored)} at {height}×{width}.",
            f"A window of {geometry.window:,} images that moves on by {geometry.stride:,}: "
            f"{format_bytes(geometry.nbytes)} with its staging buffer. With libraries, network and "
            f"one step beside it about {format_bytes(self.peak_bytes)} at the peak.",
            f"{geometry.n_rounds:,} rounds of {geometry.steps_per_round:,} steps, "
            f"{geometry.passes} passes over each window; {self.decodes:,} images are decoded.",
            f"On this machine a step takes {1000 * self.speeds.step_s:.0f} ms and an image "
            f"{1000 * self.speeds.decode_s:.1f} ms to decode: {_time(self.first_s)} until the "
            f"first window, then {_time(self.round_s)} a round, {_time(self.all_s)} in all.",
        ])  # fmt: skip


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} minutes"


def plan_training(
    workshop: Workshop, budget: str | int, *, passes: int = 5, speeds: Speeds | None = None
) -> Plan:
    """The largest window of `workshop.train` that trains within `budget`, and what it takes.

    `budget` is for the whole process, text such as "2 GiB", or bytes. Images are stored at the size
    of the workshop's geometry and trained on in its batches, by its network. `speeds` None has
    them measured, which takes half a minute. Raises ValueError where no window fits.
    """
    speeds = speeds or measure_speeds(workshop)
    left = parse_bytes(budget) - speeds.other_bytes
    if left <= 0:
        raise ValueError(
            f"A budget of {format_bytes(parse_bytes(budget))} is too small: libraries, network and "
            f"one step alone take {format_bytes(speeds.other_bytes)}."
        )
    size, batch_size = workshop.geometry.size, workshop.geometry.batch_size
    seed = workshop.settings.seed
    geometry = Geometry.within(left, len(workshop.train), size, batch_size, passes, seed)
    return Plan(Sizes.of(workshop.train, size, seed), speeds, geometry)


def measure_speeds(workshop: Workshop) -> Speeds:
    """Decode a few images and train a few steps, in a fresh process."""
    found = measure_peak(probe, workshop, base_imports=("helpers.quiet",))
    step_s, decode_s, n_bytes = found.value
    return Speeds(step_s, decode_s, found.peak_bytes - n_bytes)


def probe(workshop: Workshop) -> list[float]:
    """What runs in that process: [seconds a step, seconds an image, bytes of its own arrays]."""
    index, size, batch_size = workshop.train, workshop.geometry.size, workshop.geometry.batch_size
    rng = np.random.default_rng(workshop.settings.seed)
    rows = rng.permutation(len(index))
    read_block(index, rows[:8], size)  # threads and codecs are there
    began = time.perf_counter()
    images, masks = read_block(index, rows[:N_DECODED], size)
    decode_s = (time.perf_counter() - began) / len(images)
    batch, augment = (images[:batch_size], masks[:batch_size]), workshop.augment
    model = workshop.network()
    for _ in range(WARM_STEPS):
        model.train_on_batch(*augment(*batch, rng))
    began = time.perf_counter()
    for _ in range(TIMED_STEPS):
        model.train_on_batch(*augment(*batch, rng))
    step_s = (time.perf_counter() - began) / TIMED_STEPS
    return [step_s, decode_s, images.nbytes + masks.nbytes]


def known_sets(budget: int, size: tuple[int, int]) -> list[tuple[str, int, int, int, int]]:
    """For each of `KNOWN`: name, images, bytes as uint8 at their own size and at `size`, and the
    images in the largest window for `budget` bytes."""
    rows = []
    for name, (n, height, width) in KNOWN.items():
        window = Geometry.within(budget, n, size).window
        stored = n * size[0] * size[1] * BYTES_PER_PIXEL
        rows.append((name, n, n * height * width * BYTES_PER_PIXEL, stored, window))
    return rows
