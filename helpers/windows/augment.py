"""Changes of a batch while it is handed over, for `SlidingSubset(..., augment=...)`.

A module of its own because people add theirs here: a function of a batch and a random generator.
"""


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
