"""Every problem of a data set at once, before a training finds them one by one.

Every file is opened and decoded. What an index or a training would say of the first bad file, this
says of all of them.
"""

from collections import defaultdict
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .classes import VOC_CLASSES, VOID
from .folder import classes_of, is_own, left_out_of
from .index import is_image, read_list
from .layouts import index_data
from .read import in_threads, read_image, read_mask
from .survey import highest_number, look_numbered, refuse_two_readings

SHOWN = 5  # of each kind of problem, in the text


class Problem(NamedTuple):
    """`text` says what is wrong and what to do; `id` is the image that can be left out, or ""."""

    kind: str
    text: str
    id: str = ""


@dataclass(frozen=True)
class Report:
    """What `check_data` has found in the folder `root`: `counts` by name, and all `problems`."""

    root: Path
    counts: dict[str, int]
    problems: list[Problem]

    def __str__(self) -> str:
        counts = ", ".join(f"{number:,} {name}" for name, number in self.counts.items())
        lines = [f"{self.root}: {counts}."]
        by_kind = defaultdict(list)
        for problem in self.problems:
            by_kind[problem.kind].append(problem.text)
        for kind, texts in by_kind.items():
            lines += [f"\n{kind} ({len(texts):,})", *(f"  {text}" for text in texts[:SHOWN])]
            if len(texts) > SHOWN:
                lines.append(f"  … and {len(texts) - SHOWN:,} more")
        return "\n".join([*lines, "" if by_kind else "No problem was found."])

    def to_dict(self) -> dict:
        """The same for a JSON file."""
        problems = [problem._asdict() for problem in self.problems]
        return {"root": str(self.root), "counts": self.counts, "problems": problems}

    @property
    def ids(self) -> list[str]:
        """The images that cannot be used as they are, in the order of the alphabet."""
        return sorted({problem.id for problem in self.problems if problem.id})


class _Files(NamedTuple):
    """What is there by its id: image and mask files, and the list an image is on, if any."""

    images: dict[str, Path]
    masks: dict[str, Path]
    lists: dict[str, str]


def check_data(root, cache, threads=None) -> Report:
    """Look at every file of a data set in one of the layouts of `index_data`.

    Found are: images without a mask and masks without an image, names that differ in upper and
    lower case only, files that cannot be decoded or are none of ours, a mask of another size than
    its image, labels and colours that no class has, masks that are void all over, values with two
    readings, the same image twice by its pixels (in training and hold-out it is a leak), and what
    else `index_data` refuses. `cache` is as there; `threads` None takes all cores, at most eight.
    """
    root = Path(root)
    pairs, sides, opening = _opened(root, cache)
    files, of_names = _files_of(root, pairs)
    files = _without(files, left_out_of(root)[0])
    problems = of_names + _names(files)
    found = _look_at_all(root, files, threads)
    problems += [problem for one in found.values() for problem in one.problems]
    problems += _twice(found, files.lists | sides)
    # What keeps the set from being opened is often one of the others, in the same words.
    said = {problem.text for problem in problems}
    problems = [problem for problem in opening if problem.text not in said] + problems
    counts = {"images": len(files.images), "masks": len(files.masks), "problems": len(problems)}
    return Report(root, counts, problems)


def _opened(root, cache):
    """All pairs, {id: "train" or "val"}, and the problem of a data set that cannot be opened."""
    try:
        train, holdout, _ = index_data(root, cache)
    except (OSError, ValueError) as error:
        return [], {}, [Problem("cannot be opened as a data set", str(error))]
    sides = {pair.id: "train" for pair in train} | {pair.id: "val" for pair in holdout}
    return [*train, *holdout], sides, []


def _files_of(root, pairs):
    """The files of any layout, and the problems that their names alone show."""
    if is_own(root):
        images, one = _files_by_stem(root / "images")
        masks, other = _files_by_stem(root / "masks")
        return _Files(images, masks, {}), one + other
    if (root / "JPEGImages").is_dir():
        return _voc_files(root), []
    # In the other layouts, one file's name follows from the other's.
    images, masks = ({pair.id: getattr(pair, name) for pair in pairs} for name in ("image", "mask"))
    return _Files(images, masks, {}), []


def _files_by_stem(folder):
    files, problems = {}, []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if not is_image(path.name):
            text = (
                f"{path} is no image by its suffix. Save it as JPEG or PNG if it is one, or move "
                "it elsewhere."
            )
            problems.append(Problem("foreign file", text))
        elif path.stem in files:
            text = f"{path} and {files[path.stem]} have the same stem. Rename or remove one."
            problems.append(Problem("same stem", text, path.stem))
        else:
            files[path.stem] = path
    return files, problems


def _voc_files(root):
    lists = {}
    for split in ("train", "val"):
        for stem in read_list(root / "ImageSets" / "Segmentation", split):
            lists.setdefault(stem, split)
    images = {stem: root / "JPEGImages" / f"{stem}.jpg" for stem in lists}
    masks = {stem: root / "SegmentationClass" / f"{stem}.png" for stem in lists}
    there = ({stem: path for stem, path in paths.items() if path.is_file()}
             for paths in (images, masks))  # fmt: skip
    return _Files(*there, lists)


def _without(files, names):
    kept = ({key: value for key, value in one.items() if key not in names} for one in files)
    return _Files(*kept)


def _names(files):
    """Missing and extra files, and names that differ in case only."""
    problems = []
    for name in sorted({*files.images, *files.lists} - {*files.masks}):
        where = files.images.get(name, name)
        text = f"{where} has no mask. Add it, or leave the image out."
        problems.append(Problem("no mask", text, name))
    for name in sorted({*files.masks, *files.lists} - {*files.images}):
        where = files.masks.get(name, name)
        text = f"{where} has no image. Add it, or move the mask elsewhere."
        problems.append(Problem("no image", text, name))
    by_lower = defaultdict(set)
    for name in {*files.images, *files.masks}:
        by_lower[name.lower()].add(name)
    for names in by_lower.values():
        if len(names) > 1:
            text = (
                f"{' and '.join(sorted(names))} differ in upper and lower case only: on some "
                "systems that is one name. Rename them."
            )
            problems.append(Problem("names", text))
    return problems


class _Found(NamedTuple):
    """Of one image: a digest of its pixels, None if they cannot be read; values; problems."""

    digest: bytes | None
    values: np.ndarray | None
    problems: list[Problem]


def _look_at_all(root, files, threads):
    """{id: _Found} of all images that have a mask; two readings come with the first."""
    classes = classes_of(root)
    names, ids_of = classes.names, classes.ids_of
    if names is None and (root / "JPEGImages").is_dir():
        names = VOC_CLASSES
    n_classes = len(names) if names else None

    def look_at(name):
        return _look_at(name, files, n_classes, classes.palette, ids_of)

    both = sorted({*files.images} & {*files.masks})
    looks = in_threads(look_at, both, threads, bar="looking at all files")
    found = dict(zip(both, looks, strict=True))
    stored = [one.values for one in found.values() if one.values is not None]
    if stored and classes.values is None:
        every = np.unique(np.concatenate(stored)).tolist()
        masks = next(iter(files.masks.values())).parent
        numbered = look_numbered([highest_number(one) for one in stored])
        try:
            refuse_two_readings(every, n_classes, masks, root / "classes.csv", numbered)
        except ValueError as error:
            first = found[both[0]]
            problem = Problem("values with two readings", str(error))
            found[both[0]] = first._replace(problems=[problem, *first.problems])
    return found


def _look_at(name, files, n_classes, palette, ids_of):
    digest, size, values, problems = None, None, None, []
    try:
        pixels = read_image(files.images[name])
        digest, size = blake2b(pixels.tobytes(), digest_size=16).digest(), pixels.shape[:2]
    except (OSError, ValueError) as error:
        problems.append(Problem("unreadable image", str(error), name))
    path = files.masks[name]
    try:
        ids = ids_of(path) if ids_of else read_mask(path, None, n_classes, palette)
    except OSError as error:
        problems.append(Problem("unreadable mask", str(error), name))
        return _Found(digest, values, problems)
    except ValueError as error:
        problems.append(Problem("unknown labels", str(error), name))
        return _Found(digest, values, problems)
    if ids_of is None and palette is None:
        values = np.unique(ids)
    if size is not None and ids.shape != size:
        text = (
            f"{path} is {ids.shape[0]}x{ids.shape[1]}, its image {files.images[name].name} is "
            f"{size[0]}x{size[1]} (height x width). Give both the same size."
        )
        problems.append(Problem("sizes", text, name))
    if (ids == VOID).all():
        text = f"{path} is void all over: nothing can be learnt from it. Leave the image out."
        problems.append(Problem("void all over", text, name))
    return _Found(digest, values, problems)


def _twice(found, sides):
    """Images that have the same pixels as another one."""
    names_of = defaultdict(list)
    for name, one in found.items():
        if one.digest is not None:
            names_of[one.digest].append(name)
    problems = []
    for names in names_of.values():
        first, *others = names
        for other in others:
            on = sides.get(first), sides.get(other)
            leak = None not in on and len(set(on)) > 1
            text = f"{first} and {other} are the same image. " + (
                "One is for training and one is held out: a leak. Keep one of them."
                if leak
                else "Keep one of them."
            )
            problems.append(Problem("a leak" if leak else "the same image", text, other))
    return problems
