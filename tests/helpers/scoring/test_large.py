"""Classes of an image in tiles: as of the whole image, whatever the tiles, and no seams."""

import numpy as np
import pytest

from helpers.memory import measure_peak
from helpers.scoring.large import predict_large, tile_weights
from helpers.units import MIB

RNG = np.random.default_rng(0)
TILE = (16, 24)


class PixelByPixel:
    """A network that sees one pixel: the channel that is brightest is the class."""

    output_shape = (None, None, None, 3)

    def __init__(self):
        self.shapes = []

    def predict_on_batch(self, tiles):
        self.shapes.append(tiles.shape)
        return tiles.astype(np.float32)


@pytest.mark.parametrize("shape", [(16, 24), (50, 70), (17, 100), (33, 24), (10, 60), (5, 7)])
@pytest.mark.parametrize("overlap", [0, 6, 15])
def test_it_says_what_the_whole_image_would_get(shape, overlap):
    image = RNG.integers(0, 256, (*shape, 3)).astype(np.uint8)
    image[..., 0] |= 1  # no two channels tie
    image[..., 1:] &= 254
    model = PixelByPixel()
    found = predict_large(model, image, TILE, overlap, batch_size=3)
    expected = image.argmax(axis=-1)
    ties = np.sort(image, axis=-1)[..., -1] == np.sort(image, axis=-1)[..., -2]
    assert found.dtype == np.uint8 and found.shape == shape
    assert np.array_equal(found[~ties], expected[~ties])
    assert {one[1:] for one in model.shapes} == {(*TILE, 3)}
    assert max(one[0] for one in model.shapes) <= 3


class WrongAtTheBorder(PixelByPixel):
    """A network that says class 2 within two pixels of its tile's border, and 0 elsewhere."""

    def predict_on_batch(self, tiles):
        logits = np.zeros((*tiles.shape[:3], 3), np.float32)
        logits[..., 2] = 5
        logits[:, 2:-2, 2:-2] = [5, 0, 0]
        return logits


def test_where_tiles_overlap_the_one_decides_that_sees_further():
    image = np.zeros((64, 96, 3), np.uint8)
    found = predict_large(WrongAtTheBorder(), image, TILE, overlap=12)
    assert (found[2:-2, 2:-2] == 0).all()  # no seam inside
    assert (found[0] == 2).all()
    with_seams = predict_large(WrongAtTheBorder(), image, TILE, overlap=0)
    assert (with_seams[2:-2, 2:-2] == 2).any()


def test_weights_are_highest_in_the_middle_and_nowhere_zero():
    weights = tile_weights((4, 6))
    assert weights.shape == (4, 6) and weights.dtype == np.float32 and weights.min() > 0
    assert weights.max() == weights[1, 2] == pytest.approx(0.75 * 2.5 / 3)
    assert np.array_equal(weights, weights[::-1, ::-1])


def predict_much(height, width):
    image = np.zeros((height, width, 3), np.uint8)
    predict_large(PixelByPixel(), image, (64, 64), 16)


@pytest.mark.slow
def test_a_strip_of_probabilities_is_in_memory_and_never_all_of_them():
    of_height = [
        measure_peak(predict_much, height, 1024, base_imports=("helpers.scoring.large",))
        for height in (512, 4096)
    ]
    more = of_height[1].increment_bytes - of_height[0].increment_bytes
    image, everything = 3584 * 1024 * 4, 3584 * 1024 * 3 * 4  # image and classes; probabilities
    assert more < image + everything / 2 + 4 * MIB
