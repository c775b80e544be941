"""Tiles of large images: they cover everything, and an image is decoded once for its tiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.data import index_folder
from helpers.data.index import Index
from helpers.data.tiles import read_tiles, tile_places, tiles_of
from helpers.windows import Geometry, SlidingSubset
from tests.support import save_image

SIZE = (8, 10)


@pytest.fixture
def index(tmp_path):
    """Three images of 20×33; a pixel's colour says its image, row and column."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    rows, columns = np.mgrid[:20, :33]
    for k in range(3):
        pixels = np.stack([np.full_like(rows, k), rows, columns], axis=-1).astype(np.uint8)
        save_image(tmp_path / "images" / f"{k}.png", pixels)
        save_image(tmp_path / "masks" / f"{k}.png", ((rows + columns) % 2).astype(np.uint8))
    return index_folder(tmp_path / "images", tmp_path / "masks", ["even", "odd"])


@given(st.data())
def test_tiles_cover_every_pixel_and_stay_inside(data):
    size = height, width = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    whole = data.draw(st.integers(height, 30)), data.draw(st.integers(width, 30))
    overlap = data.draw(st.integers(0, min(size) - 1))
    covered = np.zeros(whole, int)
    places = tile_places(*whole, size, overlap)
    for top, left in places:
        assert 0 <= top <= whole[0] - height and 0 <= left <= whole[1] - width
        covered[top : top + height, left : left + width] += 1
    assert covered.min() >= 1 and len(set(places)) == len(places)


def test_a_tile_is_a_row_and_shows_its_part_of_its_image(index):
    tiles = tiles_of(index, SIZE, overlap=2)
    assert len(tiles) == 3 * 3 * 4 and tiles.n_classes == 2
    n = len(tiles)
    images, masks = np.empty((n, *SIZE, 3), np.uint8), np.empty((n, *SIZE), np.uint8)
    read_tiles(tiles, np.arange(n), SIZE, images, masks)
    for image, mask, (row, top, left) in zip(images, masks, tiles.places, strict=True):
        assert image[0, 0].tolist() == [row, top, left]
        assert image[-1, -1].tolist() == [row, top + 7, left + 9]
        assert np.array_equal(mask, (image[..., 1].astype(int) + image[..., 2]) % 2)


def test_an_image_is_decoded_once_for_its_tiles_in_a_window(index, monkeypatch):
    decoded, read = [], Index.read

    def noted(self, row, *options):
        decoded.append(row)
        return read(self, row, *options)

    monkeypatch.setattr(Index, "read", noted)
    tiles = tiles_of(index, SIZE, overlap=2)
    geometry = Geometry(len(tiles), 24, 12, SIZE, batch_size=6, passes=3)
    with SlidingSubset(tiles, geometry, read=read_tiles) as subset:
        shown = [image[0, 0].tolist() for images, _ in subset for image in images]
    assert sorted(decoded) == [0, 1, 2]  # twelve tiles each, and the stride is as many
    assert {tuple(place) for place in shown} == {tuple(place) for place in tiles.places}


def test_what_does_not_fit_is_named(index):
    with pytest.raises(ValueError, match=r"0\.png is 20x33: 20 pixels are fewer than a tile's 21"):
        tiles_of(index, (21, 10))
    with pytest.raises(ValueError, match="overlap must be 0 or more and less than a tile's 8"):
        tile_places(20, 20, (8, 8), 8)
    tiles = tiles_of(index, SIZE)
    with pytest.raises(ValueError, match=r"The tiles are \(8, 10\), and \(4, 4\) was asked for"):
        read_tiles(tiles, np.arange(2), (4, 4), None, None)
