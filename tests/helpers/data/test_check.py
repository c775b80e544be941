"""The check of a data set: every problem with its file, in one report."""

import json

import numpy as np
import pytest

from helpers.data import index_data
from helpers.data.check import check_data
from helpers.data.index import read_list
from helpers.data.rewrite import stored_values
from tests.layouts import LAYOUTS, drawn, lay_out, stack
from tests.support import palette_mask, save_image


@pytest.fixture
def root(tmp_path):
    return lay_out("own_palette", tmp_path / "own", 8, 4)


@pytest.fixture
def check(root, tmp_path):
    return lambda: check_data(root, tmp_path / "cache")


def image_of(root, stem):
    return next((root / "images").glob(f"{stem}.*"))


def names(root):
    return sorted(path.stem for path in (root / "masks").iterdir())


def fill(path, *values):
    """Write a mask anew in its size: columns of these values in turn."""
    height, width = stored_values(path).shape
    columns = np.resize(np.array(values, np.uint8), width)
    palette_mask(path, np.tile(columns, (height, 1)))


def kinds(report):
    return sorted(problem.kind for problem in report.problems)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sound_data_set_has_no_problem(layout, tmp_path):
    report = check_data(lay_out(layout, tmp_path / "data", 4, 2), tmp_path / "cache")
    assert report.counts == {"images": 6, "masks": 6, "problems": 0}
    assert str(report).endswith("No problem was found.")


def test_missing_and_extra_files(root, check):
    first, second, *_ = names(root)
    (root / "masks" / f"{first}.png").unlink()
    image_of(root, second).unlink()
    (root / "images" / "notes.txt").write_text("not an image")
    (root / "images" / ".DS_Store").write_text("hidden")
    report = check()
    assert {"no mask", "no image", "foreign file"} <= {*kinds(report)}
    text = str(report)
    assert f"{first}." in text and f"{second}.png has no image" in text and "notes.txt" in text
    assert ".DS_Store" not in text and report.ids == [first, second]


def test_files_that_cannot_be_used_are_all_named(root, check):
    torn, text, pages, small, void, label, *_ = names(root)
    path = image_of(root, torn)
    path.write_bytes(path.read_bytes()[:-400])
    (root / "masks" / f"{text}.png").write_text("no picture")
    image_of(root, pages).unlink()
    stack(root / "images" / f"{pages}.tif")
    palette_mask(root / "masks" / f"{small}.png", np.zeros((5, 5), np.uint8))
    fill(root / "masks" / f"{void}.png", 255)
    fill(root / "masks" / f"{label}.png", 77)
    report = check()
    by_kind = {problem.kind: problem for problem in report.problems}
    assert by_kind["sizes"].id == small and "5x5" in by_kind["sizes"].text
    assert by_kind["void all over"].id == void
    assert by_kind["unknown labels"].id == label and "77" in by_kind["unknown labels"].text
    assert by_kind["unreadable mask"].id == text
    unreadable = {one.id for one in report.problems if one.kind == "unreadable image"}
    assert unreadable == {torn, pages} and "stack of 3 pages" in str(report)
    assert report.ids == sorted([torn, text, pages, small, void, label])


def test_what_it_lists_can_be_left_out(root, check, tmp_path):
    first, second, third, *_ = names(root)
    (root / "masks" / f"{first}.png").unlink()
    (root / "masks" / f"{second}.png").write_text("no picture")
    (root / "masks" / f"{third}.png").write_text("no picture")
    (root / "leave_out.txt").write_text("".join(f"{name}\n" for name in check().ids))
    data = index_data(root, tmp_path / "cache")
    assert len(data.train) + len(data.holdout) == 9 and "3 images are left out" in data.notes[0]
    assert check().counts["problems"] == 0


def test_the_same_image_twice_is_a_leak_where_one_is_held_out(root, check):
    held = read_list(root, "val")[0]
    trained = [name for name in names(root) if name not in read_list(root, "val")]
    pixels, mask = drawn("train").read(0)
    for name, suffix in ((held, ".bmp"), (trained[0], ".png"), (trained[1], ".tif")):
        image_of(root, name).unlink()
        save_image(root / "images" / f"{name}{suffix}", pixels)
        palette_mask(root / "masks" / f"{name}.png", mask)
    found = {problem.kind: problem.text for problem in check().problems}
    assert set(found) <= {"a leak", "the same image"} and "a leak" in found
    assert held in found["a leak"] and "One is for training and one is held out" in found["a leak"]


def test_names_that_differ_in_case_only(root, check):
    name = names(root)[0]
    mask = root / "masks" / f"{name}.png"
    mask.rename(mask.with_name(f"{name.upper()}.png"))
    report = check()
    assert {"names", "no mask", "no image"} <= {*kinds(report)}
    assert f"{name.upper()} and {name} differ in upper and lower case only" in str(report)


def test_values_with_two_readings_are_one_problem(root, check):
    for path in (root / "masks").iterdir():
        fill(path, 0, 255)
    report = check()
    assert kinds(report).count("values with two readings") == 1 and report.ids == []
    assert "cannot be opened as a data set" not in kinds(report)  # it would say the same again
    (root / "classes.txt").unlink()
    (root / "classes.csv").write_text("name,value\nbackground,0\ncell,255\n")
    assert check().counts["problems"] == 0


def test_the_report_can_be_written_as_json_and_long_lists_are_cut_in_the_text(root, check):
    for name in names(root)[:7]:
        (root / "masks" / f"{name}.png").unlink()
    report = check()
    content = json.loads(json.dumps(report.to_dict()))
    assert content["counts"] == report.counts and len(content["problems"]) >= 7
    assert content["problems"][0].keys() == {"kind", "text", "id"}
    assert "no mask (7)" in str(report) and "… and 2 more" in str(report)


def test_what_cannot_be_opened_is_reported_in_every_layout(tmp_path):
    root = lay_out("cityscapes", tmp_path / "cityscapes", 4, 2)
    mask = sorted((root / "gtFine" / "val").rglob("*.png"))[0]
    mask.unlink()
    (problem,) = check_data(root, tmp_path / "cache").problems
    assert problem.kind == "cannot be opened as a data set" and mask.name in problem.text
