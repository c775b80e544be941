"""Images too large for one input, as tiles: rows of an index are parts of an image.

A picture of 6,000×4,000 pixels resized to a network's input has no small things left in it. Cut
into tiles it keeps them all. A tile is a row here, so window, ring and geometry stay what they are;
an image is decoded once for all of its tiles that are asked for together.
"""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from .index import Index
from .pixels import naming
from .read import in_threads


@dataclass(frozen=True, eq=False)
class Tiles:
    """Tiles of one size of the images of an index; made by `tiles_of`.

    `places` is int32 (n, 3): the image's row in `index`, and the tile's top and left.
    """

    index: Index
    size: tuple[int, int]
    places: np.ndarray

    def __len__(self):
        return len(self.places)

    def __getitem__(self, rows):
        return replace(self, places=self.places[rows])

    @property
    def n_classes(self):
        """Number of classes, background included, void not."""
        return self.index.n_classes


def tile_places(height, width, size, overlap=0) -> list[tuple[int, int]]:
    """(top, left) of tiles of `size` (h, w) that cover an image, row by row.

    Neighbours share `overlap` pixels, the last ones of a row and of a column more: they are moved
    back into the image. Raises ValueError for an image that is smaller than a tile, and for an
    overlap that leaves nothing new.
    """
    return [
        (top, left)
        for top in _starts(height, size[0], overlap)
        for left in _starts(width, size[1], overlap)
    ]


def _starts(length, tile, overlap):
    if length < tile:
        raise ValueError(f"{length} pixels are fewer than a tile's {tile}: take smaller tiles.")
    if not 0 <= overlap < tile:
        raise ValueError(f"overlap must be 0 or more and less than a tile's {tile}, not {overlap}.")
    last, step = length - tile, tile - overlap
    return [*range(0, last, step), last]


def tiles_of(index: Index, size, overlap=0) -> Tiles:
    """All tiles of `size` (height, width) of all images, image by image; only headers are read.

    Shuffle the index and not the tiles: those of an image lie together, so that it is decoded once,
    and the order within a window is drawn anyway. Raises ValueError naming an image smaller than a
    tile.

    Notebook 08, "A tile is a row".
    """
    places = []
    for row, pair in enumerate(index):
        with naming(pair.image), Image.open(pair.image) as image:
            width, height = image.size
        try:
            found = tile_places(height, width, size, overlap)
        except ValueError as error:
            raise ValueError(f"{pair.image} is {height}x{width}: {error}") from None
        places += [(row, top, left) for top, left in found]
    return Tiles(index, tuple(size), np.array(places, np.int32).reshape(-1, 3))


def read_tiles(tiles: Tiles, rows, size, images, masks) -> None:
    """Fill `images`, uint8 (n, h, w, 3), and `masks`, uint8 (n, h, w), with the tiles `rows`.

    For `SlidingSubset(tiles, geometry, read=read_tiles)`. Images are decoded side by side, each
    once. Raises ValueError if `size` is not that of the tiles, and what `Index.read` raises.
    """
    if tuple(size) != tiles.size:
        raise ValueError(f"The tiles are {tiles.size}, and {tuple(size)} was asked for.")
    height, width = tiles.size
    wanted = tiles.places[rows]

    def read(row):
        image, mask = tiles.index.read(int(row))
        for slot in np.flatnonzero(wanted[:, 0] == row):
            _, top, left = wanted[slot]
            part = slice(top, top + height), slice(left, left + width)
            images[slot], masks[slot] = image[part], mask[part]

    for _ in in_threads(read, np.unique(wanted[:, 0])):
        pass
