"""Predictions batch by batch, and the matrices of a data set, small and at native size."""

import numpy as np
import pytest
from PIL import Image

from helpers.data import index_folder, read
from helpers.scoring import evaluate, evaluate_native, predict_masks
from helpers.windows import Geometry, SlidingSubset


class SaysRed:
    """A stand-in for a network: the logit of class 1 is how red a pixel is, others are 100."""

    output_shape = (None, None, None, 3)

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


def evaluated(index, geometry, size=(24, 32), **options):
    with SlidingSubset(index, geometry(len(index), size, 2), finite=True) as data:
        return evaluate(SaysRed(), data, **options)


@pytest.mark.parametrize("geometry", [Geometry.one_window, Geometry.stream])
def test_evaluate_gives_the_same_matrices_for_a_window_and_a_stream(red_squares, geometry):
    matrices = evaluated(red_squares, geometry, per_image=True)
    # In the network's size the squares differ in width, so no two matrices are equal.
    alone = [evaluated(red_squares[i : i + 1], geometry) for i in range(3)]
    np.testing.assert_array_equal(matrices, alone)
    np.testing.assert_array_equal(matrices[0], np.diag([24 * 28 - 64, 64, 0]))
    assert len({matrix.tobytes() for matrix in matrices}) == 3
    total = evaluated(red_squares, geometry)
    assert matrices.dtype == total.dtype == np.int64
    np.testing.assert_array_equal(total, matrices.sum(axis=0))


def test_evaluate_takes_a_list_of_batches():
    images, truths = np.zeros((3, 4, 4, 3), np.uint8), np.zeros((3, 4, 4), np.uint8)
    images[1, 0, 0, 0], truths[2] = 200, 255
    batches = [(images[:2], truths[:2]), (images[2:], truths[2:])]
    matrices = evaluate(SaysRed(), batches, per_image=True)
    assert matrices[:, 0].tolist() == [[16, 0, 0], [15, 1, 0], [0, 0, 0]]
    assert evaluate(SaysRed(), batches).tolist() == [[31, 1, 0], [0, 0, 0], [0, 0, 0]]


def test_evaluate_refuses_data_without_an_end(red_squares):
    geometry = Geometry.one_window(3, (24, 32), 2)
    with (
        SlidingSubset(red_squares, geometry) as subset,
        pytest.raises(ValueError, match="never ends: make the SlidingSubset with finite=True"),
    ):
        evaluate(SaysRed(), subset)


def test_evaluate_native_counts_the_pixels_of_the_masks(red_squares):
    native = evaluate_native(SaysRed(), red_squares, (12, 16), batch_size=2)
    assert native.dtype == np.int64 and native.sum() == 24 * (28 + 36 + 44)
    np.testing.assert_array_equal(native.sum(axis=1)[1:], [3 * 64, 0])


def test_at_native_size_every_file_is_decoded_once(red_squares, monkeypatch):
    decoded = []
    for name in ("image_array", "mask_array"):
        really = getattr(read, name)

        def note(image, path, *rest, really=really):
            decoded.append(path)
            return really(image, path, *rest)

        monkeypatch.setattr(read, name, note)
    evaluate_native(SaysRed(), red_squares, (12, 16), batch_size=2)
    assert sorted(decoded) == sorted(path for pair in red_squares for path in pair[1:])


def test_native_size_resizes_the_logits_before_the_argmax(red_squares):
    class Ramp:
        """Class 1 gains linearly from left to right: its border lies between network pixels."""

        def predict_on_batch(self, images):
            ramp = np.broadcast_to(np.linspace(-1, 1, images.shape[2]), images.shape[:3])
            return np.stack([0.3 + 0 * ramp, ramp, -9 + 0 * ramp], axis=-1).astype(np.float32)

    # Four columns at -1, -1/3, 1/3, 1: with 8 pixels a column, 0.3 is reached in column 19 of 32.
    native = evaluate_native(Ramp(), red_squares[:1], (24, 4))
    predicted_one = native[:, 1].sum() / 24
    assert predicted_one == 28 - 20
