"""Cityscapes: cities as folders, label ids become the classes that are trained."""

import numpy as np
import pytest

from helpers.data import VOID, index_data, read_mask
from helpers.data.cityscapes import CITYSCAPES_CLASSES, TRAINED, index_cityscapes
from tests.layouts import drawn, lay_out


@pytest.fixture
def root(tmp_path):
    return lay_out("cityscapes", tmp_path / "cityscapes", 6, 3)


def test_the_official_layout_is_indexed_with_its_19_classes(root, tmp_path):
    train, holdout, notes = index_data(root, tmp_path / "cache")
    assert (len(train), len(holdout), notes) == (6, 3, [])
    assert train.class_names == CITYSCAPES_CLASSES and train.n_classes == 19
    assert train[0].id == "aachen/aachen_000000_000019_leftImg8bit"
    of_city = {pair.image.parent.name for pair in train}
    assert of_city == {"aachen", "bochum"}
    # The miniature's classes are the first eight; what was void is a label that is not trained.
    known = {pair.id: row for row, pair in enumerate(train)}
    image, mask = train.read(known["bochum/bochum_000001_000019_leftImg8bit"])
    shown, ids = drawn("train").read(1)
    assert np.array_equal(image, shown) and np.array_equal(mask, ids)


def test_a_label_id_is_the_class_of_the_scripts_table():
    assert TRAINED[7] == "road" and [*TRAINED][-1] == 33 and TRAINED[33] == "bicycle"
    assert CITYSCAPES_CLASSES.index("car") == 13 and len(set(CITYSCAPES_CLASSES)) == 19


def test_labels_that_are_not_trained_are_void(root, tmp_path):
    index = index_cityscapes(root, "train", tmp_path / "cache")
    stored = sorted((root / "gtFine").rglob("aachen_000000*"))[0]
    ids, void = read_mask(index[0].mask), read_mask(stored, n_classes=34) == 0
    assert void.any() and (ids[void] == VOID).all() and (ids[~void] < 19).all()


def test_a_missing_mask_and_a_missing_split_are_named(root, tmp_path):
    mask = sorted((root / "gtFine" / "val").rglob("*.png"))[0]
    mask.unlink()
    with pytest.raises(FileNotFoundError, match=rf"{mask.name} is missing \(1 of 3 masks are\)"):
        index_cityscapes(root, "val", tmp_path / "cache")
    with pytest.raises(FileNotFoundError, match="there is no split 'night'"):
        index_cityscapes(root, "night", tmp_path / "cache")
    for city in (root / "leftImg8bit" / "val").iterdir():
        for image in city.iterdir():
            image.unlink()
    with pytest.raises(FileNotFoundError, match="has no folder of a city with images"):
        index_cityscapes(root, "val", tmp_path / "cache")
