"""Changes of a batch while it is handed over, for `SlidingSubset(..., augment=...)`.

A module of its own because people add theirs here: a function of a batch and a random generator.
"""

import numpy as np

SEEDS = 2**31


def flip_horizontally(images, masks, rng):
    """Mirror about half of the images of a batch, each with its mask.

    `images` (b, h, w, 3) and `masks` (b, h, w), of any dtype, are changed in place and returned;
    `rng` is a `numpy.random.Generator`, of which b numbers are drawn.

    Notebook 03, "Train, 20 rounds, one window in memory".
    """
    flip = rng.random(len(images)) < 0.5
    images[flip] = images[flip, :, ::-1]
    masks[flip] = masks[flip, :, ::-1]
    return images, masks


def by_layers(*layers):
    """A function for `augment=` from Keras' layers that move an image and its mask alike.

    `RandomFlip`, `RandomRotation`, `RandomZoom`, `RandomCrop`, `RandomBrightness` and the like, one
    after the other; see https://keras.io/api/layers/preprocessing_layers/image_augmentation. Masks
    are moved with nearest neighbours, and where a layer fills in a constant they are void. The
    layers' own generators are not asked: what they draw is drawn from `rng`, so that a step has
    the same bytes whenever it is asked for. Raises TypeError naming a layer that cannot do that.
    """
    for layer in layers:
        if not hasattr(layer, "get_random_transformation"):
            raise TypeError(
                f"{layer!r} does not move images and masks alike. Give layers of Keras' image "
                "augmentation, or a function of (images, masks, rng)."
            )

    def augment(images, masks, rng):
        # One more than the id, so that a filled-in 0 becomes void (255) on the way back.
        shifted = (masks + np.uint8(1))[..., None].astype(np.float32)
        images = images.astype(np.float32)
        for layer in layers:
            both = {"images": images, "segmentation_masks": shifted}
            seed = int(rng.integers(SEEDS))
            drawn = layer.get_random_transformation(both, training=True, seed=seed)
            images = layer.transform_images(images, drawn, training=True)
            shifted = layer.transform_segmentation_masks(shifted, drawn, training=True)
        images = np.rint(np.asarray(images)).clip(0, 255).astype(np.uint8)
        return images, np.asarray(shifted)[..., 0].astype(np.uint8) - np.uint8(1)

    return augment
