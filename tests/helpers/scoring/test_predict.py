"""Predictions batch by batch, and the matrices of a whole index, small and at native size."""

import numpy as np
import pytest
from PIL import Image

from helpers.data import index_folder, read
from helpers.scoring import evaluate, image_matrices, predict_masks


class SaysRed:
    """A stand-in for a network: the logit of class 1 is how red a pixel is, others are 100."""

    def predict_on_batch(self, images):
        assert len(images) <= 2
        flat = np.full(images.shape[:3], 100.0)
        return np.stack([flat, images[..., 0].astype(float), flat - 1], axis=-1)


def test_predict_masks_goes_batch_by_batch():
    images = np.zeros((5, 4, 4, 3), np.uint8)
    images[3, 1, 2, 0] = 200
    masks = predict_masks(SaysRed(), images, batch_size=2)
    expected = np.zeros((5, 4, 4), np.uint8)
    expected[3, 1, 2] = 1
    assert masks.dtype == np.uint8
    np.testing.assert_array_equal(masks, expected)


@pytest.fixture
def red_squares(tmp_path):
    """Three images 24×32, red where the mask is 1; a void column; the sizes differ."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for i in range(3):
        mask = np.zeros((24, 32 + 8 * i), np.uint8)
        mask[8:16, 8:16] = 1
        mask[:, -4:] = 255
        image = np.zeros((*mask.shape, 3), np.uint8)
        image[mask == 1] = (200, 0, 0)
        Image.fromarray(image).save(tmp_path / "images" / f"{i}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"{i}.png")
    return index_folder(tmp_path / "images", tmp_path / "masks", ["background", "red", "blue"])


def test_evaluate_adds_up_all_images(red_squares):
    matrix = evaluate(SaysRed(), red_squares[:1], (24, 32), batch_size=2)
    np.testing.assert_array_equal(matrix, np.diag([24 * 28 - 64, 64, 0]))
    matrices = list(image_matrices(SaysRed(), red_squares, (24, 32), batch_size=2))
    assert len(matrices) == 3
    total = evaluate(SaysRed(), red_squares, (24, 32), batch_size=2)
    np.testing.assert_array_equal(total, sum(matrices))


def test_evaluate_at_native_size_counts_the_pixels_of_the_masks(red_squares):
    native = evaluate(SaysRed(), red_squares, (12, 16), native=True, batch_size=2)
    assert native.sum() == 24 * (28 + 36 + 44)
    small = evaluate(SaysRed(), red_squares, (12, 16), batch_size=2)
    assert small.sum() < native.sum() / 3
    np.testing.assert_array_equal(native.sum(axis=1)[1:], [3 * 64, 0])


def test_at_native_size_every_file_is_decoded_once(red_squares, monkeypatch):
    decoded = []
    for name in ("image_array", "mask_array"):
        really = getattr(read, name)

        def note(image, path, *rest, really=really):
            decoded.append(path)
            return really(image, path, *rest)

        monkeypatch.setattr(read, name, note)
    evaluate(SaysRed(), red_squares, (12, 16), native=True, batch_size=2)
    assert sorted(decoded) == sorted(path for pair in red_squares for path in pair[1:])


def test_native_size_resizes_the_logits_before_the_argmax(red_squares):
    class Ramp:
        """Class 1 gains linearly from left to right: its border lies between network pixels."""

        def predict_on_batch(self, images):
            ramp = np.broadcast_to(np.linspace(-1, 1, images.shape[2]), images.shape[:3])
            return np.stack([0.3 + 0 * ramp, ramp, -9 + 0 * ramp], axis=-1).astype(np.float32)

    # Four columns at -1, -1/3, 1/3, 1: with 8 pixels a column, 0.3 is reached in column 19 of 32.
    native = evaluate(Ramp(), red_squares[:1], (24, 4), native=True)
    predicted_one = native[:, 1].sum() / 24
    assert predicted_one == 28 - 20
