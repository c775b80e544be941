"""One network asked several times for each image: larger, and mirrored.

Known as test-time augmentation, or multi-scale and flipped inputs at test time (Chen and others
2017, DeepLabv3, arXiv 1706.05587, section 4).
"""

import math

import keras
from keras import layers, ops

SCALES = (1, 1.25)


def average_answers(
    model: keras.Model, size: tuple[int, int], scales: tuple[float, ...] = SCALES
) -> keras.Model:
    """A network that gives the mean of several answers of `model`; it has the same weights.

    It takes images (n, h, w, 3), uint8 or float, of `size` (h, w), asks `model` for each of them
    and for its mirror image in each of the `scales`, and averages the probabilities. A scale that
    is not 1 resizes bilinearly, up or down to the next multiples of 32 pixels, so a small image may
    change by more than it says, and a little in shape. Out comes the logarithm of that mean,
    float32 (n, h, w, C): it stands for logits wherever `model` does. An answer costs as much as two
    of `model` for each scale, times its square. Raises ValueError if `model` was built for images
    of one size.

    Notebook 07, "Ask more than once".
    """
    if model.input_shape[1:3] != (None, None):
        raise ValueError(
            f"{model.name} takes images of {model.input_shape[1:3]} only. Build it anew with the "
            "size (None, None), and set its weights to those of this one."
        )
    images = keras.Input((*size, 3), name="pictures")
    answers = []
    for scale in scales:
        whole = math.ceil if scale > 1 else math.floor
        sides = [max(32, whole(scale * length / 32) * 32) for length in size]
        seen = images if scale == 1 else layers.Resizing(*sides, dtype="float32")(images)
        mirrored = ops.flip(model(ops.flip(seen, axis=2)), axis=2)
        for logits in (model(seen), mirrored):
            answers.append(layers.Resizing(*size, dtype="float32")(ops.softmax(logits)))
    # A class that is impossible to all of them has a finite logarithm, too.
    logits = ops.log(sum(answers) / len(answers) + keras.config.epsilon())
    return keras.Model(images, logits, name=f"averaged_{model.name}")
