"""The benchmark of decoders: right pixels, fair turns, rows that say everything."""

import json
import os
import platform
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.images import read_image
from tools import bench_decoders
from tools.decoders import METHODS, shrinkage


@pytest.fixture
def smooth(tmp_path):
    """A JPEG of 200×160 whose colours change slowly: all decoders and filters should agree."""
    rows, columns = np.mgrid[0:160, 0:200]
    pixels = np.stack([rows, columns, np.full_like(rows, 30)], axis=2).astype(np.uint8)
    path = tmp_path / "smooth.jpg"
    Image.fromarray(pixels).save(path, quality=95)
    return path


@pytest.mark.parametrize("size", [(40, 60), (100, 150)])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_pillows_picture(smooth, name, size, monkeypatch):
    # The other tests of this process keep all the cores for TensorFlow.
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", str(os.cpu_count()))
    function, module = METHODS[name]
    pytest.importorskip(module)
    image = function(smooth, size)
    assert image.shape == (*size, 3) and image.dtype == np.uint8 and image.flags.writeable
    # Levels; exchanged channels or sides would be far more.
    assert np.abs(image.astype(int) - read_image(smooth, size)).max() <= 8


@pytest.mark.parametrize(
    ("plain", "shrinking"),
    [("Pillow", "Pillow draft"), ("simplejpeg", "simplejpeg scaled"), ("OpenCV", "OpenCV half")],
)
def test_the_decoder_shrinks_only_what_stays_large_enough(tmp_path, plain, shrinking):
    pytest.importorskip(METHODS[plain][1])
    path = tmp_path / "noise.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (160, 200, 3), np.uint8)
    Image.fromarray(noise).save(path, quality=95)
    for size, same in (((80, 100), False), ((160, 200), True), ((30, 200), True)):
        images = [METHODS[name][0](path, size) for name in (plain, shrinking)]
        assert np.array_equal(*images) == same


def test_shrinkage_is_that_of_the_smaller_direction(smooth):
    assert shrinkage(smooth, (40, 100)) == 2 and shrinkage(smooth, (80, 20)) == 2


def test_a_row_for_each_method_size_and_number_of_threads(voc_folder, tmp_path, capsys):
    output = tmp_path / "out" / "decoders.json"
    rows = bench_decoders.main(
        ["--data", str(voc_folder(5)), "--sizes", "6", "8", "--repeats", "3",
         "--methods", "Pillow", "Pillow draft", "--output", str(output)]
    )  # fmt: skip
    assert [(row["size"], row["threads"], row["method"]) for row in rows] == [
        (size, threads, name)
        for size in (6, 8)
        for threads in (1, 2)
        for name in ("Pillow", "Pillow draft")
    ]
    for row in rows:
        assert row["data"] == "VOC2012" and row["repeats"] == 3
        assert 0 < row["images_per_s_min"] <= row["images_per_s"] <= row["images_per_s_max"]
        # The smallest picture is 12×10. No decoder can halve it to 8×8.
        same = row["method"] == "Pillow" or row["size"] == 8
        assert (row["mean_difference"] == 0) == (row["max_difference"] == 0) == same
    text = output.read_text(encoding="utf-8")
    stored = json.loads(text)
    assert stored["rows"] == rows and stored["machine"]["pillow"]
    assert str(tmp_path) not in text and f'"{platform.node()}"' not in text
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(rows)


def test_methods_take_turns_on_every_picture(monkeypatch, tmp_path):
    paths = [tmp_path / f"{i}.jpg" for i in range(7)]
    calls = []

    def method(name, level):
        return lambda path, size: calls.append((name, path)) or np.full((*size, 3), level, np.uint8)

    methods = {"a": method("a", 10), "b": method("b", 13)}
    monkeypatch.setattr(bench_decoders, "read_image", method("Pillow", 12))
    rows = bench_decoders.measure(paths, methods, (4, 4), 2, "drawn")
    expected = [name for name in ["Pillow", "a", "b", *"abab" * 2] for _ in paths]
    assert [name for name, _ in calls] == expected
    for start in range(0, len(calls), 7):
        assert {path for _, path in calls[start : start + 7]} == set(paths)
    differences = {row["method"]: (row["mean_difference"], row["max_difference"]) for row in rows}
    assert differences == {"a": (2, 2), "b": (1, 1)}


def test_differences_are_averaged_over_the_pictures():
    expected = [np.full((2, 2, 3), 100, np.uint8)] * 2
    decoded = [expected[0].copy(), expected[0].copy()]
    decoded[0][0, 0, 0] = 76  # 24 levels in one of 12 values
    decoded[1][:] = 104
    mean, largest = bench_decoders._differences(
        lambda path, size: decoded[int(path.stem)], [Path("0.jpg"), Path("1.jpg")], expected
    )
    assert mean == (2 + 4) / 2 and largest == (24 + 4) / 2


def test_a_decoder_that_is_not_installed_is_left_out(monkeypatch, smooth, capsys):
    monkeypatch.setattr(
        bench_decoders, "find_spec", lambda module: None if module == "simplejpeg" else object()
    )
    methods = bench_decoders.usable(["Pillow", "simplejpeg", "OpenCV half"], [smooth], (80, 100))
    assert list(methods) == ["Pillow", "OpenCV half"]
    assert capsys.readouterr().out == "simplejpeg: left out, simplejpeg is not installed\n"


def test_halving_is_left_out_where_most_pictures_are_too_small(monkeypatch, smooth, capsys):
    monkeypatch.setattr(bench_decoders, "find_spec", lambda module: object())
    assert list(bench_decoders.usable(["OpenCV half"], [smooth], (80, 101))) == []
    assert "OpenCV half at 80: left out" in capsys.readouterr().out


def test_pictures_are_picked_across_the_whole_list(voc_folder, monkeypatch):
    picked = []
    monkeypatch.setattr(
        bench_decoders,
        "measure",
        lambda paths, *rest: picked.extend(p.stem[-1] for p in paths) or [],
    )
    bench_decoders.main(["--data", str(voc_folder(9)), "--sizes", "8", "--pictures", "3"])
    assert picked == ["0", "4", "8"]


def test_every_folder_needs_its_label(capsys):
    with pytest.raises(SystemExit):
        bench_decoders.main(["--data", "a", "b", "--labels", "one"])
    assert "--labels names 1 folders, --data 2" in capsys.readouterr().err
