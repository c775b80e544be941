"""What pixels mean: images as a viewer shows them, masks that stay ids.

Through files, because each format says it in its own way.
"""

import struct
import zlib

import numpy as np
import PIL
import pytest
from PIL import Image

from helpers.data import VOID, read_image, read_mask, voc_palette
from tests.layouts import stack
from tests.support import palette_mask, save_image

RNG = np.random.default_rng(0)


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
    image = read_image(save_image(tmp_path / "a.png", rgb))
    assert image.dtype == np.uint8 and image.flags.writeable
    np.testing.assert_array_equal(image, rgb)


# Pillow before 13 cannot read the YCbCr TIFF that it has written.
OLD_PILLOW = int(PIL.__version__.split(".")[0]) < 13
YCBCR = pytest.param("YCbCr", marks=pytest.mark.skipif(OLD_PILLOW, reason="Pillow before 13"))


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", YCBCR])
def test_modes_are_shown_as_pillow_shows_them(tmp_path, rgb, mode):
    image = Image.fromarray(rgb).convert(mode)
    path = save_image(tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png"), image)
    np.testing.assert_array_equal(read_image(path), np.asarray(image.convert("RGB")))


def test_a_cmyk_jpeg_keeps_its_colour(tmp_path):
    red = np.full((16, 16, 3), (200, 30, 40), np.uint8)
    path = save_image(tmp_path / "a.jpg", Image.fromarray(red).convert("CMYK"), quality=95)
    assert np.abs(read_image(path).astype(int) - red).max() <= 6


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_images_lie_on_white(tmp_path, mode):
    image = Image.new("RGBA", (4, 2), (0, 0, 0, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    if mode == "PA":
        indexed = Image.new("P", (4, 2), 1)
        indexed.putpalette([9, 9, 9, 0, 0, 0])
        indexed.putpixel((0, 0), 0)
        path = save_image(tmp_path / "a.png", indexed, transparency=0)
    else:
        path = save_image(tmp_path / "a.png", image.convert(mode))
    image = read_image(path)
    assert image.shape == (2, 4, 3)
    assert image[0, 0].tolist() == [255] * 3 and image[1, 1].tolist() == [0] * 3
    if mode != "PA":
        assert image[0, 1].tolist() == [127] * 3


def test_one_transparent_colour_of_an_rgb_png(tmp_path):
    path = save_image(
        tmp_path / "a.png", Image.new("RGB", (3, 3), (10, 20, 30)), transparency=(10, 20, 30)
    )
    assert read_image(path).min() == 255


def test_16_bit_is_scaled_not_cut(tmp_path):
    values = np.array([[0, 257, 32768, 65535]], np.uint16)
    image = read_image(save_image(tmp_path / "a.png", values))
    assert image[0, :, 0].tolist() == [0, 1, 128, 255]
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


def test_levels_say_which_value_is_black_and_which_is_white(tmp_path):
    values = np.array([[0, 100, 2098, 4095, 65_535]], np.uint16)
    path = save_image(tmp_path / "a.png", values)
    assert read_image(path, levels=(100, 4095))[0, :, 0].tolist() == [0, 0, 128, 255, 255]
    eight_bits = save_image(tmp_path / "b.png", np.array([[0, 100, 255]], np.uint8))
    assert read_image(eight_bits, levels=(100, 200))[0, :, 0].tolist() == [0, 100, 255]


def test_a_stack_is_refused_and_a_single_page_is_not(tmp_path):
    with pytest.raises(OSError, match=r"a\.tif cannot be decoded: it is a stack of 3 pages"):
        read_image(stack(tmp_path / "a.tif"))
    assert read_image(stack(tmp_path / "one.tif", 1)).shape == (8, 8, 3)


def test_colours_of_16_bits_are_not_cut_to_their_upper_byte(tmp_path):
    path = tmp_path / "a.png"
    rows = b"".join(b"\0" + bytes(6 * 4) for _ in range(4))
    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )
    with pytest.raises(OSError, match=r"a\.png .* 16 bits a channel, of which only the upper 8"):
        read_image(path)


@pytest.mark.parametrize("meaning", [None, "alpha"])
def test_a_fourth_band_is_neither_cut_off_nor_taken_for_transparency(tmp_path, meaning):
    bands = np.full((4, 5, 4), 100, np.uint8)
    bands[:, 2:, 3] = 30
    path = tmp_path / "aerial.tif"
    extra_samples, unspecified = 338, 0
    tags = {} if meaning else {extra_samples: unspecified}
    Image.fromarray(bands).save(path, tiffinfo=tags)
    with pytest.raises(OSError, match=r"aerial\.tif .* it has 4 bands, of which the first three"):
        read_image(path)


def test_a_tiff_that_is_partly_transparent_lies_on_white(tmp_path):
    bands = np.full((1, 2, 4), 100, np.uint8)
    bands[0, :, 3] = 0, 255
    path = save_image(tmp_path / "cut_out.tif", Image.fromarray(bands))
    assert read_image(path)[0, :, 0].tolist() == [255, 100]


def test_more_pixels_than_pillow_opens_is_no_torn_file(tmp_path, monkeypatch):
    path = save_image(tmp_path / "slide.png", np.zeros((30, 30), np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    with pytest.raises(OSError, match=r"slide\.png has more pixels .* at once \(800\).*`read=`"):
        read_image(path)


def test_float_images_are_refused(tmp_path):
    path = save_image(tmp_path / "a.tif", np.ones((3, 3), np.float32))
    with pytest.raises(OSError, match=r"a.tif.*8 bits a channel"):
        read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_the_camera_orientation_is_followed(tmp_path, orientation, suffix):
    shown = np.zeros((24, 40, 3), np.uint8)
    shown[:8, :8] = 255  # the corner at the top left tells all eight orientations apart
    shown[:8, 8:16, 0] = 255
    # How each orientation stores the image that is to be shown.
    stored = {
        1: shown, 2: shown[:, ::-1], 3: shown[::-1, ::-1], 4: shown[::-1],
        5: shown.swapaxes(0, 1), 6: np.rot90(shown), 7: np.rot90(shown.swapaxes(0, 1), 2),
        8: np.rot90(shown, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    path = save_image(tmp_path / f"a.{suffix}", np.ascontiguousarray(stored), exif=exif, **options)
    assert np.abs(read_image(path).astype(int) - shown).max() <= 8
    assert read_image(path, (12, 20)).shape == (12, 20, 3)


def test_images_are_resized_bilinearly_with_antialiasing(tmp_path):
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = 255
    image = read_image(save_image(tmp_path / "a.png", stripes), (8, 8))
    assert image.shape == (8, 8, 3)
    assert np.abs(image[:, 1:-1].astype(int) - 128).max() <= 8  # point sampling gives 0 or 255


# Masks


@pytest.mark.parametrize("mode", ["P", "L"])
def test_mask_ids_and_void_are_kept(tmp_path, ids, mode):
    path = tmp_path / "m.png"
    palette_mask(path, ids) if mode == "P" else save_image(path, ids)
    mask = read_mask(path, n_classes=21)
    assert mask.dtype == np.uint8 and mask.flags.writeable
    np.testing.assert_array_equal(mask, ids)


def test_one_bit_masks_are_0_and_1(tmp_path):
    ids = np.array([[True, False, True]])
    assert read_mask(save_image(tmp_path / "m.png", ids), n_classes=2).tolist() == [[1, 0, 1]]


def test_16_bit_masks_hold_ids(tmp_path):
    path = save_image(tmp_path / "m.png", np.array([[0, 20, 255]], np.uint16))
    assert read_mask(path, n_classes=21).tolist() == [[0, 20, 255]]
    path = save_image(tmp_path / "big.png", np.array([[0, 256]], np.uint16))
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
    path = save_image(tmp_path / "m.png", coloured)
    np.testing.assert_array_equal(read_mask(path, None, 21, voc_palette(21)), ids)
    with pytest.raises(ValueError, match=r"m.png is coloured. Give the palette"):
        read_mask(path)


def test_an_unknown_colour_is_named(tmp_path, ids):
    coloured = voc_palette()[ids]
    coloured[4, 4] = (1, 2, 3)
    path = save_image(tmp_path / "m.png", coloured)
    with pytest.raises(ValueError, match=r"m.png has the colour \(1, 2, 3\)"):
        read_mask(path, None, 21, voc_palette(21))


def test_half_transparent_and_jpeg_masks_are_refused(tmp_path, ids):
    coloured = Image.fromarray(voc_palette()[ids]).convert("RGBA")
    coloured.putpixel((0, 0), (0, 0, 0, 9))
    with pytest.raises(ValueError, match=r"m.png is partly transparent"):
        read_mask(save_image(tmp_path / "m.png", coloured), None, 21, voc_palette(21))
    with pytest.raises(ValueError, match=r"m.jpg is a JPEG"):
        read_mask(save_image(tmp_path / "m.jpg", ids))
    with pytest.raises(ValueError, match=r"la.png has mode 'LA'"):
        read_mask(save_image(tmp_path / "la.png", Image.new("LA", (3, 3))))


def test_ids_beyond_the_classes_are_named_at_any_size(tmp_path, ids):
    ids[3, 3], ids[5, 5] = 21, 254
    path = palette_mask(tmp_path / "m.png", ids)
    for size in (None, (2, 2)):
        with pytest.raises(ValueError, match=r"m.png holds the class ids 21, 254.*0 to 20"):
            read_mask(path, size, 21)
    np.testing.assert_array_equal(read_mask(path), ids)
