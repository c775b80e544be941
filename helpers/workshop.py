"""What every notebook opens with: the settings, the data set they name, and the scaled geometry."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.data import DataSet, Index, index_data, index_voc
from helpers.data.shapes import draw_set
from helpers.settings import BUILD, PROJECT, Settings, load_settings
from helpers.units import MIB
from helpers.windows.geometry import STRIDES_IN_ALL, Geometry
from helpers.windows.shares import geometry_of_share, rows_of_share

HOLDOUT_BYTES = 64 * MIB
KEPT = PROJECT / "notebooks" / "networks"  # written by tools/keep_networks.py


@dataclass(frozen=True)
class Workshop:
    """The data and the numbers of one run.

    `train` is what the windows hold in turn; `holdout` is never loaded by any window. Both are
    indexes: lists of paths, nothing decoded. `geometry` cuts `train` into windows.
    """

    settings: Settings
    train: Index
    holdout: Index
    geometry: Geometry  # its size is that of the images in a window, `size` the network's
    notes: tuple[str, ...] = ()  # what was decided about a folder of yours by no file in it

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels of what the network sees, and of the hold-out."""
        return self.settings.size

    @property
    def memory_budget(self) -> str:
        return self.settings.memory_budget

    @property
    def folder(self) -> Path:
        """Where this run's models and history go; other data, backbone or weights go elsewhere."""
        settings = self.settings
        asked_for = f"{settings.data} {settings.backbone} {settings.weights} {settings.network}"
        digest = hashlib.sha256(asked_for.encode()).hexdigest()[:8]
        return (
            BUILD
            / "training"
            / f"{settings.profile}-{settings.source}-{settings.backbone}-{digest}"
        )

    @property
    def kept_networks(self) -> Path | None:
        """The folder of the trained networks that come with the tutorial.

        None where they are of no use: they know the drawn set's classes, at the workshop's size.
        """
        settings = self.settings
        asked_for = (settings.profile, settings.source, settings.backbone)
        return KEPT if asked_for == ("workshop", "shapes", "small") else None

    @property
    def augment(self):
        """What `SlidingSubset(..., augment=)` is given: half of the images are mirrored.

        For a head on a pre-trained backbone it cuts random crops of the network's size as well.
        """
        from helpers.windows import flip_horizontally, random_crops

        return random_crops(self.size) if self.settings.network == "head" else flip_horizontally

    def with_fcn(self) -> "Workshop":
        """The same data for the FCN: claims and race keep one recipe, whatever the settings say."""
        settings = self.settings.with_fcn()
        geometry = replace(self.geometry, size=settings.stored, batch_size=settings.batch_size)
        return replace(self, settings=settings, geometry=geometry)

    def share(self, process: int, n_processes: int) -> "Workshop":
        """What one of several processes trains on, and scores: its share of both lists.

        The hold-out is shared to the last image, so the shares of it may differ by one. Raises
        ValueError where there are more processes than images in a window or in the hold-out.

        Notebook 09, "Every process its share".
        """
        share = replace(
            self,
            train=self.train[rows_of_share(len(self.train), process, n_processes)],
            holdout=self.holdout[process::n_processes],
            geometry=geometry_of_share(self.geometry, process, n_processes),
        )
        if len(self.holdout) < n_processes:
            raise ValueError(
                f"A hold-out of {len(self.holdout)} images cannot be scored by {n_processes} "
                "processes: take fewer processes, or a larger hold-out."
            )
        return share

    def network(self, *, seed=None, stride=None, size=None, n_steps=None):
        """The network of these settings, compiled: a `keras.Model`.

        FCN-8s, or a head on a frozen backbone where pre-trained weights are given. `seed` decides
        its first weights (None: the settings' own). `stride` 8, 16 or 32 asks for an FCN and is the
        s of FCN-8s, `size` is the (height, width) of its images (None: the workshop's). The
        learning-rate schedule falls along a cosine from the settings' rate over `n_steps`
        (None: all steps of the geometry).

        Notebook 03, "Where the rest of the memory goes".
        """
        # Only here: what needs no network should not load Keras.
        import keras

        from helpers.network import build_fcn, build_head, compile_fcn, compile_head

        n_classes, size = self.train.n_classes, size or self.size
        seed = self.settings.seed if seed is None else seed
        steps = self.geometry.n_steps if n_steps is None else n_steps
        if stride is None and self.settings.network == "head":
            model = build_head(n_classes, weights=self.settings.weights, size=size, seed=seed)
            return compile_head(model, steps, self.settings.learning_rate)
        model = build_fcn(
            n_classes,
            (*size, 3),
            stride=stride or 8,
            backbone=self.settings.backbone,
            weights=self.settings.weights,
            seed=seed,
        )
        schedule = keras.optimizers.schedules.CosineDecay(self.settings.learning_rate, steps)
        return compile_fcn(model, schedule)

    def holdout_data(self):
        """The hold-out as a finite `SlidingSubset`, in order: for `validation_data` and scoring.

        Decoded once up to 64 MiB; a larger one is a stream, read again for every score.

        Notebook 03, "Train, 20 rounds, one window in memory".
        """
        return finite_data(self.holdout, self.size, self.geometry.batch_size)

    def __str__(self) -> str:
        (height, width), (kept_height, kept_width) = self.size, self.geometry.size
        geometry, kept = self.geometry, ""
        if geometry.size != self.size:
            kept = f"kept as {kept_height}×{kept_width}, "
        about = (
            f"Profile {self.settings.profile!r} on {self.settings.source!r}: "
            f"{len(self.train):,} training images, {len(self.holdout):,} held out, "
            f"{self.train.n_classes} classes.\n"
            f"{geometry.n_rounds} rounds; window of {geometry.window:,} images, stride "
            f"{geometry.stride:,}; {geometry.passes} passes a round, batches of "
            f"{geometry.batch_size}; images {kept}read as {height}×{width}."
        )
        return "\n".join([about, *self.notes])


def finite_data(index: Index, size: tuple[int, int], batch_size: int):
    """An index as a finite `SlidingSubset`, in order: one window up to 64 MiB, else a stream."""
    # Only here: what needs no network should not load Keras.
    from helpers.windows import SlidingSubset

    geometry = Geometry.one_window(len(index), size, batch_size)
    if geometry.nbytes > HOLDOUT_BYTES:
        geometry = Geometry.stream(len(index), size, batch_size)
    return SlidingSubset(index, geometry, finite=True)


def open_workshop(settings: Settings | None = None) -> Workshop:
    """Index the data that the settings name (the drawn set is drawn if it is not there yet).

    The article's geometry is scaled to the images that are there: 20 rounds need 29 strides, so
    the stride is at most a 29th of the training list. Images are shuffled once, by path, before
    they are cut into windows, so that a list sorted by class or by date does no harm. Those after
    the last window are left out, like the article's last 13.

    Raises FileNotFoundError if the data is missing (naming the command that brings it) and
    ValueError if there are too few images for 20 rounds, or one that is in both lists.

    Notebook 01, "1 · Run out of memory, safely".
    """
    settings = settings or load_settings()
    _prepare(settings)
    train, holdout, notes = _index(settings)
    if both := {pair.id for pair in train} & {pair.id for pair in holdout}:
        raise ValueError(
            f"{min(both)} is in train.txt and in val.txt of {settings.data}: an image that is "
            "trained on cannot be held out. Take it from one of the lists."
        )
    try:
        scaled = Geometry.scaled(len(train), settings.stored, max_stride=settings.stride)
    except ValueError as error:
        raise ValueError(
            f"{settings.data}: {error} Add images for training, or cut large ones into tiles "
            "(notebook 8)."
        ) from None
    train = train[: STRIDES_IN_ALL * scaled.stride]
    geometry = Geometry.scaled(len(train), settings.stored, settings.batch_size, seed=settings.seed)
    return Workshop(settings, train, holdout[: settings.n_holdout], geometry, tuple(notes))


def _index(settings: Settings) -> DataSet:
    """The two lists, shuffled. Only a folder of somebody's own has to be looked at first."""
    if settings.source == "custom":
        data = index_data(settings.data, BUILD / "data", settings.seed)
    else:
        data = DataSet(*(index_voc(settings.data, split) for split in ("train", "val")), [])
    train, holdout = (index.shuffled(settings.seed) for index in (data.train, data.holdout))
    return DataSet(train, holdout, data.notes)


def _prepare(settings: Settings) -> None:
    if settings.source == "shapes":
        draw_set(settings.data)
    elif settings.source == "voc2012" and not settings.data.exists():
        folder = settings.data.relative_to(PROJECT)
        raise FileNotFoundError(
            f"The 'full' profile reads Pascal VOC 2012 from {folder}, which is not there. Run "
            "`make voc` to download it, or set TUTORIAL_DATA to a VOC2012 folder that you have."
        )
