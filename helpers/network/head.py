"""A pre-trained backbone and a small head on it: for photographs, where data are few.

The FCN of `fcn` learns its features from the images it is given. A few hundred photographs are not
enough for that, and a backbone that has seen ImageNet has better ones than they could teach. So
here it stays as it is, or is moved gently, and what is trained is the head. That looks at several
distances at once (dilated convolutions and the mean of the whole image, as in DeepLabv3, arXiv
1706.05587) and takes the borders from a finer map (as in DeepLabv3+, arXiv 1802.02611).
"""

from pathlib import Path

import keras
from keras import layers

from helpers.network.fcn import PixelAccuracy, void_aware_loss

# Strides 8 and 16 of MobileNet.
FINE, COARSE = "conv_pw_5_relu", "conv_pw_11_relu"
DILATIONS = (3, 6)
# Where the backbone is trained, too: its learning rate as a share of the head's.
GENTLE = 0.2
# The names of MobileNet's layers are conv1, conv1_bn, conv_dw_1 and so on; Keras' own are conv2d_1.
OF_BACKBONE = ("conv1/", "conv1_bn/", "conv_")
BRANCH, MIXED, DETAIL, LAST = 128, 256, 48, 128


def build_head(
    n_classes: int,
    *,
    weights: str | Path | None,
    size: tuple[int | None, int | None] = (None, None),
    seed: int = 0,
    train_from: str | None = None,
) -> keras.Model:
    """MobileNet with a head: images (n, h, w, 3), uint8 or float, to logits of their size.

    `size` is (height, width), or None for any that 16 divides. `weights` is "imagenet" (downloads),
    a file for `keras.applications` with `include_top=False`, or None; `seed` decides the head's
    first weights. The backbone is frozen, unless `train_from` is the name of a layer of MobileNet,
    such as "conv_dw_6": from there on it is trained as well, with its batch normalisation
    (`compile_head` does that gently).

    Notebook 07, "A backbone that has seen the world".
    """
    images = keras.Input((*size, 3), name="pictures")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(images)
    fine, coarse = _backbone(weights, train_from)(x)
    initial = _initials(seed)
    branches = [_unit(coarse, BRANCH, 1, initial)]
    branches += [_separable(coarse, BRANCH, initial, rate) for rate in DILATIONS]
    # The mean of the whole image, the same at every pixel. It is added behind a convolution of its
    # own, which is the same as to spread it out, join it to the others, and convolve all of them.
    whole = layers.GlobalAveragePooling2D(keepdims=True)(coarse)
    whole = layers.Conv2D(
        MIXED, 1, use_bias=False, kernel_initializer=next(initial), name="whole_image"
    )(whole)
    x = layers.Concatenate()(branches)
    x = layers.Conv2D(MIXED, 1, use_bias=False, kernel_initializer=next(initial))(x)
    x = _normal(layers.Add()([x, whole]))
    x = layers.Dropout(0.2, seed=seed)(x)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.Concatenate()([x, _unit(fine, DETAIL, 1, initial)])
    x = _separable(x, LAST, initial)
    x = layers.Dropout(0.1, seed=seed + 1)(x)
    x = layers.Conv2D(n_classes, 1, kernel_initializer=next(initial), name="scores")(x)
    # In float32 also where the network computes in less: the loss needs it.
    logits = layers.UpSampling2D(8, interpolation="bilinear", name="logits", dtype="float32")(x)
    return keras.Model(images, logits, name="head_mobilenet")


def compile_head(model: keras.Model, n_steps: int, learning_rate: float = 1e-3) -> keras.Model:
    """Compile with AdamW, the void-aware loss and pixel accuracy; returns the same model.

    The rate climbs over the first twentieth of `n_steps` and falls along a cosine to a hundredth.
    What is trained of the backbone takes steps a fifth as long. Weights shrink a little at each
    step, biases and norms do not (AdamW, arXiv 1711.05101).

    Notebook 07, "A backbone that has seen the world".
    """
    warm_up = max(1, n_steps // 20)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, n_steps - warm_up), 0.01, warmup_target=learning_rate, warmup_steps=warm_up
    )
    optimizer = GentleAdamW(schedule, weight_decay=0.01, clipnorm=5)
    model.compile(optimizer, loss=void_aware_loss(), metrics=[PixelAccuracy()])
    return model


@keras.saving.register_keras_serializable(package="bigger_than_ram")
class GentleAdamW(keras.optimizers.AdamW):
    """AdamW whose steps are a fifth as long for the weights of a MobileNet.

    Biases and norms have no weight decay. All other weights have the same: it is not part of a
    step, and Keras takes it by the full rate.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])

    def build(self, variables):
        super().build(variables)
        self._shares = [GENTLE if each.path.startswith(OF_BACKBONE) else 1 for each in variables]

    def update_step(self, gradient, variable, learning_rate):
        share = self._shares[self._get_variable_index(variable)]
        super().update_step(gradient, variable, share * learning_rate)


def _backbone(weights, train_from):
    """MobileNet up to the coarse tap, as a model of two outputs."""
    weights = None if weights is None else str(weights)
    full = keras.applications.MobileNet(
        include_top=False, weights=weights, input_shape=(None, None, 3)
    )
    taps = [full.get_layer(name).output for name in (FINE, COARSE)]
    tapped = keras.Model(full.input, taps, name="mobilenet")
    names = [layer.name for layer in tapped.layers]
    if train_from is not None and train_from not in names:
        raise ValueError(f"MobileNet has no layer {train_from!r}; it has: {', '.join(names)}.")
    first = len(names) if train_from is None else names.index(train_from)
    for number, layer in enumerate(tapped.layers):
        # A norm that is not trainable uses ImageNet's means and variances, also in training.
        layer.trainable = number >= first
    return tapped


def _initials(seed):
    """An initializer for each layer, from one seed."""
    while True:
        seed += 1
        yield keras.initializers.HeNormal(seed)


def _unit(x, filters, kernel, initial):
    x = layers.Conv2D(
        filters, kernel, padding="same", use_bias=False, kernel_initializer=next(initial)
    )(x)
    return _normal(x)


def _separable(x, filters, initial, rate=1):
    """A 3×3 convolution of each channel, `rate` pixels apart, and a 1×1 one over all of them."""
    x = layers.DepthwiseConv2D(
        3, padding="same", dilation_rate=rate, use_bias=False, depthwise_initializer=next(initial)
    )(x)
    return _unit(_normal(x), filters, 1, initial)


def _normal(x):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
