"""The same pairs from files and from one ArrayRecord."""

import importlib.util

import numpy as np
import pytest

from experiments.packed import WAYS, decode, pack, read_all, source
from helpers.data import index_voc
from helpers.settings import DATA_FOLDERS

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("grain", "array_record")),
    reason="grain or array-record is not installed: make distributed",
)
SIZE = (24, 32)


@pytest.fixture(scope="module")
def index():
    return index_voc(DATA_FOLDERS["tiny"], "train")[:6]


@pytest.fixture(scope="module")
def packed(index, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "pairs.array_record"
    assert (
        pack(index, path)
        == path.stat().st_size
        > sum(file.stat().st_size for pair in index for file in (pair.image, pair.mask))
    )
    return path


def test_both_give_the_same_pairs_by_number(index, packed):
    sources = [source(way, index, packed, SIZE) for way in WAYS]
    for row in (3, 0, 5):
        for one, other in zip(sources[0][row], sources[1][row], strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(sources[0][row][0], index.read(row, SIZE)[0])


def test_every_pair_is_read_once_in_either_way(index, packed):
    found = [read_all(index, packed, SIZE, way, turn=1)["rows"][0] for way in WAYS]
    total = sum(int(index.read(row, SIZE)[0].sum(dtype=np.int64)) for row in range(len(index)))
    assert [row["sum_of_pixels"] for row in found] == [total, total]
    assert all(row["images_per_s"] > 0 for row in found)


def test_a_record_is_cut_where_the_image_ends(index):
    pair = index[0]
    image, mask = pair.image.read_bytes(), pair.mask.read_bytes()
    record = len(image).to_bytes(4, "little") + image + mask
    found = decode(record, index, SIZE)
    assert all(np.array_equal(*both) for both in zip(found, index.read(0, SIZE), strict=True))


def test_an_unknown_way_is_named(index, packed):
    with pytest.raises(ValueError, match="'tar' is not a way; there are: files, array_record"):
        source("tar", index, packed, SIZE)
