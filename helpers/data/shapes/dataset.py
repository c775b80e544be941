"""Draws the offline data set: seven kinds of paper cut-outs, in Pascal VOC's own layout.

    JPEGImages/shapes_000000.jpg           the images, several sizes, some upright
    SegmentationClass/shapes_000000.png    class ids in a palette PNG, 255 = void, as in VOC
    ImageSets/Segmentation/train.txt       and val.txt, trainval.txt
    classes.txt                            one class name a line, background first
    settings.json                          how the set was made; marks the folder as ours

Every file is written under another name and then renamed, and the lists come last: a set that was
interrupted has no lists, and the next call completes it.
"""

import io
import json
import os
from pathlib import Path

from PIL import Image
from tqdm.auto import tqdm

from ...files import read_json, write_bytes, write_json
from ..rewrite import save_ids
from .compose import CLASS_NAMES, draw_pair

VERSION = 1  # raise it when the images change: sets drawn before are then refused
TINY = {"n_train": 60, "n_val": 20, "size": (120, 160)}
JPEG_QUALITY = 90
# A file that was cut off lacks the last bytes of its format.
ENDINGS = {".jpg": b"\xff\xd9", ".png": b"IEND\xaeB`\x82"}


def draw_set(
    root: str | Path,
    n_train: int = 600,
    n_val: int = 200,
    size: tuple[int, int] = (375, 500),
    progress: bool = True,
) -> Path:
    """Draw a whole set into the folder `root`, or what is missing of it; return the folder.

    Images 0..n_train-1 are listed in train.txt, the next n_val in val.txt. `size` is the
    (height, width) of most images. A complete set is left as it is; missing, empty and cut-off
    files are drawn again.

    Raises FileExistsError if `root` holds files that this function did not make, and ValueError
    if it holds a set drawn with other settings, or for counts and sizes that make no set.
    """
    root = Path(root)
    settings = _settings(n_train, n_val, size)
    if is_complete(root) and _read_settings(root) == settings:
        return root
    _claim(root, settings)
    ids = _ids(n_train + n_val)
    missing = [i for i, name in enumerate(ids) if not all(map(_is_whole, _files(root, name)))]
    for i in tqdm(missing, desc=f"Drawing {root.name}", unit="image", disable=not progress):
        _draw_files(root, tuple(size), i)
    lists = {"train": ids[:n_train], "val": ids[n_train:], "trainval": ids}
    for split, names in lists.items():
        path = root / "ImageSets" / "Segmentation" / f"{split}.txt"
        write_bytes(path, "".join(f"{name}\n" for name in names).encode())
    return root


def is_complete(root: str | Path) -> bool:
    """Whether `root` is a set of this version with every list and every file whole.

    Quick: it reads the last bytes of each file and decodes nothing.
    """
    root = Path(root)
    if not (root / "settings.json").is_file():
        return False
    try:
        settings = _read_settings(root)
    except ValueError:
        return False
    if settings["version"] != VERSION:
        return False
    ids = _ids(settings["n_train"] + settings["n_val"])
    expected = {"train": ids[: settings["n_train"]], "val": ids[settings["n_train"] :]}
    for split, names in (expected | {"trainval": ids}).items():
        path = root / "ImageSets" / "Segmentation" / f"{split}.txt"
        if not path.is_file() or path.read_text(encoding="utf-8").split() != names:
            return False
    return all(_is_whole(path) for name in ids for path in _files(root, name))


def _settings(n_train, n_val, size):
    if n_train < 1 or n_val < 1:
        raise ValueError(f"n_train={n_train}, n_val={n_val}: both must be 1 or more")
    if len(size) != 2 or min(size) < 32:
        raise ValueError(f"size={size}: give (height, width), each 32 pixels or more")
    return {"version": VERSION, "n_train": n_train, "n_val": n_val, "size": list(size)}


def _read_settings(root):
    path = root / "settings.json"
    try:
        settings = read_json(path)
        return {key: settings[key] for key in ("version", "n_train", "n_val", "size")}
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error!r}): delete the folder {root}") from error


def _claim(root, settings):
    """Mark an empty folder as ours; refuse one that is not, or that holds another set."""
    if root.exists() and not root.is_dir():
        raise FileExistsError(f"{root} is a file: give the name of a folder to draw into")
    if (root / "settings.json").exists():
        found = _read_settings(root)
        if found != settings:
            raise ValueError(
                f"{root} holds a set drawn with {found}, not with {settings}: delete that folder, "
                "or draw into another one"
            )
    elif root.exists() and any(root.iterdir()):
        raise FileExistsError(f"{root} holds files that were not drawn here: give an empty folder")
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / name).mkdir(parents=True, exist_ok=True)
    write_json(root / "settings.json", settings)
    write_bytes(root / "classes.txt", "".join(f"{name}\n" for name in CLASS_NAMES).encode())


def _ids(n):
    return [_id(i) for i in range(n)]


def _id(i):
    return f"shapes_{i:06d}"


def _files(root, name):
    return root / "JPEGImages" / f"{name}.jpg", root / "SegmentationClass" / f"{name}.png"


def _draw_files(root, size, i):
    image, mask = draw_pair(i, size)
    jpeg, png = _files(root, _id(i))
    write_bytes(jpeg, _encode(Image.fromarray(image), format="JPEG", quality=JPEG_QUALITY))
    save_ids(png, mask)


def _encode(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def _is_whole(path):
    ending = ENDINGS[path.suffix]
    try:
        with path.open("rb") as file:
            file.seek(-len(ending), os.SEEK_END)
            return file.read() == ending
    except OSError:  # missing, or too short to hold the ending
        return False
