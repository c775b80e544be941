"""The network: shapes, bilinear upsampling, skips, void, saving, pre-trained backbones."""

import os

import keras
import numpy as np
import pytest

from helpers.network.fcn import (
    PixelAccuracy,
    bilinear_kernel,
    build_fcn,
    compile_fcn,
    void_aware_loss,
)
from helpers.scoring import confusion_matrix, predict_masks, scores
from tests.support import BOX_SIZE, two_convolutions

RNG = np.random.default_rng(0)
SLOW_MOBILENET, SLOW_VGG16 = (
    pytest.param(name, marks=pytest.mark.slow) for name in ("mobilenet", "vgg16")
)


def noise(n=2, size=(64, 64)):
    return RNG.integers(0, 256, (n, *size, 3), dtype=np.uint8)


def discs_and_boxes(n, size=64):
    """Bright discs (class 1) and dark boxes (class 2) on grey noise: easy to learn by heart."""
    rng = np.random.default_rng(1)
    images = rng.integers(100, 150, (n, size, size, 3), dtype=np.uint8)
    masks = np.zeros((n, size, size), np.uint8)
    rows, columns = np.mgrid[:size, :size]
    for image, mask in zip(images, masks, strict=True):
        top, left = rng.integers(4, 20, 2)
        mask[top : top + 24, left : left + 24] = 2
        row, column = rng.integers(36, 50, 2)
        mask[(rows - row) ** 2 + (columns - column) ** 2 < 144] = 1
        image[mask == 2] //= 4
        image[mask == 1] += 80
    return images, masks


@pytest.mark.parametrize(
    ("stride", "size"), [(8, (32, 32)), (8, (64, 96)), (16, (160, 32)), (32, (64, 96))]
)
def test_logits_have_the_size_of_the_images(stride, size):
    model = build_fcn(5, (*size, 3), stride=stride)
    assert model.predict_on_batch(noise(3, size)).shape == (3, *size, 5)


def test_the_same_weights_fit_a_network_for_any_size():
    fixed, free = build_fcn(3, (64, 96, 3), seed=1), build_fcn(3, (None, None, 3), seed=2)
    free.set_weights(fixed.get_weights())
    free.run_eagerly = True  # Keras 3.15 cannot trace a second size, see docs/trouble.md
    images = noise(2, (64, 96))
    np.testing.assert_allclose(
        fixed.predict_on_batch(images), free.predict_on_batch(images), atol=1e-5
    )
    assert free.predict_on_batch(noise(1, (32, 128))).shape == (1, 32, 128, 3)


@pytest.mark.parametrize("backbone", ["mobilenet", "vgg16"])
def test_taps_of_the_large_backbones_fit_together(backbone):
    model = build_fcn(3, (64, 96, 3), backbone=backbone)
    assert model.output_shape == (None, 64, 96, 3)
    shapes = [tap.shape[1:3] for tap in model.get_layer(backbone).output]
    assert shapes == [(8, 12), (4, 6), (2, 3)]


def test_uint8_and_float_images_give_the_same_logits():
    model, images = build_fcn(3, (32, 32, 3)), noise(2, (32, 32))
    as_float = model.predict_on_batch(images.astype(np.float32))
    np.testing.assert_array_equal(model.predict_on_batch(images), as_float)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (96, 100, 3)}, "divisible by 32"),
        ({"input_shape": (0, 32, 3)}, "divisible by 32"),
        ({"input_shape": (None, 32, 3)}, "or both None"),
        ({"input_shape": (96, 96, 1)}, "divisible by 32"),
        ({"stride": 4}, "stride must be"),
        ({"backbone": "resnet"}, "backbone must be"),
        ({"n_classes": 1}, "n_classes"),
        ({"weights": "imagenet"}, "no pre-trained weights"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_fcn(**{"n_classes": 3, **arguments})


def test_a_missing_weights_file_is_named():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        build_fcn(3, backbone="mobilenet", weights="nowhere.weights.h5")


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["small", SLOW_MOBILENET])
def test_the_seed_decides_the_first_weights(backbone):
    one, same, other = (
        build_fcn(3, (32, 32, 3), backbone=backbone, seed=seed) for seed in (1, 1, 2)
    )
    images = noise(1, (32, 32))
    logits = [model.predict_on_batch(images) for model in (one, same, other)]
    np.testing.assert_array_equal(logits[0], logits[1])
    assert np.abs(logits[0] - logits[2]).max() > 0


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_bilinear_kernel_equals_bilinear_resizing_in_the_interior(factor):
    features = RNG.normal(size=(1, 6, 7, 3)).astype(np.float32)
    layer = keras.layers.Conv2DTranspose(
        3, 2 * factor, strides=factor, padding="same", use_bias=False
    )
    layer.build(features.shape)
    layer.set_weights([bilinear_kernel(factor, 3)])
    upsampled = keras.ops.convert_to_numpy(layer(features))
    size = (6 * factor, 7 * factor)
    resized = keras.ops.image.resize(features, size, interpolation="bilinear")
    assert upsampled.shape == resized.shape
    # At the border the two differ: there the convolution adds zeros from outside.
    inside = np.s_[:, factor:-factor, factor:-factor]
    np.testing.assert_allclose(
        upsampled[inside], keras.ops.convert_to_numpy(resized)[inside], atol=1e-5
    )


def test_bilinear_kernel_refuses_odd_factors():
    with pytest.raises(ValueError, match="even"):
        bilinear_kernel(3, 2)


def test_untrained_8s_equals_32s_upsampling_and_its_skips_matter():
    fcn32, fcn8 = (build_fcn(4, (64, 64, 3), stride=stride, seed=3) for stride in (32, 8))
    names = {layer.name for layer in fcn32.layers}
    for layer in fcn8.layers:
        if layer.name in names:
            for ours, theirs in zip(
                layer.get_weights(), fcn32.get_layer(layer.name).get_weights(), strict=True
            ):
                np.testing.assert_array_equal(ours, theirs)
    images = noise()
    logits = fcn32.predict_on_batch(images)
    assert np.ptp(logits) > 0
    np.testing.assert_array_equal(fcn8.predict_on_batch(images), logits)
    kernel, bias = fcn8.get_layer("score_pool3").get_weights()
    fcn8.get_layer("score_pool3").set_weights([kernel + 1, bias])
    assert np.abs(fcn8.predict_on_batch(images) - logits).max() > 0


@pytest.mark.parametrize(
    ("stride", "skips"), [(32, set()), (16, {"pool4"}), (8, {"pool4", "pool3"})]
)
def test_each_stride_has_its_own_skips(stride, skips):
    names = {layer.name for layer in build_fcn(3, (32, 32, 3), stride=stride).layers}
    assert {name for name in names if name.startswith("score_")} == {
        f"score_{tap}" for tap in skips | {"pool5"}
    }


def test_the_32s_climbs_bilinearly_from_pool5():
    model = build_fcn(4, (128, 128, 3), stride=32)
    images = noise(1, (128, 128))
    coarse = keras.Model(model.input, model.get_layer("score_pool5").output)
    x = coarse.predict_on_batch(images)
    for factor in (2, 2, 8):
        size = (x.shape[1] * factor, x.shape[2] * factor)
        x = keras.ops.convert_to_numpy(keras.ops.image.resize(x, size, interpolation="bilinear"))
    inside = np.s_[:, 32:-32, 32:-32]
    np.testing.assert_allclose(model.predict_on_batch(images)[inside], x[inside], atol=1e-4)


def test_void_does_not_count_in_the_loss():
    loss = void_aware_loss()
    truth = RNG.integers(0, 3, (2, 8, 8)).astype(np.uint8)
    logits = RNG.normal(size=(2, 8, 8, 3)).astype(np.float32)
    truth[0, :4] = 255
    valid = truth != 255
    alone = loss(truth[valid], logits[valid])
    np.testing.assert_allclose(float(loss(truth, logits)), float(alone), rtol=1e-6)


@pytest.mark.slow
def test_a_batch_of_pure_void_gives_zero_loss_and_changes_nothing():
    model = two_convolutions()
    before = [w.numpy() for w in model.trainable_weights]
    void = np.full((4, *BOX_SIZE), 255, np.uint8)
    loss, accuracy = model.train_on_batch(noise(4, BOX_SIZE), void)
    assert loss == 0
    assert accuracy == 0
    for weight, old in zip(model.trainable_weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)


def test_accuracy_counts_valid_pixels_over_uneven_batches():
    truth = RNG.integers(0, 3, (5, 6, 6)).astype(np.uint8)
    logits = RNG.normal(size=(5, 6, 6, 3)).astype(np.float32)
    truth[:, :2] = 255
    metric = PixelAccuracy()
    metric.update_state(truth[:4], logits[:4])
    metric.update_state(truth[4:], logits[4:])
    expected = scores(confusion_matrix(truth, logits.argmax(-1), 3)).pixel_accuracy
    np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-6)


@pytest.mark.slow
def test_twenty_images_can_be_learned_by_heart():
    images, masks = discs_and_boxes(20)
    keras.utils.set_random_seed(0)  # the order of the batches
    # Falling to zero: with a rate that stays, the end depends on the last few steps.
    falling = keras.optimizers.schedules.CosineDecay(3e-3, 180 * 2)
    model = compile_fcn(build_fcn(3, (64, 64, 3)), falling)
    model.fit(images, masks, batch_size=10, epochs=180, verbose=0)
    matrix = confusion_matrix(masks, predict_masks(model, images), 3)
    assert scores(matrix).mean_iou > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["small", SLOW_MOBILENET, SLOW_VGG16])
def test_save_and_load_keep_every_bit(tmp_path, backbone):
    model = compile_fcn(build_fcn(3, (32, 32, 3), backbone=backbone))
    images = noise(2, (32, 32))
    model.save(tmp_path / "fcn.keras")
    loaded = keras.saving.load_model(tmp_path / "fcn.keras")
    np.testing.assert_array_equal(loaded.predict_on_batch(images), model.predict_on_batch(images))
    assert loaded.optimizer is not None


@pytest.mark.slow
def test_pretrained_batch_norm_stays_in_inference_mode(tmp_path):
    file = tmp_path / "backbone.weights.h5"
    whole = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    whole.save_weights(file)
    unchanged = {}
    for weights in (file, None):
        model = build_fcn(3, (32, 32, 3), backbone="mobilenet", weights=weights)
        model.save(tmp_path / "fcn.keras")  # the freezing must outlast a file
        model = compile_fcn(keras.saving.load_model(tmp_path / "fcn.keras"))
        backbone = model.get_layer("mobilenet")
        moving = [w for w in backbone.weights if "moving" in w.path]
        before = [w.numpy() for w in moving]
        masks = RNG.integers(0, 3, (4, 32, 32), dtype=np.uint8)
        model.fit(noise(4, (32, 32)), masks, epochs=2, verbose=0)
        pairs = zip(moving, before, strict=True)
        unchanged[weights] = sum(np.array_equal(w.numpy(), old) for w, old in pairs)
        trained = {id(w) for w in model.trainable_weights}
        kernels = [w for w in backbone.weights if w.name.endswith("kernel")]
        assert all(id(kernel) in trained for kernel in kernels)
    assert unchanged == {file: len(moving), None: 0}


def test_a_pretrained_weights_file_is_really_used():
    file = os.environ.get("TUTORIAL_WEIGHTS")
    if not file or file == "imagenet":
        pytest.skip("TUTORIAL_WEIGHTS names no weights file")
    one, same = (
        build_fcn(3, (64, 64, 3), backbone="mobilenet", weights=file, seed=seed) for seed in (0, 1)
    )
    for ours, theirs in zip(
        one.get_layer("mobilenet").get_weights(),
        same.get_layer("mobilenet").get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
    images = noise(2)
    assert np.isfinite(one.predict_on_batch(images)).all()
    assert one.count_params() > 1_000_000
