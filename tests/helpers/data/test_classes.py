"""Class names and their colours, and what is said of those that cannot serve."""

import numpy as np
import pytest

from helpers.data.classes import (
    VOC_CLASSES,
    VOID,
    checked_classes,
    checked_palette,
    refuse_repeats,
    voc_palette,
)


def test_the_palette_is_vocs():
    palette = voc_palette()
    assert palette.shape == (256, 3) and palette.dtype == np.uint8
    expected = {
        0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 4: (0, 0, 128),
        8: (64, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128), VOID: (224, 224, 192),
    }  # fmt: skip
    assert {i: tuple(palette[i].tolist()) for i in expected} == expected
    assert len({tuple(colour) for colour in palette.tolist()}) == 256
    np.testing.assert_array_equal(voc_palette(21), palette[:21])


def test_voc_has_21_classes_with_the_background_first():
    assert len(VOC_CLASSES) == 21 and VOC_CLASSES[0] == "background"
    assert checked_classes(VOC_CLASSES) == VOC_CLASSES


def test_class_names_become_a_tuple():
    assert checked_classes(["background", "thing"]) == ("background", "thing")
    assert len(checked_classes(str(i) for i in range(255))) == 255


@pytest.mark.parametrize(
    "names", [["background"], "background", ["a", "b", "a"], [str(i) for i in range(256)]]
)
def test_wrong_class_names(names):
    with pytest.raises(ValueError, match=r"class"):
        checked_classes(names)


def test_a_palette_becomes_bytes_and_none_is_vocs():
    colours = [(0, 0, 255), (10, 20, 30)]
    palette = checked_palette(colours, 2)
    assert palette.dtype == np.uint8 and palette.tolist() == [list(colour) for colour in colours]
    np.testing.assert_array_equal(checked_palette(None, 5), voc_palette(5))


@pytest.mark.parametrize(
    ("palette", "message"),
    [
        ([(0, 0, 0)], r"shape \(2, 3\)"),
        ([(0, 0, 0), (0.5, 0, 0)], "integers"),
        ([(0, 0, 0), (256, 0, 0)], "0 to 255"),
        ([(0, 0, 0), (-1, 0, 0)], "0 to 255"),
        ([(5, 6, 7), (5, 6, 7)], r"\(5, 6, 7\) stands 2 times in the palette"),
    ],
)
def test_wrong_palettes(palette, message):
    with pytest.raises(ValueError, match=message):
        checked_palette(palette, 2)


def test_a_repeated_name_is_named_with_its_place():
    refuse_repeats(["a", "b"], "the list")
    with pytest.raises(ValueError, match=r"'b' stands 3 times in the list. Keep one"):
        refuse_repeats(["a", "b", "a", "b", "b"], "the list")
