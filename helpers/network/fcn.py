"""Fully convolutional networks: FCN-32s, FCN-16s and FCN-8s (Long, Shelhamer, Darrell 2015).

A backbone halves the image five times. Three of its feature maps are tapped: pool3, pool4 and
pool5, at strides 8, 16 and 32. A 1×1 convolution turns each into one score a class, and the scores
climb back to the size of the image: ×2, ×2, ×8. FCN-32s climbs from pool5 alone, FCN-16s adds the
scores of pool4 on the way, FCN-8s also those of pool3.

Where this differs from the paper: there FCN-32s climbs ×32 in one step, and FCN-16s ×16 in its
last. Here all three take the same steps, so the skips are the only difference between them. As in
the paper the ×2 steps start bilinear and are learned, and the last step stays bilinear. The VGG16
backbone ends at pool5; the paper keeps the fully connected layers fc6 and fc7 as convolutions, 4096
channels each, between pool5 and its scores.
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from helpers.data import VOID
from helpers.settings import BACKBONES

STRIDES = (8, 16, 32)
# (filters, convolutions) of each block; the first convolution of a block halves the image.
SMALL_BLOCKS = ((24, 1), (48, 2), (96, 2), (128, 2), (128, 2))
# Nothing above conv_pw_12 is used, so that the last tap is as rich as VGG's pool5 but cheaper.
MOBILENET_TAPS = ("conv_pw_5_relu", "conv_pw_11_relu", "conv_pw_12_relu")
VGG16_TAPS = ("block3_pool", "block4_pool", "block5_pool")


def build_fcn(
    n_classes: int,
    input_shape=(96, 96, 3),
    *,
    stride: int = 8,
    backbone: str = "small",
    weights: str | Path | None = None,
    seed: int = 0,
) -> keras.Model:
    """An FCN: images (n, h, w, 3), uint8 or float 0 … 255, to logits (n, h, w, n_classes).

    `input_shape` is (h, w, 3), h and w divisible by 32, or (None, None, 3) for any such size.
    `stride` 8, 16 or 32 is the s of FCN-8s.
    `backbone` is "small" (from scratch), "mobilenet" or "vgg16"; for the last two `weights` is
    None, "imagenet" (downloads) or a file for `keras.applications` with `include_top=False`.
    Pre-trained batch normalisation is frozen and stays in inference mode: its statistics are worth
    more than those of a small batch. Raises ValueError for arguments other than these, and
    FileNotFoundError when there is no weights file.

    Notebook 03, "The head: scores, and the way back up".
    """
    _check(n_classes, input_shape, stride, backbone, weights)
    images = keras.Input(input_shape, name="pictures")
    if backbone == "small":
        pool3, pool4, pool5 = _small_backbone(images, seed)
    else:
        pool3, pool4, pool5 = _application_backbone(images, backbone, weights, seed)

    x = _scores(pool5, n_classes, "score_pool5", seed)
    x = _double(x, n_classes, "upsample_pool5")
    if stride <= 16:
        x = layers.Add(name="add_pool4")([x, _scores(pool4, n_classes, "score_pool4")])
    x = _double(x, n_classes, "upsample_pool4")
    if stride == 8:
        x = layers.Add(name="add_pool3")([x, _scores(pool3, n_classes, "score_pool3")])
    # Fixed, as in the paper: a bilinear layer without weights gives what a frozen bilinear
    # transposed convolution gives, does not fade at the border, and costs less.
    # In float32 also where the network computes in less: the loss needs it.
    logits = layers.UpSampling2D(8, interpolation="bilinear", name="logits", dtype="float32")(x)
    model = keras.Model(images, logits, name=f"fcn{stride}s_{backbone}")
    for name in ("upsample_pool5", "upsample_pool4"):
        model.get_layer(name).set_weights([bilinear_kernel(2, n_classes)])
    return model


def bilinear_kernel(factor: int, channels: int) -> np.ndarray:
    """Weights with which a transposed convolution of stride `factor` upsamples bilinearly.

    float32 (2 * factor, 2 * factor, channels, channels) for `Conv2DTranspose` with
    `padding="same"`; each channel is upsampled by itself. `factor` must be even: only then is
    the kernel symmetric about the pixels it fills.

    Notebook 03, "How a small map becomes a large one".
    """
    if factor < 2 or factor % 2:
        raise ValueError(f"factor must be an even number from 2 on, not {factor}")
    distance = np.abs(np.arange(2 * factor) - (factor - 0.5)) / factor
    triangle = 1 - distance
    kernel = np.zeros((2 * factor, 2 * factor, channels, channels), np.float32)
    kernel[:, :, range(channels), range(channels)] = np.outer(triangle, triangle)[:, :, None]
    return kernel


def void_aware_loss() -> keras.losses.Loss:
    """Cross-entropy of logits, averaged over the pixels that are not void (255).

    Notebook 03, "A loss that skips the void".
    """
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=VOID)


@keras.saving.register_keras_serializable(package="bigger_than_ram")
class PixelAccuracy(keras.metrics.Metric):
    """Share of the pixels that are not void whose class is right.

    `keras.metrics.SparseCategoricalAccuracy` has no `ignore_class`; this is the same with one.
    """

    def __init__(self, name="accuracy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.hits = self.add_variable((), initializer="zeros", name="hits")
        self.valid = self.add_variable((), initializer="zeros", name="valid")

    def update_state(self, y_true, y_pred, sample_weight=None):
        truth = keras.ops.cast(y_true, "int32")
        valid = keras.ops.not_equal(truth, VOID)
        right = keras.ops.equal(truth, keras.ops.argmax(y_pred, axis=-1))
        # Void is never predicted, so a right pixel is always a valid one. Counted in images,
        # not pixels: float32 cannot count past 2**24.
        self.hits.assign_add(self._images(right))
        self.valid.assign_add(self._images(valid))

    def _images(self, pixels):
        share = keras.ops.mean(keras.ops.cast(pixels, self.dtype), axis=(-2, -1))
        return keras.ops.sum(share)

    def result(self):
        return keras.ops.divide_no_nan(self.hits, self.valid)


def compile_fcn(model: keras.Model, learning_rate=1e-3) -> keras.Model:
    """Compile with Adam, the void-aware loss and pixel accuracy; returns the same model.

    `learning_rate` is a number or a `keras.optimizers.schedules` schedule.

    Notebook 03, "The largest batch for a budget".
    """
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer, loss=void_aware_loss(), metrics=[PixelAccuracy()])
    return model


def _check(n_classes, input_shape, stride, backbone, weights) -> None:
    if n_classes < 2:
        raise ValueError(f"n_classes must be 2 or more, background included, not {n_classes}")
    height, width, channels = input_shape
    if channels != 3 or not _fits(height, width):
        raise ValueError(
            f"input_shape must be (height, width, 3) with height and width divisible by 32 "
            f"(the network halves them five times), or both None, not {tuple(input_shape)}"
        )
    if stride not in STRIDES:
        raise ValueError(f"stride must be one of {STRIDES}, not {stride}")
    if backbone not in BACKBONES:
        raise ValueError(f"backbone must be one of {BACKBONES}, not {backbone!r}")
    if weights is None:
        return
    if backbone == "small":
        raise ValueError("the small backbone has no pre-trained weights: choose mobilenet or vgg16")
    if weights != "imagenet" and not Path(weights).is_file():
        raise FileNotFoundError(f"no weights file {weights}: give a .weights.h5 file or 'imagenet'")


def _fits(height, width) -> bool:
    if None in (height, width):
        return height is width is None
    return min(height, width) >= 32 and height % 32 == width % 32 == 0


def _small_backbone(images, seed: int) -> list:
    """A network that two processor cores train fast: the first two steps have few channels."""
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(images)
    taps = []
    for block, (filters, depth) in enumerate(SMALL_BLOCKS, start=1):
        for i in range(1, depth + 1):
            x = layers.Conv2D(
                filters,
                3,
                strides=2 if i == 1 else 1,
                padding="same",
                use_bias=False,
                kernel_initializer=keras.initializers.HeNormal(seed + 10 * block + i),
                name=f"block{block}_conv{i}",
            )(x)
            # Quicker than the default 0.99, so that round 1 is already scored fairly.
            x = layers.BatchNormalization(momentum=0.9, name=f"block{block}_norm{i}")(x)
            x = layers.ReLU(name=f"block{block}_relu{i}" if i < depth else f"pool{block}")(x)
        taps.append(x)
    return taps[2:]


def _application_backbone(images, backbone: str, weights, seed: int) -> list:
    """The taps of a network of `keras.applications`, with the preprocessing it was trained on."""
    application = (
        keras.applications.MobileNet if backbone == "mobilenet" else keras.applications.VGG16
    )
    names = MOBILENET_TAPS if backbone == "mobilenet" else VGG16_TAPS
    weights = None if weights is None else str(weights)
    full = application(include_top=False, weights=weights, input_shape=images.shape[1:])
    tapped = keras.Model(full.input, [full.get_layer(name).output for name in names], name=backbone)
    if weights is None:
        # keras.applications draws from the global random state: draw again, from our seed.
        kernels = [w for w in tapped.trainable_weights if w.name.endswith("kernel")]
        for i, kernel in enumerate(kernels):
            kernel.assign(keras.initializers.HeNormal(seed + i)(kernel.shape))
    else:
        # Not `training=False` in the call: `fit` overrides it for the layers inside (Keras 3.15).
        for layer in tapped.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
    if backbone == "mobilenet":
        x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(images)
    else:
        # VGG's own: blue first, minus the mean of ImageNet.
        x = keras.ops.flip(layers.Rescaling(1.0, name="as_float")(images), axis=-1)
        x = layers.Normalization(mean=(103.939, 116.779, 123.68), variance=(1, 1, 1))(x)
    return tapped(x)


def _scores(features, n_classes: int, name: str, seed: int | None = None):
    """One score a class. A skip (no seed) starts at zero: it changes nothing until it learns."""
    start = "zeros" if seed is None else keras.initializers.GlorotUniform(seed)
    return layers.Conv2D(n_classes, 1, kernel_initializer=start, name=name)(features)


def _double(x, n_classes: int, name: str):
    return layers.Conv2DTranspose(
        n_classes, 4, strides=2, padding="same", use_bias=False, name=name
    )(x)
