"""A data set of one's own: two folders, `images` and `masks`, whose files match by stem."""

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .classes import VOID, checked_classes, checked_palette, refuse_repeats
from .index import Index, index_folder, read_list
from .lists import lines_of
from .rewrite import folder_for, ids_of_colours, lookup, rewrite_masks
from .survey import N_VALUES, refuse_two_readings, survey

HOLDOUT_SHARE = 0.2
LEFT_OUT = "leave_out.txt"  # what `make check-data` writes when it is asked to
COLOURS = ("r", "g", "b")
OF_VOID = "void"  # the name in classes.csv of what counts nowhere


def is_own(root: Path) -> bool:
    """Whether a folder holds `images` and `masks`."""
    return (root / "images").is_dir() and (root / "masks").is_dir()


def index_own(root, cache, seed=0) -> tuple[Index, Index, list[str]]:
    """(train, holdout, notes) of a folder with `images` and `masks`.

    **Classes.** `classes.csv` has a line for each, the background first, with the columns `name`
    and `value`, what the masks hold for it, or `name`, `r`, `g`, `b` for coloured masks. Several
    values with one name are one class, and a value may be a range, such as 1-65535. What has the
    name void is none.
    `classes.txt` has the names alone, and the masks hold 0, 1, 2, …. Without either the classes are
    the values found in the masks. 255 is void unless `classes.csv` has it.

    **Hold-out.** `val.txt` names it, a stem on each line; all others are for training, or those
    that `train.txt` names. Without it a fifth is drawn by `seed`, and with a `groups.csv`, columns
    `image` and `group`, whole groups of images that belong together: frames of one film, tiles of
    one slide, pictures of one patient.

    `notes` are sentences on what was chosen here and not by a file. `cache` is a folder for what is
    made once: masks of class ids where the values are others. Raises ValueError for masks whose
    values have two readings, with the file that answers the question, and for a group on both
    sides; FileNotFoundError for a file that is missing. An image that `leave_out.txt` names is
    passed over.
    """
    root = Path(root)
    # Which classes there are, the masks may have to say; until then two stand in.
    left_out, notes = left_out_of(root)
    index = index_folder(root / "images", root / "masks", ("0", "1"), leave_out=left_out)
    index, of_classes = with_classes(index, root, cache)
    train, holdout, of_split = _split(root, index, seed, left_out)
    return train, holdout, [*notes, *of_classes, *of_split]


def left_out_of(root) -> tuple[set[str], list[str]]:
    """The images that `leave_out.txt` names, and a sentence that says so; both may be empty."""
    if not (root / LEFT_OUT).is_file():
        return set(), []
    names = lines_of(root / LEFT_OUT)
    return {*names}, [f"{len(names):,} images are left out, those that {LEFT_OUT} names."]


def with_classes(index, root, cache, default=None) -> tuple[Index, list[str]]:
    """(the same pairs with their classes, notes), by the files in `root` as in `index_own`.

    `default` are the names of the classes where no file has any, as in VOC's layout.
    """
    notes = []
    classes = classes_of(root)
    names, values, palette = classes.names or default, classes.values, classes.palette
    found = survey(index, cache)
    coloured = found["values"] is None
    if coloured and palette is None and default is None:
        raise ValueError(
            f"The masks in {index.mask_folder} are coloured. Say which colour is which class in "
            f"{root / 'classes.csv'}: a first line name,r,g,b and a line for each class, the "
            "background first."
        )
    if values is None and not coloured:
        n_classes, answer = len(names) if names else None, root / "classes.csv"
        refuse_two_readings(
            found["values"], n_classes, index.mask_folder, answer, found["numbered"]
        )
    if names is None:
        names = _names_of(found["values"], root)
        notes.append(
            f"Classes are the values found in the masks, 0 to {len(names) - 1}; classes.txt would "
            "name them."
        )
    names = checked_classes(names)
    index = replace(index, class_names=names, palette=checked_palette(palette, len(names)))
    if found["levels"] is not None:
        black, white = found["levels"]
        index = replace(index, levels=(black, white))
        notes.append(f"Images of more than 8 bits are scaled: {black} is black, {white} white.")
    plain = values is not None and all(value == class_id for value, class_id in values.items())
    ids_of = None if plain else classes.ids_of
    if ids_of:
        about = (str(root), values, index.palette.tolist(), classes.voids.tolist())
        folder = folder_for(cache, "masks", about)
        index = rewrite_masks(index, folder, ids_of)
        notes.append(f"Masks were written anew as class ids, into {folder}.")
    return index, notes


class Classes(NamedTuple):
    """What the files of a folder say of its classes, None where they do not."""

    names: list[str] | None
    values: dict[int, int] | None  # what the masks hold -> class id, or 255 for void
    palette: np.ndarray | None  # colours of the classes, int (n, 3)
    voids: np.ndarray = np.zeros((0, 3), int)  # colours that are void

    @property
    def ids_of(self):
        """What makes class ids of the path of a mask, or None where nothing is to be looked up."""
        if self.values is not None:
            return lookup(self.values)
        return ids_of_colours(self.palette, self.voids) if len(self.voids) else None


def classes_of(root) -> Classes:
    """The classes by `classes.csv`, else by `classes.txt`, else unknown."""
    table = root / "classes.csv"
    if not table.is_file():
        listed = root / "classes.txt"
        return Classes(lines_of(listed) if listed.is_file() else None, None, None)
    rows = _rows(table, "name")
    names = [row["name"] for row in rows if row["name"].lower() != OF_VOID]
    if "value" in rows[0]:
        once = list(dict.fromkeys(names))
        ids = [once.index(row["name"]) if row["name"] in once else VOID for row in rows]
        ranges = [_range(row["value"], table) for row in rows]
        refuse_repeats([value for values in ranges for value in values], table)
        pairs = zip(ranges, ids, strict=True)
        return Classes(once, {value: class_id for values, class_id in pairs for value in values},
                       None)  # fmt: skip
    if set(COLOURS) <= set(rows[0]):
        colours = np.array([[_number(row[name], table, 256) for name in COLOURS] for row in rows])
        is_void = np.array([row["name"].lower() == OF_VOID for row in rows])
        return Classes(names, None, colours[~is_void], colours[is_void])
    raise ValueError(f"{table} has neither a column value nor the columns r, g and b.")


def _names_of(values, root):
    """Names of the classes that were found: background, class 1, class 2, and so on."""
    last = max((value for value in values if value != VOID), default=0)
    if last >= VOID:
        raise ValueError(
            f"The masks in {root / 'masks'} hold values up to {last}, more than there can be "
            f"classes. Do they number objects? Name the classes in {root / 'classes.csv'}, a first "
            f"line name,value and then, such as background,0 and object,1-{N_VALUES - 1}."
        )
    return ["background", *(f"class {value}" for value in range(1, max(last, 1) + 1))]


def _split(root, index, seed, left_out):
    """(train, holdout, notes)."""
    group_of = _groups(root, index)
    row_of = {pair.id: row for row, pair in enumerate(index)}
    if (root / "val.txt").is_file():
        held = _rows_of(root, "val", row_of, left_out)
        rest = np.setdiff1d(np.arange(len(index)), held)
        if (root / "train.txt").is_file():
            rest = _rows_of(root, "train", row_of, left_out)
        both = {*group_of[held].tolist()} & {*group_of[rest].tolist()}
        if both:
            raise ValueError(
                f"The group {min(both)!r} of {root / 'groups.csv'} has images in val.txt and among "
                "those for training: what is held out would be known. Move one group as a whole."
            )
        return index[rest], index[held], []
    groups, counts = np.unique(group_of, return_counts=True)
    if len(groups) < 2:
        raise ValueError(f"{root / 'groups.csv'} has one group: none can be held out.")
    sizes = dict(zip(groups, counts, strict=True))
    held_groups, lacking = set(), HOLDOUT_SHARE * len(index)
    for group in np.random.default_rng(seed).permutation(groups):
        if abs(lacking - sizes[group]) < lacking:  # nearer to a fifth with it than without
            held_groups.add(group)
            lacking -= sizes[group]
    held_groups = held_groups or {min(sizes, key=sizes.get)}
    is_held = np.isin(group_of, sorted(held_groups))
    grouped = len(groups) < len(index)
    what = f"{len(held_groups)} of {len(groups)} groups" if grouped else "images, one by one"
    note = f"The hold-out was drawn, {is_held.sum()} images ({what}); val.txt would choose it" + (
        "." if grouped else ", groups.csv would keep together what belongs together."
    )
    return index[np.flatnonzero(~is_held)], index[np.flatnonzero(is_held)], [note]


def _groups(root, index):
    """The group of each image, text (n,); without groups.csv each is its own."""
    ids = np.array([pair.id for pair in index])
    table = root / "groups.csv"
    if not table.is_file():
        return ids
    rows = _rows(table, "image", "group")
    group_of = {_stem(row["image"], ids): row["group"] for row in rows}
    if missing := [one for one in ids if one not in group_of]:
        raise ValueError(
            f"{table} says nothing of {missing[0]} ({len(missing):,} of {len(ids):,} images are "
            "not in it)."
        )
    return np.array([group_of[one] for one in ids])


def _rows_of(root, split, row_of, left_out):
    """The rows of the images that a list names, by stem or by file name."""
    listing = root / f"{split}.txt"
    found = {_stem(name, row_of) for name in read_list(root, split)} - left_out
    if missing := sorted(stem for stem in found if stem not in row_of):
        raise FileNotFoundError(
            f"{listing} names {missing[0]}, and there is no image of that stem "
            f"({len(missing):,} of {len(found):,} are missing)."
        )
    return np.array(sorted(row_of[stem] for stem in found))


def _stem(name, known):
    return name if name in known else Path(name).stem


def _rows(table, *columns):
    """The lines of a CSV file as dicts of lower-case headings; ValueError for a missing column."""
    # "utf-8-sig" also reads the mark that Windows editors put in front.
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = [
            {str(key).strip().lower(): (value or "").strip() for key, value in row.items()}
            for row in csv.DictReader(file)
        ]
    if not rows:
        raise ValueError(f"{table} has no lines below its headings.")
    if missing := [name for name in columns if name not in rows[0]]:
        raise ValueError(
            f"{table} has no column {missing[0]!r}; it has: {', '.join(rows[0])}. Its first line "
            "names the columns, with commas between them."
        )
    return rows


def _range(text, table):
    """The values that "7" or "1-65535" means."""
    first, _, last = re.sub(r"\s", "", text).partition("-")
    first = _number(first, table, N_VALUES)
    last = _number(last, table, N_VALUES) if last else first
    if last < first:
        raise ValueError(f"{table} has the range {text!r}, which ends before it begins.")
    return range(first, last + 1)


def _number(text, table, limit):
    if not text.isdecimal() or int(text) >= limit:
        raise ValueError(f"{table} has {text!r} where a number from 0 to {limit - 1} should be.")
    return int(text)
