"""Changes of a batch: a mask moves with its image."""

import keras
import numpy as np
import pytest

from helpers.data import VOID
from helpers.windows.augment import by_layers, flip_horizontally, random_crops


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


def labelled(n=6, size=(12, 16)):
    """Images whose red channel is ten times the class id: 0 to 2, with a void pixel."""
    masks = np.random.default_rng(0).integers(0, 3, (n, *size)).astype(np.uint8)
    masks[:, 0, 0] = VOID
    images = np.repeat(10 * np.minimum(masks, 9)[..., None], 3, axis=-1).astype(np.uint8)
    return images, masks


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomRotation(0.2, fill_mode="constant", interpolation="nearest"),
        keras.layers.RandomTranslation(0.3, 0.3, fill_mode="constant", interpolation="nearest"),
        keras.layers.RandomCrop(8, 10),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_keras_layer_moves_a_mask_with_its_image(layer):
    images, masks = labelled()
    moved, ids = by_layers(layer)(images, masks, np.random.default_rng(4))
    assert moved.dtype == ids.dtype == np.uint8 and moved.shape[:3] == ids.shape
    assert not np.array_equal(ids, masks) and {*np.unique(ids)} <= {0, 1, 2, VOID}
    inside = ids != VOID
    assert inside.mean() > 0.3
    assert np.array_equal(moved[inside][:, 0], 10 * ids[inside])


def test_what_a_layer_fills_in_is_void():
    images, masks = np.full((4, 8, 8, 3), 200, np.uint8), np.ones((4, 8, 8), np.uint8)
    shift = keras.layers.RandomTranslation((0.5, 0.5), (0.0, 0.0), fill_mode="constant")
    moved, ids = by_layers(shift)(images, masks, np.random.default_rng(0))
    assert np.array_equal(ids == VOID, moved[..., 0] == 0) and (ids == VOID).mean() == 0.5


def test_colours_change_and_ids_stay():
    images, masks = labelled()
    augment = by_layers(keras.layers.RandomBrightness(0.5, value_range=(0, 255)))
    changed, ids = augment(images, masks, np.random.default_rng(0))
    assert np.array_equal(ids, masks) and not np.array_equal(changed, images)


def test_layers_draw_from_the_given_generator_alone():
    augment = by_layers(
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomRotation(0.2),
        keras.layers.RandomContrast(0.5, value_range=(0, 255)),
    )
    first, again, other = (augment(*labelled(), np.random.default_rng(k)) for k in (3, 3, 4))
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not np.array_equal(first[1], other[1])


def test_a_crop_moves_a_mask_with_its_image():
    images, masks = labelled(40, (40, 60))
    images = np.repeat(np.repeat(images, 4, 1), 4, 2)  # bilinear blends at borders
    masks = np.repeat(np.repeat(masks, 4, 1), 4, 2)
    augment = random_crops((32, 48), colour=0)
    crops, ids = augment(images, masks, np.random.default_rng(0))
    assert crops.shape == (40, 32, 48, 3) and ids.shape == (40, 32, 48)
    assert crops.dtype == ids.dtype == np.uint8 and {*np.unique(ids)} <= {0, 1, 2, VOID}
    known = ids != VOID
    assert (crops[known][:, 0] == 10 * ids[known]).mean() > 0.5


def test_what_a_crop_finds_beyond_the_image_is_void():
    images, masks = np.full((20, 32, 32, 3), 200, np.uint8), np.ones((20, 32, 32), np.uint8)
    around = random_crops((32, 32), scales=(2, 2), stretch=0, colour=0)
    crops, ids = around(images, masks, np.random.default_rng(0))
    assert np.array_equal(ids == 1, crops[..., 0] == 200)
    assert np.allclose((ids == 1).mean(axis=(1, 2)), 1 / 4, atol=0.03)
    within = random_crops((32, 32), scales=(0.5, 1), stretch=0, colour=0)
    assert (within(images, masks, np.random.default_rng(0))[1] == 1).all()


def test_crops_are_mirrored_half_of_the_time():
    images = np.zeros((60, 32, 32, 3), np.uint8)
    images[:, :, 16:] = 200
    crops, _ = random_crops((32, 32), (1, 1), 0, 0)(
        images, images[..., 0] // 200, np.random.default_rng(0)
    )
    mirrored = (crops[:, :, 0, 0] == 200).all(axis=1)
    assert 15 < mirrored.sum() < 45 and (crops[~mirrored, :, -1, 0] == 200).all()


def test_colours_of_a_crop_change_and_its_ids_do_not():
    images = np.random.default_rng(0).integers(60, 180, (8, 32, 32, 3)).astype(np.uint8)
    masks = np.random.default_rng(1).integers(0, 3, (8, 32, 32)).astype(np.uint8)
    (plain, ids), (coloured, same_ids) = (
        random_crops((32, 32), (1, 1), 0, colour)(images, masks, np.random.default_rng(5))
        for colour in (0, 0.2)
    )
    assert np.array_equal(ids, same_ids)
    light = coloured.mean(axis=(1, 2, 3)) / plain.mean(axis=(1, 2, 3))
    assert ((light > 0.79) & (light < 1.21)).all() and light.std() > 0.05


def test_a_crop_is_drawn_from_the_given_generator_alone():
    augment = random_crops((8, 8))
    first, again, other = (augment(*labelled(), np.random.default_rng(k)) for k in (3, 3, 4))
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not np.array_equal(first[1], other[1])


def test_a_layer_that_moves_no_masks_is_refused():
    with pytest.raises(TypeError, match=r"Rescaling.* does not move images and masks alike"):
        by_layers(keras.layers.Rescaling(1 / 255))


@pytest.mark.parametrize("augment", [random_crops((8, 8)), by_layers()])
def test_images_of_more_than_bytes_are_refused_and_not_cut(augment):
    images, masks = np.full((2, 8, 8, 3), 4000, np.uint16), np.zeros((2, 8, 8), np.uint8)
    with pytest.raises(TypeError, match="uint8, and these are uint16"):
        augment(images, masks, np.random.default_rng(0))
