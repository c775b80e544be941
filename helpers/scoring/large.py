"""The classes of an image that is larger than a network's input: tile by tile, without seams."""

import numpy as np

from helpers.data.tiles import tile_places


def predict_large(model, image, tile, overlap, batch_size: int = 8) -> np.ndarray:
    """Most likely class of each pixel, uint8 (h, w), of an image uint8 (h, w, 3) of any size.

    The model is given tiles of `tile` (height, width) that overlap by `overlap` pixels. Where tiles
    overlap, their probabilities are averaged, each weighted by how far the pixel lies from its
    tile's border: what a network says of a border it says without knowing what is beyond. In memory
    beside the image are one batch and the probabilities of one row of tiles. An image smaller than
    a tile is filled up with zeros first.

    Notebook 08, "Back to one slide".
    """
    height, width = image.shape[:2]
    lacking = [max(0, tile[0] - height), max(0, tile[1] - width)]
    if any(lacking):
        image = np.pad(image, [(0, lacking[0]), (0, lacking[1]), (0, 0)])
    return _predict(model, image, tile, overlap, batch_size)[:height, :width]


def _predict(model, image, tile, overlap, batch_size):
    height, width = image.shape[:2]
    n_classes = model.output_shape[-1]
    weight = tile_weights(tile)
    found = np.empty((height, width), np.uint8)
    # The sums of a strip as high as a tile, from row `top` on.
    sums = np.zeros((tile[0], width, n_classes), np.float32)
    total, top = np.zeros((tile[0], width), np.float32), 0
    places = tile_places(height, width, tile, overlap)
    for start in sorted({place[0] for place in places}):
        done = start - top
        if done:  # rows above this strip will get nothing more
            found[top:start] = _classes(sums[:done], total[:done])
            for array in (sums, total):
                array[:-done] = array[done:].copy()
                array[-done:] = 0
            top = start
        lefts = [left for row, left in places if row == start]
        for first in range(0, len(lefts), batch_size):
            part = lefts[first : first + batch_size]
            tiles = [image[start : start + tile[0], left : left + tile[1]] for left in part]
            for left, chance in zip(part, _probabilities(model, np.stack(tiles)), strict=True):
                sums[:, left : left + tile[1]] += chance * weight[..., None]
                total[:, left : left + tile[1]] += weight
    found[top:] = _classes(sums[: height - top], total[: height - top])
    return found


def tile_weights(tile) -> np.ndarray:
    """float32 (h, w): 1 in the middle of a tile, falling in a straight line to its border.

    Nowhere 0, so that the border of the image, which no other tile covers, is decided, too.
    """
    ramps = []
    for length in tile:
        place = np.arange(length) + 0.5
        ramps.append(np.minimum(place, length - place) / (length / 2))
    return np.outer(*ramps).astype(np.float32)


def _probabilities(model, tiles):
    logits = np.asarray(model.predict_on_batch(tiles), np.float32)
    scores = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return scores / scores.sum(axis=-1, keepdims=True)


def _classes(sums, total):
    return (sums / total[..., None]).argmax(axis=-1)
