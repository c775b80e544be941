"""Reading files: pairs that fit, blocks of them, errors that name the file."""

import numpy as np
import pytest
from PIL import Image

from helpers.data import (
    VOID,
    Pair,
    index_voc,
    read_block,
    read_image,
    read_mask,
    read_pair,
    segmentation_array,
)
from tests.support import palette_mask, save_image

RNG = np.random.default_rng(0)


@pytest.fixture
def ids():
    values = RNG.integers(0, 21, (9, 7)).astype(np.uint8)
    values[0, :3] = VOID
    return values


# Pairs


def test_a_mask_is_not_turned_with_its_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = save_image(tmp_path / "i.jpg", np.zeros((20, 30, 3), np.uint8), exif=exif)
    upright = palette_mask(tmp_path / "m.png", np.zeros((30, 20), np.uint8))
    assert read_pair(Pair("a", image, upright))[0].shape == (30, 20, 3)
    lying = palette_mask(tmp_path / "n.png", np.zeros((20, 30), np.uint8))
    with pytest.raises(ValueError, match=r"i.jpg is 30x20 .*n.png is 20x30"):
        read_pair(Pair("a", image, lying), (8, 8))


def test_the_shown_sizes_of_a_pair_are_compared_in_every_orientation(tmp_path):
    mask = palette_mask(tmp_path / "m.png", np.zeros((24, 40), np.uint8))
    for orientation in range(1, 9):
        stored = (24, 40, 3) if orientation < 5 else (40, 24, 3)
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = save_image(tmp_path / "i.png", np.zeros(stored, np.uint8), exif=exif)
        assert read_pair(Pair("a", image, mask))[0].shape == (24, 40, 3)


def test_a_mask_can_keep_its_size_on_disk(voc_folder):
    pair = index_voc(voc_folder())[1]
    image, mask = read_pair(pair, (8, 6), 21, native_mask=True)
    assert image.shape == (8, 6, 3)
    np.testing.assert_array_equal(mask, read_mask(pair.mask, n_classes=21))


# Files that are broken


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_truncated_file_is_named_or_was_complete(tmp_path, suffix):
    noise = RNG.integers(0, 256, (24, 32)).astype(np.uint8)
    full = save_image(tmp_path / f"full.{suffix}", noise)
    expected, data, path = read_image(full), full.read_bytes(), tmp_path / f"cut.{suffix}"
    refused = 0
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        try:
            np.testing.assert_array_equal(read_image(path), expected)
        except OSError as error:
            refused += 1
            assert "cut" in str(error) and "cannot be decoded" in str(error)
    assert refused >= 0.9 * len(range(0, len(data), 7))


def test_a_truncated_mask_and_a_missing_file_are_named(tmp_path, ids):
    path = palette_mask(tmp_path / "m.png", np.tile(ids, (9, 9)))
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(OSError, match=r"m.png cannot be decoded"):
        read_mask(path)
    with pytest.raises(OSError, match=r"m.png cannot be decoded"):
        read_pair(Pair("m", path, path), (8, 8))
    with pytest.raises(FileNotFoundError, match=r"none.jpg"):
        read_image(tmp_path / "none.jpg")


# Blocks


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_a_block_equals_its_pairs(voc_folder, threads):
    index = index_voc(voc_folder(7))
    rows = [5, 0, 3, 3]
    images, masks = read_block(index, rows, (8, 6), threads=threads)
    assert images.shape == (4, 8, 6, 3) and masks.shape == (4, 8, 6)
    assert images.dtype == masks.dtype == np.uint8
    for slot, row in enumerate(rows):
        image, mask = read_pair(index[row], (8, 6), 21, index.palette)
        np.testing.assert_array_equal(images[slot], image)
        np.testing.assert_array_equal(masks[slot], mask)


def test_a_block_fills_the_given_arrays(voc_folder):
    index = index_voc(voc_folder(3))
    space = np.zeros((5, 8, 6, 3), np.uint8), np.zeros((5, 8, 6), np.uint8)
    images, masks = read_block(index, range(3), (8, 6), space[0][1:4], space[1][1:4])
    assert images.base is space[0] and masks.base is space[1]
    np.testing.assert_array_equal(space[0][1:4], read_block(index, range(3), (8, 6))[0])
    assert not space[0][[0, 4]].any() and not space[1][[0, 4]].any()


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (np.zeros((2, 8, 6, 3), np.uint8), None),
        (np.zeros((3, 6, 8, 3), np.uint8), None),
        (np.zeros((3, 8, 6, 3), np.float32), None),
        (None, np.zeros((3, 8, 6, 1), np.uint8)),
        (None, np.zeros((3, 8, 6), np.int64)),
        (None, np.broadcast_to(np.uint8(0), (3, 8, 6))),
    ],
)
def test_a_block_refuses_arrays_that_do_not_fit(voc_folder, images, masks):
    index = index_voc(voc_folder(3))
    with pytest.raises(ValueError, match=r"must be a writeable uint8 array of shape \(3, 8, 6"):
        read_block(index, range(3), (8, 6), images, masks)


@pytest.mark.parametrize("threads", [0, -1])
def test_a_block_without_threads_is_refused(voc_folder, threads):
    with pytest.raises(ValueError, match=f"threads must be None or at least 1, not {threads}"):
        read_block(index_voc(voc_folder()), [0], (8, 6), threads=threads)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_error_ends_a_block(voc_folder, monkeypatch, threads):
    index = index_voc(voc_folder(6))
    index[1].image.write_bytes(b"no image")
    begun = []
    monkeypatch.setattr(
        "helpers.data.read.read_pair",
        lambda pair, *rest: begun.append(pair) or read_pair(pair, *rest),
    )
    rows = np.arange(600) % 6
    with pytest.raises(OSError, match=r"2007_000001.jpg"):
        read_block(index, rows, (8, 6), threads=threads)
    assert len(begun) < 600


# The article's function


def test_segmentation_array_is_one_hot_with_void_all_zero(tmp_path, ids):
    path = palette_mask(tmp_path / "m.png", ids)
    one_hot = segmentation_array(path, 21, 7, 9)
    assert one_hot.shape == (9, 7, 21) and one_hot.dtype == np.float64
    np.testing.assert_array_equal(one_hot.sum(axis=2), ids != VOID)
    np.testing.assert_array_equal(one_hot.argmax(axis=2)[ids != VOID], ids[ids != VOID])
    small = segmentation_array(path, 21, width=4, height=3, dtype=np.uint8)
    assert small.shape == (3, 4, 21) and small.dtype == np.uint8
    assert set(np.unique(small)) <= {0, 1}
