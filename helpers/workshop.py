"""What every notebook opens with: the settings, the data set they name, and the scaled geometry."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from helpers import shapes
from helpers.dataset import Index, index_voc
from helpers.settings import (
    BUILD,
    EPOCHS_PER_ROUND,
    N_ROUNDS,
    PROJECT,
    STRIDES_IN_ALL,
    STRIDES_PER_WINDOW,
    Settings,
    load_settings,
)


@dataclass(frozen=True)
class Workshop:
    """The data and the numbers of one run.

    `train` is what the windows hold in turn, 29 strides; `holdout` is never loaded by any window.
    Both are indexes: lists of paths, nothing decoded. `size` is (height, width) in pixels. Every
    other number is a count of images, rounds or epochs.
    """

    settings: Settings
    train: Index
    holdout: Index
    stride: int
    window: int
    n_rounds: int = N_ROUNDS
    epochs_per_round: int = EPOCHS_PER_ROUND

    @property
    def size(self) -> tuple[int, int]:
        return self.settings.size

    @property
    def batch_size(self) -> int:
        return self.settings.batch_size

    @property
    def seed(self) -> int:
        return self.settings.seed

    @property
    def geometry(self) -> dict:
        """What a `SlidingSubset` is told: `SlidingSubset(index, **workshop.geometry)`."""
        return {
            "window": self.window,
            "stride": self.stride,
            "size": self.size,
            "batch_size": self.batch_size,
            "epochs_per_round": self.epochs_per_round,
            "seed": self.seed,
        }

    @property
    def memory_budget(self) -> str:
        return self.settings.memory_budget

    @property
    def folder(self) -> Path:
        """Where this run's models and history go; other data, body or weights go elsewhere."""
        settings = self.settings
        asked_for = f"{settings.data} {settings.body} {settings.weights}"
        digest = hashlib.sha256(asked_for.encode()).hexdigest()[:8]
        return BUILD / "training" / f"{settings.profile}-{settings.source}-{settings.body}-{digest}"

    def __str__(self) -> str:
        height, width = self.size
        return (
            f"Profile {self.settings.profile!r} on {self.settings.source!r}: "
            f"{len(self.train):,} training images, {len(self.holdout):,} held out, "
            f"{self.train.n_classes} classes.\n"
            f"{self.n_rounds} rounds; window of {self.window:,} images, stride {self.stride:,}; "
            f"{self.epochs_per_round} epochs a round, batches of {self.batch_size}; "
            f"images read as {height}×{width}."
        )


def open_workshop(settings: Settings | None = None) -> Workshop:
    """Index the data that the settings name (the drawn set is drawn if it is not there yet).

    The article's geometry is scaled to the images that are there: 20 rounds need 29 strides, so
    the stride is at most a 29th of the training list. Images are shuffled once, by path, before
    they are cut into windows, so that a list sorted by class or by date does no harm. Those after
    the last window are left out, like the article's last 13.

    Raises FileNotFoundError if the data is missing (naming the command that brings it) and
    ValueError if there are too few images for 20 rounds, or one that is in both lists.
    """
    settings = settings or load_settings()
    _prepare(settings)
    train = index_voc(settings.data, "train").shuffled(settings.seed)
    holdout = index_voc(settings.data, "val").shuffled(settings.seed)
    if both := {pair.id for pair in train} & {pair.id for pair in holdout}:
        raise ValueError(
            f"{min(both)} is in train.txt and in val.txt of {settings.data}: an image that is "
            "trained on cannot be held out. Take it from one of the lists."
        )
    stride = min(settings.stride, len(train) // STRIDES_IN_ALL)
    if stride < 1:
        raise ValueError(
            f"{settings.data} lists {len(train)} training images; {N_ROUNDS} rounds need at "
            f"least {STRIDES_IN_ALL}. Add images to ImageSets/Segmentation/train.txt."
        )
    return Workshop(
        settings=settings,
        train=train[: stride * STRIDES_IN_ALL],
        holdout=holdout[: settings.n_holdout],
        stride=stride,
        window=stride * STRIDES_PER_WINDOW,
    )


def _prepare(settings: Settings) -> None:
    if settings.source == "shapes":
        shapes.draw_set(settings.data)
    elif settings.source == "voc2012" and not settings.data.exists():
        folder = settings.data.relative_to(PROJECT)
        raise FileNotFoundError(
            f"The 'full' profile reads Pascal VOC 2012 from {folder}, which is not there. Run "
            "`make voc` to download it, or set TUTORIAL_DATA to a VOC2012 folder that you have."
        )
