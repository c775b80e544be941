"""COCO's panoptic masks: objects and regions become classes, all of them or a chosen list."""

import json

import numpy as np
import pytest

from helpers.data import VOID, index_data
from helpers.data import coco as module
from helpers.data.coco import index_coco
from tests.layouts import drawn, lay_out


@pytest.fixture
def root(tmp_path):
    return lay_out("coco", tmp_path / "coco", 4, 2)


def test_every_category_is_a_class_and_what_nobody_labelled_is_void(root, tmp_path):
    train, holdout, notes = index_data(root, tmp_path / "cache")
    assert (len(train), len(holdout), notes) == (4, 2, [])
    assert train.class_names == drawn("train").class_names
    for row in range(4):
        image, mask = train.read(row)
        shown, ids = drawn("train").read(row)
        assert np.array_equal(mask, ids) and np.abs(image.astype(int) - shown).mean() < 5
    assert (mask == VOID).any()


def test_of_a_chosen_list_the_first_is_everything_else(root, tmp_path):
    (root / "classes.txt").write_text("other\nstar\nfish\n")
    train = index_coco(root, "train", tmp_path / "cache")
    assert train.class_names == ("other", "star", "fish")
    names = drawn("train").class_names
    expected = np.zeros(256, np.uint8)
    expected[[names.index("star"), names.index("fish"), VOID]] = 1, 2, VOID
    for row in range(4):
        assert np.array_equal(train.read(row)[1], expected[drawn("train").read(row)[1]])


def test_another_list_makes_other_masks(root, tmp_path):
    first = index_coco(root, "train", tmp_path / "cache")
    (root / "classes.txt").write_text("other\nkite\n")
    second = index_coco(root, "train", tmp_path / "cache")
    assert second.n_classes == 2 and first[0].mask != second[0].mask
    assert {*np.unique(second.read(0)[1])} <= {0, 1, VOID}


def test_the_json_is_read_once(root, tmp_path, monkeypatch):
    index = index_coco(root, "train", tmp_path / "cache")
    asked, read_json = [], module.read_json
    monkeypatch.setattr(module, "read_json", lambda path: asked.append(path) or read_json(path))
    again = index_coco(root, "train", tmp_path / "cache")
    assert [*again] == [*index] and again.class_names == index.class_names
    assert [path.name for path in asked] == ["index.json"]


def test_the_zip_may_be_unpacked_beside_the_images(root, tmp_path):
    (root / "annotations" / "panoptic_val2017").rename(root / "panoptic_val2017")
    assert len(index_coco(root, "val", tmp_path / "cache")) == 2


def test_what_is_missing_is_named(root, tmp_path):
    cache = tmp_path / "cache"
    (root / "classes.txt").write_text("other\nunicorn\n")
    with pytest.raises(ValueError, match=r"names 'unicorn', which is no category.*balloon"):
        index_coco(root, "train", cache)
    (root / "classes.txt").unlink()
    path = root / "annotations" / "panoptic_train2017.json"
    report = json.loads(path.read_text())
    report["annotations"][1]["segments_info"].pop()
    path.write_text(json.dumps(report))
    with pytest.raises(ValueError, match=r"000000001001\.png has the object \d+, which its JSON"):
        index_coco(root, "train", cache)
    (root / "train2017" / "000000001000.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"000000001000\.jpg is missing \(1 of 4"):
        index_coco(root, "train", cache)
    (root / "val2017").rename(root / "gone")
    with pytest.raises(FileNotFoundError, match="val2017 is not a folder: unpack COCO's images"):
        index_coco(root, "val", cache)
    with pytest.raises(FileNotFoundError, match=r"has no panoptic_test….json"):
        index_coco(root, "test", cache)
