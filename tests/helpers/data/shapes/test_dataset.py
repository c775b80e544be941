"""The drawn set on disk: complete, the same each time, and a broken one is noticed."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from helpers.data import VOID, index_voc, voc_palette
from helpers.data.shapes import CLASS_NAMES, dataset, draw_pair, draw_set, is_complete
from helpers.settings import DATA_FOLDERS

TINY = DATA_FOLDERS["tiny"]
SMALL = {"n_train": 4, "n_val": 2, "size": (48, 64), "progress": False}
# Other systems' mathematics may move a mask's edge by a pixel; here it must not.
EDGE_PIXELS = 0 if sys.platform.startswith("linux") else 1e-3

# Mean grey levels; two different images are 30 or more apart.
JPEG_LOSS = 8


@pytest.fixture
def root(tmp_path):
    return draw_set(tmp_path / "set", **SMALL)


def stamps(root):
    return {p: p.stat().st_mtime_ns for p in sorted(root.rglob("*")) if p.is_file()}


def contents(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in stamps(root)}


def test_the_set_has_vocs_layout(root):
    ids = [f"shapes_{i:06d}" for i in range(6)]
    lists = root / "ImageSets" / "Segmentation"
    assert (lists / "train.txt").read_text(encoding="utf-8").split() == ids[:4]
    assert (lists / "val.txt").read_text(encoding="utf-8").split() == ids[4:]
    assert (lists / "trainval.txt").read_text(encoding="utf-8").split() == ids
    assert tuple((root / "classes.txt").read_text(encoding="utf-8").split()) == CLASS_NAMES
    for i, name in enumerate(ids):
        image, mask = draw_pair(i, SMALL["size"])
        with Image.open(root / "SegmentationClass" / f"{name}.png") as png:
            assert png.mode == "P"
            palette = np.reshape(png.getpalette(), (-1, 3))
            assert np.array_equal(palette, voc_palette()[: len(palette)])
            assert np.array_equal(np.asarray(png), mask)
        with Image.open(root / "JPEGImages" / f"{name}.jpg") as jpeg:
            assert np.abs(np.asarray(jpeg, dtype=float) - image).mean() < JPEG_LOSS
    assert len(stamps(root)) == 2 * 6 + 3 + 2


def test_the_set_is_indexed_like_voc(root):
    index = index_voc(root, "train")
    assert len(index) == 4 and tuple(index.class_names) == CLASS_NAMES


def test_a_complete_set_is_left_alone(root):
    before = stamps(root)
    assert is_complete(root)
    assert draw_set(root, **SMALL) == root
    assert stamps(root) == before


@pytest.mark.parametrize(
    "name", ["JPEGImages/shapes_000002.jpg", "SegmentationClass/shapes_000002.png"]
)
@pytest.mark.parametrize("damage", ["missing", "empty", "cut off"])
def test_a_damaged_file_is_drawn_again_and_no_other(root, name, damage):
    before, whole = stamps(root), contents(root)
    path = root / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    assert not is_complete(root)
    draw_set(root, **SMALL)
    assert is_complete(root) and contents(root) == whole
    redrawn = [
        p for p, t in stamps(root).items() if before[p] != t and p.suffix in {".jpg", ".png"}
    ]
    assert {p.stem for p in redrawn} == {"shapes_000002"}


def test_an_interrupted_set_has_no_lists_and_is_completed(root, tmp_path, monkeypatch):
    """Stopped in the middle of the third image."""
    calls = []

    def interrupted(i, size):
        calls.append(i)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return draw_pair(i, size)

    broken = tmp_path / "broken"
    with monkeypatch.context() as patch:
        patch.setattr(dataset, "draw_pair", interrupted)
        with pytest.raises(KeyboardInterrupt):
            draw_set(broken, **SMALL)
    assert not list(broken.rglob("train*.txt")) and not list(broken.rglob("*.partial.*"))
    assert not is_complete(broken)
    with pytest.raises((ValueError, FileNotFoundError)):
        index_voc(broken, "train")
    draw_set(broken, **SMALL)
    assert contents(broken) == contents(root)


@pytest.mark.parametrize("change", [{"n_train": 5}, {"n_val": 1}, {"size": (64, 64)}])
def test_a_set_with_other_settings_is_refused(root, change):
    before = stamps(root)
    with pytest.raises(ValueError, match="delete that folder"):
        draw_set(root, **(SMALL | change))
    assert stamps(root) == before


def test_a_set_of_another_version_is_refused(root, monkeypatch):
    monkeypatch.setattr(dataset, "VERSION", dataset.VERSION + 1)
    assert not is_complete(root)
    with pytest.raises(ValueError, match="version"):
        draw_set(root, **SMALL)


def test_a_changed_list_is_noticed(root):
    path = root / "ImageSets" / "Segmentation" / "val.txt"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.splitlines()[0], encoding="utf-8")
    assert not is_complete(root)
    draw_set(root, **SMALL)
    assert path.read_text(encoding="utf-8") == text


def test_a_folder_of_somebody_else_is_never_touched(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="not drawn here"):
        draw_set(tmp_path, **SMALL)
    with pytest.raises(FileExistsError, match="is a file"):
        draw_set(tmp_path / "photo.jpg", **SMALL)
    assert contents(tmp_path) == {"photo.jpg": b"mine"}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version"'])
def test_a_damaged_settings_file_is_named(root, text):
    (root / "settings.json").write_text(text, encoding="utf-8")
    assert not is_complete(root)
    with pytest.raises(ValueError, match=r"settings\.json is damaged"):
        draw_set(root, **SMALL)


@pytest.mark.parametrize("change", [{"n_train": 0}, {"n_val": 0}, {"size": (8, 64)}])
def test_nonsense_is_refused(tmp_path, change):
    with pytest.raises(ValueError, match=next(iter(change))):
        draw_set(tmp_path / "set", **(SMALL | change))
    assert not (tmp_path / "set").exists()


# The committed slice


def test_tiny_is_what_the_code_draws():
    assert is_complete(TINY), "run: python -m tools.draw --tiny"
    size = dataset.TINY["size"]
    for i in range(dataset.TINY["n_train"] + dataset.TINY["n_val"]):
        image, mask = draw_pair(i, size)
        with Image.open(TINY / "SegmentationClass" / f"shapes_{i:06d}.png") as png:
            kept = np.asarray(png)
        assert kept.shape == mask.shape and (kept != mask).mean() <= EDGE_PIXELS, f"mask {i}"
        with Image.open(TINY / "JPEGImages" / f"shapes_{i:06d}.jpg") as jpeg:
            difference = np.abs(np.asarray(jpeg, dtype=float) - image).mean()
        assert difference < JPEG_LOSS, f"image {i} differs by {difference:.1f} grey levels"


def test_tiny_is_small_and_has_every_class_in_both_lists():
    assert sum(len(content) for content in contents(TINY).values()) < 2 * 2**20
    for split in ("train", "val"):
        found = set()
        for name in (
            (TINY / "ImageSets" / "Segmentation" / f"{split}.txt")
            .read_text(encoding="utf-8")
            .split()
        ):
            with Image.open(TINY / "SegmentationClass" / f"{name}.png") as png:
                found |= set(np.unique(np.asarray(png)).tolist())
        assert found == {*range(len(CLASS_NAMES)), VOID}
    assert json.loads((TINY / "settings.json").read_text(encoding="utf-8"))["n_train"] == 60
