"""Changes of a batch: a mask moves with its image."""

import numpy as np

from helpers.windows.augment import flip_horizontally


def batch(dtype=np.uint8):
    images = np.arange(40 * 2 * 3 * 3).reshape(40, 2, 3, 3).astype(dtype)
    return images, images[..., 0].copy()


def test_flipping_moves_a_mask_with_its_image():
    images, masks = batch()
    flipped, flipped_masks = flip_horizontally(
        images.copy(), masks.copy(), np.random.default_rng(0)
    )
    np.testing.assert_array_equal(flipped[..., 0], flipped_masks)
    mirrored = [not np.array_equal(a, b) for a, b in zip(images, flipped, strict=True)]
    assert 5 < sum(mirrored) < 35
    np.testing.assert_array_equal(flipped[mirrored], images[mirrored][:, :, ::-1])


def test_it_changes_the_given_arrays_of_any_dtype_and_draws_one_number_an_image():
    images, masks = batch(np.float32)
    rng = np.random.default_rng(3)
    flipped = flip_horizontally(images, masks, rng)
    assert flipped[0] is images and flipped[1] is masks and images.dtype == np.float32
    other = np.random.default_rng(3)
    other.random(40)
    assert rng.random() == other.random()
