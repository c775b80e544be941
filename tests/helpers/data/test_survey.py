"""What all files hold together: the values of masks, the range of images, and two readings."""

import os
from pathlib import Path

import numpy as np
import pytest

from helpers.data import index_folder
from helpers.data import survey as module
from helpers.data.survey import highest_number, look_numbered, refuse_two_readings, survey
from tests.support import save_image

MASKS, ANSWER = Path("data/masks"), Path("data/classes.csv")


def pairs(folder, masks, images):
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for k, (mask, image) in enumerate(zip(masks, images, strict=True)):
        save_image(folder / "images" / f"{k}.png", image)
        save_image(folder / "masks" / f"{k}.png", mask)
    return index_folder(folder / "images", folder / "masks", ["0", "1"])


def grey(*values):
    return np.array([values], np.uint8)


def test_the_values_of_all_masks_together(tmp_path):
    eight_bits = np.zeros((1, 2, 3), np.uint8)
    index = pairs(tmp_path, [grey(0, 3), grey(3, 255)], [eight_bits] * 2)
    found = survey(index, tmp_path / "cache")
    assert found == {"values": [0, 3, 255], "numbered": False, "levels": None}


@pytest.mark.parametrize(
    ("masks", "numbered"),
    [
        ([[0, 1], [0, 1, 2, 255], [0]], True),
        ([[0, 1, 2], [0, 1, 2]], False),  # all the same: classes
        ([[0, 1, 2], [0, 2]], False),  # 2 without 1
        ([[0, 1], [0]], False),  # one object or one class is the same
    ],
)
def test_masks_look_numbered_if_each_counts_from_one_and_some_count_further(masks, numbered):
    assert look_numbered([highest_number(np.array(values)) for values in masks]) == numbered


def test_coloured_masks_have_no_values(tmp_path):
    pixels = np.zeros((1, 2, 3), np.uint8)
    index = pairs(tmp_path, [pixels], [pixels])
    assert survey(index, tmp_path / "cache")["values"] is None


def test_the_levels_of_a_12_bit_camera_are_percentiles_of_all_its_pixels(tmp_path):
    rng = np.random.default_rng(0)
    images = [rng.integers(100, 4096, (100, 100)).astype(np.uint16) for _ in range(2)]
    images[0][0, :3] = 65_535  # hot pixels
    index = pairs(tmp_path, [np.zeros((100, 100), np.uint8)] * 2, images)
    black, white = survey(index, tmp_path / "cache")["levels"]
    expected = np.percentile(np.stack(images), (0.1, 99.9))
    assert (black, white) == pytest.approx(expected, abs=2) and white < 4096


def test_one_grey_value_everywhere_still_has_two_levels(tmp_path):
    index = pairs(tmp_path, [grey(0, 1)], [np.full((1, 2), 500, np.uint16)])
    assert survey(index, tmp_path / "cache")["levels"] == [500, 501]


def test_it_is_kept_until_a_file_changes(tmp_path, monkeypatch):
    looks, look_at = [], module._look_at
    monkeypatch.setattr(module, "_look_at", lambda pair: looks.append(pair.id) or look_at(pair))
    index = pairs(tmp_path, [grey(0, 1)] * 2, [np.zeros((1, 2, 3), np.uint8)] * 2)
    first = survey(index, tmp_path / "cache")
    assert survey(index, tmp_path / "cache") == first and sorted(looks) == ["0", "1"]
    save_image(index[0].mask, grey(0, 2))
    os.utime(index[0].mask, (2e9, 2e9))
    assert survey(index, tmp_path / "cache")["values"] == [0, 1, 2] and len(looks) == 4


def test_a_file_that_cannot_be_decoded_is_named(tmp_path):
    index = pairs(tmp_path, [grey(0, 1)], [np.zeros((1, 2, 3), np.uint8)])
    index[0].mask.write_bytes(b"nothing")
    with pytest.raises(OSError, match=r"0\.png cannot be decoded"):
        survey(index, tmp_path / "cache")


@pytest.mark.parametrize(
    ("values", "n_classes", "message"),
    [
        ([0, 255], 2, r"0 and 255 and nothing else.*classes\.csv.*background,0 and object,255"),
        ([0, 255], None, "0 and 255 and nothing else"),
        ([1, 2, 3], 3, r"hold 1 to 3 and no 0.*background that no mask shows.*first class,1"),
        ([1, 2, 3, 255], None, "hold 1 to 3 and no 0"),
        ([0, 1, 5], 5, r"hold the value 5, and 5 classes have the ids 0 to 4"),
    ],
)
def test_values_with_two_readings_are_asked_about(values, n_classes, message):
    with pytest.raises(ValueError, match=message):
        refuse_two_readings(values, n_classes, MASKS, ANSWER, numbered=False)


def test_numbers_of_objects_are_asked_about_where_no_file_names_classes():
    with pytest.raises(ValueError, match=r"hold 0 to 9, each mask all numbers.*object,1-65535"):
        refuse_two_readings([*range(10)], None, MASKS, ANSWER, numbered=True)
    refuse_two_readings([*range(10)], 10, MASKS, ANSWER, numbered=True)


@pytest.mark.parametrize(
    ("values", "n_classes"), [([0, 1], 2), ([0, 3, 255], None), ([1, 2, 3], 4), ([255], 2)]
)
def test_values_with_one_reading_are_not(values, n_classes):
    refuse_two_readings(values, n_classes, MASKS, ANSWER, numbered=False)
