"""Changes of a batch while it is handed over, for `SlidingSubset(..., augment=...)`.

A module of its own because people add theirs here: a function of a batch and a random generator.
"""

import copy

import numpy as np
from PIL import Image

SEEDS = 2**31


def flip_horizontally(images, masks, rng):
    """Mirror about half of the images of a batch, each with its mask.

    `images` (b, h, w, 3) and `masks` (b, h, w), of any dtype, are changed in place and returned;
    `rng` is a `numpy.random.Generator`, of which b numbers are drawn.

    Notebook 07, "Image and mask move together".
    """
    flip = rng.random(len(images)) < 0.5
    images[flip] = images[flip, :, ::-1]
    masks[flip] = masks[flip, :, ::-1]
    return images, masks


def random_crops(size, scales=(0.5, 1.25), stretch=0.2, colour=0.2):
    """A function for `augment=`: of each image a box at random, made as large as `size`.

    The box has `scales` times the sides of the image (drawn on a logarithmic scale), is up to
    exp(`stretch`) wider or narrower, lies anywhere, and is mirrored half of the time. What lies
    beyond the image is black, and void in the mask. Brightness, contrast and saturation are changed
    by up to `colour`. `size` is (height, width); images keep their dtype uint8.

    Raises TypeError for images that are not uint8. Crops of random scale are usual in segmentation,
    see for instance DeepLabv3, arXiv 1706.05587.

    Notebook 07, "Image and mask move together".
    """

    def augment(images, masks, rng):
        _refuse_other_than_bytes(images)
        pairs = zip(images, masks, strict=True)
        crops = [_crop(*pair, size, scales, stretch, rng) for pair in pairs]
        images, masks = map(np.stack, zip(*crops, strict=True))
        return _recoloured(images, colour, rng), masks

    return augment


def _crop(image, mask, size, scales, stretch, rng):
    """One box of an image and of its mask, both as large as `size`."""
    height, width = mask.shape
    scale, aspect = np.exp((rng.uniform(*np.log(scales)), rng.uniform(-stretch, stretch)))
    box_height, box_width = scale * height / np.sqrt(aspect), scale * width * np.sqrt(aspect)
    # A box larger than the image lies around it.
    top = rng.uniform(*sorted((0, height - box_height)))
    left = rng.uniform(*sorted((0, width - box_width)))
    right = left + box_width
    if rng.random() < 0.5:
        left, right = right, left
    box = Image.Transform.EXTENT, (left, top, right, top + box_height)
    shape, resampling = size[::-1], Image.Resampling
    image = Image.fromarray(image).transform(shape, *box, resampling.BILINEAR)
    # One more than the id, so that the 0 of what lies beyond becomes void (255) on the way back.
    shifted = Image.fromarray(mask + np.uint8(1)).transform(shape, *box, resampling.NEAREST)
    return np.asarray(image), np.asarray(shifted) - np.uint8(1)


def _recoloured(images, colour, rng):
    """Brightness, contrast and saturation of each image changed, uint8."""
    light, contrast, saturation = rng.uniform(
        1 - colour, 1 + colour, (3, len(images), 1, 1, 1)
    ).astype(np.float32)
    images = light * images
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    images = mean + contrast * (images - mean)
    grey = images.mean(axis=3, keepdims=True)
    images = grey + saturation * (images - grey)
    return np.rint(images).clip(0, 255).astype(np.uint8)


def _refuse_other_than_bytes(images):
    """What is brighter than 255 would be cut off."""
    if images.dtype != np.uint8:
        raise TypeError(
            f"This augmentation takes images of uint8, and these are {images.dtype}: read them as "
            "bytes, or write a function of (images, masks, rng)."
        )


def by_layers(*layers):
    """A function for `augment=` from Keras' layers that move an image and its mask alike.

    `RandomFlip`, `RandomRotation`, `RandomZoom`, `RandomCrop`, `RandomBrightness` and the like, one
    after the other; see https://keras.io/api/layers/preprocessing_layers/image_augmentation. Masks
    are moved with nearest neighbours, and where a layer fills in a constant they are void. The
    layers' own generators are not asked: what they draw is drawn from `rng`, so that a step has
    the same bytes whenever it is asked for. Raises TypeError naming a layer that cannot do that,
    and for images that are not uint8.

    Notebook 07, "Image and mask move together".
    """
    from keras import ops  # who gives layers has it; the rest here needs none

    for layer in layers:
        if not hasattr(layer, "get_random_transformation"):
            raise TypeError(
                f"{layer!r} does not move images and masks alike. Give layers of Keras' image "
                "augmentation, or a function of (images, masks, rng)."
            )

    def augment(images, masks, rng):
        _refuse_other_than_bytes(images)
        # One more than the id, so that a filled-in 0 becomes void (255) on the way back.
        shifted = (masks + np.uint8(1))[..., None].astype(np.float32)
        images, shifted = map(ops.convert_to_tensor, (images.astype(np.float32), shifted))
        for layer in layers:
            both = {"images": images, "segmentation_masks": shifted}
            seed = int(rng.integers(SEEDS))
            drawn = layer.get_random_transformation(both, training=True, seed=seed)
            # On PyTorch Keras' rotation writes into what was drawn: a copy, for the mask's sake.
            images = layer.transform_images(images, copy.deepcopy(drawn), training=True)
            shifted = layer.transform_segmentation_masks(shifted, drawn, training=True)
        images, shifted = map(ops.convert_to_numpy, (images, shifted))
        images = np.rint(images).clip(0, 255).astype(np.uint8)
        return images, shifted[..., 0].astype(np.uint8) - np.uint8(1)

    return augment
