"""Reading pictures: what a viewer shows, masks that stay ids, errors that name the file."""

import numpy as np
import pytest
from PIL import Image

from helpers.dataset import VOID, Pair, index_voc, voc_palette
from helpers.images import (
    image_size,
    read_block,
    read_image,
    read_mask,
    read_pair,
    segmentation_array,
)

RNG = np.random.default_rng(0)


def save(path, array_or_picture, **options):
    picture = array_or_picture
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    picture.save(path, **options)
    return path


def palette_mask(path, ids, palette=None):
    picture = Image.fromarray(ids)
    picture.putpalette((voc_palette() if palette is None else palette).tobytes())
    return save(path, picture)


@pytest.fixture
def ids():
    values = RNG.integers(0, 21, (9, 7)).astype(np.uint8)
    values[0, :3] = VOID
    return values


@pytest.fixture
def rgb():
    return RNG.integers(0, 256, (9, 7, 3)).astype(np.uint8)


# Images


def test_rgb_stays_as_it_is(tmp_path, rgb):
    image = read_image(save(tmp_path / "a.png", rgb))
    assert image.dtype == np.uint8 and image.flags.writeable
    np.testing.assert_array_equal(image, rgb)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr"])
def test_modes_are_shown_as_pillow_shows_them(tmp_path, rgb, mode):
    picture = Image.fromarray(rgb).convert(mode)
    path = save(tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png"), picture)
    np.testing.assert_array_equal(read_image(path), np.asarray(picture.convert("RGB")))


def test_a_cmyk_jpeg_keeps_its_colour(tmp_path):
    red = np.full((16, 16, 3), (200, 30, 40), np.uint8)
    path = save(tmp_path / "a.jpg", Image.fromarray(red).convert("CMYK"), quality=95)
    assert np.abs(read_image(path).astype(int) - red).max() <= 6


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_pictures_lie_on_white(tmp_path, mode):
    picture = Image.new("RGBA", (4, 2), (0, 0, 0, 255))
    picture.putpixel((0, 0), (0, 0, 0, 0))
    picture.putpixel((1, 0), (0, 0, 0, 128))
    if mode == "PA":
        indexed = Image.new("P", (4, 2), 1)
        indexed.putpalette([9, 9, 9, 0, 0, 0])
        indexed.putpixel((0, 0), 0)
        path = save(tmp_path / "a.png", indexed, transparency=0)
    else:
        path = save(tmp_path / "a.png", picture.convert(mode))
    image = read_image(path)
    assert image.shape == (2, 4, 3)
    assert image[0, 0].tolist() == [255] * 3 and image[1, 1].tolist() == [0] * 3
    if mode != "PA":
        assert image[0, 1].tolist() == [127] * 3


def test_one_transparent_colour_of_an_rgb_png(tmp_path):
    path = save(
        tmp_path / "a.png", Image.new("RGB", (3, 3), (10, 20, 30)), transparency=(10, 20, 30)
    )
    assert read_image(path).min() == 255


def test_16_bit_is_scaled_not_cut(tmp_path):
    values = np.array([[0, 257, 32768, 65535]], np.uint16)
    image = read_image(save(tmp_path / "a.png", values))
    assert image[0, :, 0].tolist() == [0, 1, 128, 255]
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


def test_float_pictures_are_refused(tmp_path):
    path = save(tmp_path / "a.tif", np.ones((3, 3), np.float32))
    with pytest.raises(OSError, match=r"a.tif.*8 bits a channel"):
        read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_the_camera_orientation_is_followed(tmp_path, orientation, suffix):
    shown = np.zeros((24, 40, 3), np.uint8)
    shown[:8, :8] = 255  # the corner at the top left tells all eight orientations apart
    shown[:8, 8:16, 0] = 255
    # How each orientation stores the picture that is to be shown.
    stored = {
        1: shown, 2: shown[:, ::-1], 3: shown[::-1, ::-1], 4: shown[::-1],
        5: shown.swapaxes(0, 1), 6: np.rot90(shown), 7: np.rot90(shown.swapaxes(0, 1), 2),
        8: np.rot90(shown, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    path = save(tmp_path / f"a.{suffix}", np.ascontiguousarray(stored), exif=exif, **options)
    assert image_size(path) == (24, 40)
    assert np.abs(read_image(path).astype(int) - shown).max() <= 8
    assert read_image(path, (12, 20)).shape == (12, 20, 3)


def test_images_are_resized_bilinearly_with_antialiasing(tmp_path):
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = 255
    image = read_image(save(tmp_path / "a.png", stripes), (8, 8))
    assert image.shape == (8, 8, 3)
    assert np.abs(image[:, 1:-1].astype(int) - 128).max() <= 8  # point sampling gives 0 or 255


# Masks


@pytest.mark.parametrize("mode", ["P", "L"])
def test_mask_ids_and_void_are_kept(tmp_path, ids, mode):
    path = tmp_path / "m.png"
    palette_mask(path, ids) if mode == "P" else save(path, ids)
    mask = read_mask(path, n_classes=21)
    assert mask.dtype == np.uint8 and mask.flags.writeable
    np.testing.assert_array_equal(mask, ids)


def test_one_bit_masks_are_0_and_1(tmp_path):
    ids = np.array([[True, False, True]])
    assert read_mask(save(tmp_path / "m.png", ids), n_classes=2).tolist() == [[1, 0, 1]]


def test_16_bit_masks_hold_ids(tmp_path):
    path = save(tmp_path / "m.png", np.array([[0, 20, 255]], np.uint16))
    assert read_mask(path, n_classes=21).tolist() == [[0, 20, 255]]
    path = save(tmp_path / "big.png", np.array([[0, 256]], np.uint16))
    with pytest.raises(ValueError, match=r"big.png holds the class ids 256"):
        read_mask(path)


def test_resizing_a_mask_invents_no_id(tmp_path):
    ids = np.zeros((40, 60), np.uint8)
    ids[:, 30:] = 20
    ids[:, 28:32] = VOID
    path = palette_mask(tmp_path / "m.png", ids)
    for size in ((17, 23), (96, 96), (40, 61)):
        mask = read_mask(path, size, 21)
        assert mask.shape == size
        assert set(np.unique(mask)) <= {0, 20, VOID}
    np.testing.assert_array_equal(read_mask(path, (80, 120)), ids.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_coloured_masks_go_through_the_palette(tmp_path, ids, mode):
    coloured = Image.fromarray(voc_palette()[ids]).convert(mode)
    path = save(tmp_path / "m.png", coloured)
    np.testing.assert_array_equal(read_mask(path, None, 21, voc_palette(21)), ids)
    with pytest.raises(ValueError, match=r"m.png is coloured. Give the palette"):
        read_mask(path)


def test_an_unknown_colour_is_named(tmp_path, ids):
    coloured = voc_palette()[ids]
    coloured[4, 4] = (1, 2, 3)
    path = save(tmp_path / "m.png", coloured)
    with pytest.raises(ValueError, match=r"m.png has the colour \(1, 2, 3\)"):
        read_mask(path, None, 21, voc_palette(21))


def test_half_transparent_and_jpeg_masks_are_refused(tmp_path, ids):
    coloured = Image.fromarray(voc_palette()[ids]).convert("RGBA")
    coloured.putpixel((0, 0), (0, 0, 0, 9))
    with pytest.raises(ValueError, match=r"m.png is partly transparent"):
        read_mask(save(tmp_path / "m.png", coloured), None, 21, voc_palette(21))
    with pytest.raises(ValueError, match=r"m.jpg is a JPEG"):
        read_mask(save(tmp_path / "m.jpg", ids))
    with pytest.raises(ValueError, match=r"la.png has mode 'LA'"):
        read_mask(save(tmp_path / "la.png", Image.new("LA", (3, 3))))


def test_ids_beyond_the_classes_are_named_at_any_size(tmp_path, ids):
    ids[3, 3], ids[5, 5] = 21, 254
    path = palette_mask(tmp_path / "m.png", ids)
    for size in (None, (2, 2)):
        with pytest.raises(ValueError, match=r"m.png holds the class ids 21, 254.*0 to 20"):
            read_mask(path, size, 21)
    np.testing.assert_array_equal(read_mask(path), ids)


def test_a_mask_is_not_turned_with_its_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = save(tmp_path / "i.jpg", np.zeros((20, 30, 3), np.uint8), exif=exif)
    upright = palette_mask(tmp_path / "m.png", np.zeros((30, 20), np.uint8))
    assert read_pair(Pair("a", image, upright))[0].shape == (30, 20, 3)
    lying = palette_mask(tmp_path / "n.png", np.zeros((20, 30), np.uint8))
    with pytest.raises(ValueError, match=r"i.jpg is 30x20 .*n.png is 20x30"):
        read_pair(Pair("a", image, lying), (8, 8))


# Files that are broken


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_truncated_file_is_named_or_was_complete(tmp_path, suffix):
    noise = RNG.integers(0, 256, (24, 32)).astype(np.uint8)
    full = save(tmp_path / f"full.{suffix}", noise)
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
    index[1].image.write_bytes(b"no picture")
    begun = []
    monkeypatch.setattr(
        "helpers.images.read_pair", lambda pair, *rest: begun.append(pair) or read_pair(pair, *rest)
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
