"""Masks written anew as class ids: by a table, once, and going on where it stopped."""

import os

import numpy as np
import pytest
from PIL import Image

from helpers.data import index_folder, read_mask, voc_palette
from helpers.data.rewrite import folder_for, lookup, rewrite_masks, stored_values
from tests.support import save_image

STORED = np.array([[0, 0, 255, 255], [0, 7, 7, 0]], np.uint8)
TABLE = {0: 0, 7: 2, 255: 1}


@pytest.fixture
def index(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for name in "abc":
        save_image(tmp_path / "images" / f"{name}.jpg", np.zeros((2, 4, 3), np.uint8))
        save_image(tmp_path / "masks" / f"{name}.tif", STORED)
    return index_folder(tmp_path / "images", tmp_path / "masks", ["no", "yes", "seven"])


def test_masks_become_palette_pngs_of_class_ids(index, tmp_path):
    new = rewrite_masks(index, tmp_path / "cache", lookup(TABLE))
    assert [pair.image for pair in new] == [pair.image for pair in index]
    assert [pair.mask.name for pair in new] == ["a.png", "b.png", "c.png"]
    for pair in new:
        assert read_mask(pair.mask, n_classes=3).tolist() == [[0, 0, 1, 1], [0, 2, 2, 0]]
    with Image.open(new[0].mask) as mask:
        assert mask.mode == "P" and mask.getpalette()[:6] == voc_palette()[:2].ravel().tolist()
    assert not list((tmp_path / "cache").glob(".*"))


def test_what_is_written_stays_until_its_source_is_newer(index, tmp_path):
    asked = []

    def ids_of(path):
        asked.append(path.name)
        return np.zeros((2, 4), np.uint8)

    rewrite_masks(index[:2], tmp_path / "cache", ids_of)
    rewrite_masks(index, tmp_path / "cache", ids_of)
    assert sorted(asked) == ["a.tif", "b.tif", "c.tif"]
    later = (tmp_path / "cache" / "b.png").stat().st_mtime + 5
    os.utime(index[1].mask, (later, later))
    rewrite_masks(index, tmp_path / "cache", ids_of)
    assert asked[3:] == ["b.tif"]


def test_a_value_that_the_table_lacks_is_named_and_255_is_void_unless_it_has_it(index):
    path = index[0].mask
    with pytest.raises(ValueError, match=r"a\.tif holds the values 7, and the classes have .* 0"):
        lookup({0: 0})(path)
    assert lookup({0: 1, 7: 0})(path).tolist() == [[1, 1, 255, 255], [1, 0, 0, 1]]


def test_the_first_error_is_raised_and_nothing_half_written_stays(index, tmp_path):
    with pytest.raises(ValueError, match="holds the values 7"):
        rewrite_masks(index, tmp_path / "cache", lookup({0: 0}))
    assert list((tmp_path / "cache").iterdir()) == []


def test_values_of_16_bits_are_read_and_colours_are_not(tmp_path):
    path = save_image(tmp_path / "m.png", np.array([[3, 40_000]], np.uint16))
    assert stored_values(path).tolist() == [[3, 40_000]]
    with pytest.raises(ValueError, match=r"rgb\.png has mode 'RGB', not grey or palette"):
        stored_values(save_image(tmp_path / "rgb.png", np.zeros((2, 2, 3), np.uint8)))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(OSError, match=r"text\.png cannot be decoded"):
        stored_values(tmp_path / "text.png")


def test_another_way_of_making_has_another_folder(tmp_path):
    one, other = (folder_for(tmp_path, "masks", about) for about in ((1, 2), (1, 3)))
    assert one != other and one == folder_for(tmp_path, "masks", (1, 2))
    assert one.parent == tmp_path and one.name.startswith("masks-")


def test_the_camera_orientation_of_a_mask_is_followed(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # stored lying, shown upright
    path = save_image(tmp_path / "m.png", np.array([[0, 1], [2, 3], [4, 5]], np.uint8), exif=turned)
    assert stored_values(path).tolist() == read_mask(path).tolist() == [[4, 2, 0], [5, 3, 1]]
