"""A folder is recognised by what lies in it, and one of no layout hears which there are."""

import shutil

import numpy as np
import pytest

from helpers.data import index_data, index_voc
from helpers.data.rewrite import stored_values
from helpers.settings import DATA_FOLDERS
from tests.layouts import LAYOUTS, lay_out
from tests.support import palette_mask


@pytest.fixture
def voc(tmp_path):
    return shutil.copytree(DATA_FOLDERS["tiny"], tmp_path / "voc")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_is_recognised_and_can_be_read(layout, tmp_path):
    data = index_data(lay_out(layout, tmp_path / "data", 3, 2), tmp_path / "cache")
    assert (len(data.train), len(data.holdout)) == (3, 2)
    for index in (data.train, data.holdout):
        image, mask = index.read(0, (16, 16))
        assert image.shape == (16, 16, 3) and mask.shape == (16, 16)


def test_vocs_layout_is_indexed_as_before(voc, tmp_path):
    train, holdout, notes = index_data(voc, tmp_path / "cache")
    assert [*train] == [*index_voc(voc, "train")] and [*holdout] == [*index_voc(voc, "val")]
    assert train.class_names == index_voc(voc, "train").class_names and notes == []


def test_in_vocs_layout_0_and_255_are_asked_about_and_can_be_answered(voc, tmp_path):
    for path in (voc / "SegmentationClass").iterdir():
        height, width = stored_values(path).shape
        palette_mask(path, np.tile(np.resize(np.array([0, 255], np.uint8), width), (height, 1)))
    (voc / "classes.txt").write_text("background\ncell\n")
    with pytest.raises(ValueError, match="0 and 255 and nothing else"):
        index_data(voc, tmp_path / "cache")
    (voc / "classes.csv").write_text("name,value\nbackground,0\ncell,255\n")
    train, holdout, _ = index_data(voc, tmp_path / "cache")
    assert train.n_classes == 2 and holdout.read(0)[1][0, :4].tolist() == [0, 1, 0, 1]


def test_in_vocs_layout_images_can_be_left_out(voc, tmp_path):
    first = index_voc(voc, "train")[0]
    first.image.unlink()
    (voc / "leave_out.txt").write_text(f"{first.id}\n")
    train, _, notes = index_data(voc, tmp_path / "cache")
    assert len(train) == 59 and notes == ["1 images are left out, those that leave_out.txt names."]


@pytest.mark.parametrize("layout", ["cityscapes", "coco"])
def test_in_the_other_layouts_an_image_whose_mask_is_damaged_can_be_left_out(layout, tmp_path):
    root = lay_out(layout, tmp_path / layout)
    whole = index_data(root, tmp_path / "cache").train
    damaged = next(path for path in root.rglob("*.png") if is_mask_of(path, whole[3]))
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(OSError, match=damaged.name):
        index_data(root, tmp_path / "another")
    (root / "leave_out.txt").write_text(f"{whole[3].id}\n")
    train, _, notes = index_data(root, tmp_path / "another")
    assert len(train) == len(whole) - 1 and whole[3].id not in {pair.id for pair in train}
    assert notes == ["1 images are left out, those that leave_out.txt names."]


def is_mask_of(path, pair):
    """Whether a PNG of the official layout is that of a pair (whose own mask is a new one)."""
    stem = pair.id.rpartition("/")[2].removesuffix("_leftImg8bit")
    return path.name in (f"{stem}_gtFine_labelIds.png", f"{stem}.png")


def test_a_folder_of_no_layout_hears_which_there_are_and_which_is_near(tmp_path):
    (tmp_path / "else").mkdir()
    with pytest.raises(FileNotFoundError, match=r"none of the layouts.*images and masks.*COCO"):
        index_data(tmp_path / "else", tmp_path / "cache")
    lay_out("own_grey", tmp_path / "else" / "mine", 2, 1)
    with pytest.raises(FileNotFoundError, match=r"Give .*mine instead"):
        index_data(tmp_path / "else", tmp_path / "cache")
