"""The index: which image belongs to which mask. Paths and class names only, nothing is decoded.

An index of a million pairs costs a few tens of megabytes, so it may stay in memory when the
images may not. This is the article's "list of image names".
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .classes import VOC_CLASSES, checked_classes, checked_palette, refuse_repeats
from .lists import lines_of, share_of_lines
from .read import read_pair

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)


class Pair(NamedTuple):
    """One image and its mask on disk."""

    id: str
    image: Path
    mask: Path


@dataclass(frozen=True, eq=False, repr=False)
class Index:
    """Pairs of paths, kept as file names; make one with `index_voc` or `index_folder`.

    `index[i]` is a `Pair`; `index[a:b]` and `index[rows]` are again an `Index` (rows may repeat).

    Notebook 08, "A tile is a row".
    """

    image_folder: Path
    mask_folder: Path
    class_names: tuple[str, ...]
    images: np.ndarray  # bytes (n,): file names in UTF-8, as long as the longest
    masks: np.ndarray  # bytes (n,)
    palette: np.ndarray  # uint8 (n_classes, 3): the classes' colours
    levels: tuple[int, int] | None = None  # black and white of grey images of more than 8 bits

    @classmethod
    def build(cls, image_folder, mask_folder, class_names, images, masks, palette=None):
        """An index from two lists (or iterators) of n file names, text; no file is looked up.

        `palette` is an integer array (n_classes, 3) of values 0 … 255, or None for VOC's colours.
        Raises ValueError for lists of different length, for fewer than 2, more than 255 or repeated
        class names, and for a palette of another shape, with values outside 0 … 255 or with a
        colour twice.
        """
        class_names = checked_classes(class_names)
        palette = checked_palette(palette, len(class_names))
        images, masks = (np.array([os.fsencode(n) for n in names]) for names in (images, masks))
        if len(images) != len(masks):
            raise ValueError(f"{len(images)} images and {len(masks)} masks do not make pairs.")
        for array in (images, masks, palette):
            array.flags.writeable = False
        return cls(Path(image_folder), Path(mask_folder), class_names, images, masks, palette)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, rows):
        if isinstance(rows, (int, np.integer)):
            image, mask = (os.fsdecode(bytes(names[rows])) for names in (self.images, self.masks))
            stem = os.path.splitext(image)[0]  # noqa: PTH122 (four times as fast as Path)
            return Pair(stem, self.image_folder / image, self.mask_folder / mask)
        if not isinstance(rows, slice):
            rows = np.asarray(rows) if len(rows) else np.zeros(0, int)
        images, masks = self.images[rows], self.masks[rows]
        images.flags.writeable = masks.flags.writeable = False
        return replace(self, images=images, masks=masks)

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    def __repr__(self):
        return (
            f"Index({len(self):,} pairs, {self.n_classes} classes, "
            f"images in {self.image_folder}, masks in {self.mask_folder})"
        )

    @property
    def n_classes(self):
        """Number of classes, background included, void not."""
        return len(self.class_names)

    @property
    def nbytes(self):
        """Bytes of the arrays (a slice shares them with the index it was cut from)."""
        return self.images.nbytes + self.masks.nbytes + self.palette.nbytes

    def __add__(self, other):
        """These pairs and then those of `other`, an index of the same two folders and classes."""
        mine, theirs = (
            (index.image_folder, index.mask_folder, index.class_names) for index in (self, other)
        )
        if mine != theirs:
            raise ValueError(f"{self!r} and {other!r} have other folders or other classes.")
        images, masks = (
            np.concatenate(pair)
            for pair in ((self.images, other.images), (self.masks, other.masks))
        )
        images.flags.writeable = masks.flags.writeable = False
        return replace(self, images=images, masks=masks)

    def read(self, row, size=None, native_mask=False):
        """(image uint8 (h, w, 3), mask uint8 (h, w)) of one row, an int; see `read_pair`."""
        return read_pair(self[row], size, self.n_classes, self.palette, native_mask, self.levels)

    def shuffled(self, seed):
        """The same pairs in an order that depends on `seed` alone: a shuffle of the whole data
        set that moves names, not images."""
        return self[np.random.default_rng(seed).permutation(len(self))]

    def reshuffled(self, length, seed):
        """An index of `length` pairs: all of these in one order, then all in another, and so on.

        Windows that slide over it sweep over the data again and again, in a new order each time.
        """
        rng, passes = np.random.default_rng(seed), -(-length // len(self))
        return self[np.concatenate([rng.permutation(len(self)) for _ in range(passes)])[:length]]


def index_voc(root, split="train", leave_out=(), share=None):
    """Index one split of a folder in the layout of Pascal VOC 2012 segmentation.

    `root` holds `JPEGImages`, `SegmentationClass` and `ImageSets/Segmentation/<split>.txt`. Class
    names come from `root/classes.txt` (one a line, background first) or are VOC's 21. The stems in
    `leave_out` are passed over. With `share` (process, n_processes) only every n-th line is kept in
    memory, see `share_of_lines`. Raises FileNotFoundError or ValueError naming the file at fault.
    Two folders are listed, no image is opened.

    Notebook 02, "Bigger than the budget".
    """
    root = _voc_root(Path(root))
    stems = read_list(root / "ImageSets" / "Segmentation", split, share)
    stems = [stem for stem in stems if stem not in leave_out]
    listing = root / "ImageSets" / "Segmentation" / f"{split}.txt"
    for folder, suffix in (("JPEGImages", ".jpg"), ("SegmentationClass", ".png")):
        missing = _without_file(stems, root / folder, suffix)
        if missing:
            raise FileNotFoundError(
                f"{root / folder / (missing[0] + suffix)} is missing ({len(missing):,} of the "
                f"{len(stems):,} files named in {listing} are). Add the files to {folder}, or "
                "take their lines out of the list."
            )
    classes = root / "classes.txt"
    names = lines_of(classes) if classes.is_file() else VOC_CLASSES
    # Made one by one: two lists of names would take more than all the rest.
    images, masks = (f"{stem}.jpg" for stem in stems), (f"{stem}.png" for stem in stems)
    return Index.build(root / "JPEGImages", root / "SegmentationClass", names, images, masks)


def index_folder(images, masks, classes, palette=None, leave_out=()):
    """Index two folders whose files match by stem: `images/a.jpg` and `masks/a.png`.

    `classes` lists the class names in the order of the mask ids, background first. `palette`,
    integers 0 … 255 of shape (n_classes, 3), turns the colours of RGB masks into ids (None: VOC's
    colours). Masks without an image are left out, and the stems in `leave_out`. Raises
    FileNotFoundError or ValueError naming the file or value at fault.

    Notebook 08, "A slide that is too large".
    """
    images, masks = Path(images), Path(masks)
    image_of, mask_of = _images_by_stem(images), _images_by_stem(masks)
    if not image_of:
        raise ValueError(f"{images} holds no images ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    stems = sorted({*image_of} - {*leave_out})
    missing = [stem for stem in stems if stem not in mask_of]
    if missing:
        raise FileNotFoundError(
            f"{images / image_of[missing[0]]} has no mask in {masks} "
            f"({len(missing):,} of {len(stems):,} images have none). A mask has the stem of its "
            f"image, here {missing[0]}.png: add it, or move the image elsewhere."
        )
    names = [image_of[stem] for stem in stems], [mask_of[stem] for stem in stems]
    return Index.build(images, masks, classes, *names, palette)


def _voc_root(root):
    """`root` if it is a VOC2012 folder; otherwise an error that says which folder to give."""
    if (root / "JPEGImages").is_dir() and (root / "SegmentationClass").is_dir():
        return root
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not a folder. Give the VOC2012 folder.")
    near = [root.parent, *root.glob("*/"), *root.glob("*/*/")]
    found = [folder for folder in near if (folder / "JPEGImages").is_dir()]
    hint = f" Give {found[0]} instead." if found else " Give the folder called VOC2012."
    raise FileNotFoundError(f"{root} has no JPEGImages and SegmentationClass inside it.{hint}")


def read_list(folder, split, share=None):
    """The stems named in `folder/<split>.txt`, a list of text, or one process's `share` of them.

    Raises FileNotFoundError naming the splits that there are; ValueError for a list without names
    or with one twice.
    """
    listing = folder / f"{split}.txt"
    if not listing.is_file():
        known = sorted(path.stem for path in folder.glob("*.txt")) if folder.is_dir() else []
        raise FileNotFoundError(
            f"{listing} does not exist, so there is no split {split!r}. "
            + (f"There are: {', '.join(known)}." if known else f"{folder} holds no lists at all.")
        )
    stems = lines_of(listing) if share is None else share_of_lines(listing, *share)[0]
    if not stems:
        raise ValueError(f"{listing} names no images. Write one file stem on each line.")
    refuse_repeats(stems, listing)
    return stems


def _without_file(stems, folder, suffix):
    """Those of `stems`, in their order, that have no file in `folder`."""
    # Crossed off one by one: to hold all the folder's names would double the peak of an index.
    missing = set(stems)
    for name in _file_names(folder):
        if name.endswith(suffix):
            missing.discard(name.removesuffix(suffix))
    return [stem for stem in stems if stem in missing]


def is_image(name):
    """Whether a file of this name is an image by its suffix, and not hidden."""
    suffix = os.path.splitext(name)[1]  # noqa: PTH122 (four times as fast as Path)
    return suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".")


def _file_names(folder):
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


def _images_by_stem(folder):
    """{stem: file name} of the images in a folder; two images with one stem are an error."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder.")
    name_of = {}
    for name in sorted(_file_names(folder)):
        if not is_image(name):
            continue
        stem = os.path.splitext(name)[0]  # noqa: PTH122 (four times as fast as Path)
        if stem in name_of:
            raise ValueError(
                f"{folder / name} and {folder / name_of[stem]} have the same stem, so one mask "
                "would belong to two images. Rename or remove one of them."
            )
        name_of[stem] = name
    return name_of
