"""The drawn data set: what is in it, that it is always the same, that a broken one is noticed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from PIL import Image

from helpers import processes, shapes
from helpers.dataset import VOID, index_voc, voc_palette
from helpers.shapes import CLASS_NAMES, draw_pair, draw_set, is_complete, main

TINY = Path(__file__).resolve().parent.parent / "data" / "tiny"
SMALL = {"n_train": 4, "n_val": 2, "size": (48, 64), "workers": 1, "progress": False}
# Other systems' mathematics may move a mask's edge by a pixel; here it must not.
EDGE_PIXELS = 0 if sys.platform.startswith("linux") else 1e-3

# Mean grey levels; two different pictures are 30 or more apart.
JPEG_LOSS = 8


@pytest.fixture
def root(tmp_path):
    return draw_set(tmp_path / "set", **SMALL)


def stamps(root):
    return {p: p.stat().st_mtime_ns for p in sorted(root.rglob("*")) if p.is_file()}


def contents(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in stamps(root)}


# --- the pictures -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def masks():
    """200 masks at half of VOC's size: the same compositions, a quarter of the time."""
    return [draw_pair(i, (188, 250))[1] for i in range(200)]


def test_a_picture_is_uint8_and_its_mask_holds_ids():
    for i in range(12):
        image, mask = draw_pair(i)
        assert image.dtype == mask.dtype == np.uint8
        assert image.shape == (*mask.shape, 3)
        assert mask.shape in {(375, 500), (500, 375), (334, 500), (500, 334)}
        assert set(np.unique(mask)) <= {*range(len(CLASS_NAMES)), VOID}
        assert {0, VOID} < set(np.unique(mask))


def test_a_picture_does_not_depend_on_what_was_drawn_before():
    alone = draw_pair(5, (96, 128))
    for i in (9, 3):
        draw_pair(i, (96, 128))
    np.random.default_rng().random()
    again = draw_pair(5, (96, 128))
    assert np.array_equal(alone[0], again[0]) and np.array_equal(alone[1], again[1])
    assert not np.array_equal(alone[0], draw_pair(6, (96, 128))[0])


def test_background_is_about_seventy_percent(masks):
    counts = sum(np.bincount(mask.ravel(), minlength=256) for mask in masks)
    assert 0.65 < counts[0] / counts.sum() < 0.75
    assert 0.65 < counts[0] / (counts.sum() - counts[VOID]) < 0.75
    assert 0.02 < counts[VOID] / counts.sum() < 0.08


def test_classes_run_from_common_to_rare(masks):
    seen = np.mean([[(mask == k).any() for k in range(len(CLASS_NAMES))] for mask in masks], axis=0)
    assert seen[0] == 1
    assert seen[1:].min() >= 0.08
    assert seen[1:].max() >= 2.5 * seen[1:].min()


def test_sizes_and_orientations_are_mixed(masks):
    upright = np.mean([mask.shape[0] > mask.shape[1] for mask in masks])
    assert 0.15 < upright < 0.35
    assert len({mask.shape for mask in masks}) == 4
    objects = np.array([1 - (mask == 0).mean() for mask in masks])
    assert objects.min() < 0.03 and objects.max() > 0.6


def test_every_object_has_a_void_border(masks):
    """Two different classes, background included, never touch without void between them."""
    for mask in masks:
        for a, b in ((mask[1:], mask[:-1]), (mask[:, 1:], mask[:, :-1])):
            touching = (a != b) & (a != VOID) & (b != VOID) & ((a == 0) | (b == 0))
            assert not touching.any()


# --- the set on disk ----------------------------------------------------------------------------


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


def test_processes_draw_what_one_process_draws(root, tmp_path):
    in_parallel = draw_set(tmp_path / "parallel", **(SMALL | {"workers": 2}))
    assert contents(in_parallel) == contents(root)


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
    """Stopped in the middle of the third picture."""
    calls = []

    def interrupted(i, size):
        calls.append(i)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return draw_pair(i, size)

    broken = tmp_path / "broken"
    with monkeypatch.context() as patch:
        patch.setattr(shapes, "draw_pair", interrupted)
        with pytest.raises(KeyboardInterrupt):
            draw_set(broken, **SMALL)
    assert not list(broken.rglob("train*.txt")) and not list(broken.rglob("*.part"))
    assert not is_complete(broken)
    with pytest.raises((ValueError, FileNotFoundError)):
        index_voc(broken, "train")
    draw_set(broken, **SMALL)
    assert contents(broken) == contents(root)


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_killed_run_leaves_no_process_and_is_completed(tmp_path):
    out = tmp_path / "set"
    command = [sys.executable, "-m", "helpers.shapes", "--out", str(out), "--train", "200"]
    main_process = psutil.Popen(command, cwd=TINY.parent.parent, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(list(out.glob("JPEGImages/shapes_*.jpg"))) >= 4)
    children = main_process.children(recursive=True)
    main_process.kill()
    main_process.wait()
    assert psutil.wait_procs(children, timeout=20)[1] == []
    assert not is_complete(out) and not list(out.rglob("train.txt"))
    for path in out.rglob("shapes_*.*"):
        with Image.open(path) as picture:
            picture.load()


def wait_until(happened, seconds=60):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_interrupted_write_leaves_no_half_file(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(shapes.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        shapes._write(tmp_path / "a.jpg", b"content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", [{"n_train": 5}, {"n_val": 1}, {"size": (64, 64)}])
def test_a_set_with_other_settings_is_refused(root, change):
    before = stamps(root)
    with pytest.raises(ValueError, match="delete that folder"):
        draw_set(root, **(SMALL | change))
    assert stamps(root) == before


def test_a_set_of_another_version_is_refused(root, monkeypatch):
    monkeypatch.setattr(shapes, "VERSION", shapes.VERSION + 1)
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


@pytest.mark.parametrize(
    ("system", "asked", "found"), [("win32", 100, 61), ("win32", 4, 4), ("linux", 100, 100)]
)
def test_windows_gets_no_more_processes_than_it_allows(monkeypatch, system, asked, found):
    made = []

    class Pool:
        def __init__(self, workers, *_, **__):
            made.append(workers)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def map(self, function, items, chunksize):
            return map(function, items)

    monkeypatch.setattr(processes, "sys", SimpleNamespace(platform=system))
    monkeypatch.setattr(processes, "ProcessPoolExecutor", Pool)
    processes.call_for_each(str, range(3), workers=asked, disable=True)
    assert made == [found]


@pytest.mark.parametrize("change", [{"n_train": 0}, {"n_val": 0}, {"size": (8, 64)}])
def test_nonsense_is_refused(tmp_path, change):
    with pytest.raises(ValueError, match=next(iter(change))):
        draw_set(tmp_path / "set", **(SMALL | change))
    assert not (tmp_path / "set").exists()


def test_the_command_line(tmp_path, capsys):
    out = tmp_path / "set"
    main(["--out", str(out), "--train", "2", "--val", "1", "--size", "64x48"])
    assert is_complete(out)
    assert json.loads((out / "settings.json").read_text(encoding="utf-8"))["size"] == [48, 64]
    with pytest.raises(SystemExit) as end:
        main(["--out", str(out), "--train", "3", "--val", "1", "--size", "64x48"])
    assert end.value.code == 1 and "delete that folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--out", str(out), "--size", "big"])
    assert "500x375" in capsys.readouterr().err


def test_importing_it_does_not_load_a_deep_learning_library():
    code = "import sys, helpers.shapes, helpers.voc2012; "
    code += "print({'keras', 'tensorflow'} & {*sys.modules})"
    environment = os.environ | {"PYTHONPATH": str(TINY.parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "set()"


# --- the committed slice ------------------------------------------------------------------------


def test_tiny_is_what_the_code_draws():
    assert is_complete(TINY), "run: python -m helpers.shapes --tiny"
    size = shapes.TINY["size"]
    for i in range(shapes.TINY["n_train"] + shapes.TINY["n_val"]):
        image, mask = draw_pair(i, size)
        with Image.open(TINY / "SegmentationClass" / f"shapes_{i:06d}.png") as png:
            kept = np.asarray(png)
        assert kept.shape == mask.shape and (kept != mask).mean() <= EDGE_PIXELS, f"mask {i}"
        with Image.open(TINY / "JPEGImages" / f"shapes_{i:06d}.jpg") as jpeg:
            difference = np.abs(np.asarray(jpeg, dtype=float) - image).mean()
        assert difference < JPEG_LOSS, f"picture {i} differs by {difference:.1f} grey levels"


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
