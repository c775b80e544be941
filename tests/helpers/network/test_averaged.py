"""Several answers averaged: what the mean is of, its symmetry, its size, a file of it."""

import keras
import numpy as np
import pytest

from helpers.network import average_answers, build_fcn

SIZE = (64, 80)


@pytest.fixture(scope="module")
def model():
    """Three classes from the pixels on the left and right, which it weights differently."""
    images = keras.Input((None, None, 3))
    kernel = keras.initializers.RandomNormal(stddev=1, seed=1)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    x = keras.layers.Conv2D(3, (3, 5), padding="same", kernel_initializer=kernel)(x)
    return keras.Model(images, x)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, *SIZE, 3)).astype(np.uint8)


def chances(model, images):
    logits = model.predict_on_batch(images)
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def resized(images, size):
    images = keras.ops.cast(images, "float32")
    return keras.ops.convert_to_numpy(keras.ops.image.resize(images, size))


def test_it_is_the_mean_over_sizes_and_mirrors(model, images):
    expected = []
    for size in (SIZE, (96, 128), (32, 32)):  # as it is, or in multiples of 32
        seen = resized(images, size)
        mirrored = chances(model, seen[:, :, ::-1])[:, :, ::-1]
        expected += [resized(one, SIZE) for one in (chances(model, seen), mirrored)]
    assert np.std(expected, axis=0).mean() > 0.05
    averaged = average_answers(model, SIZE, scales=(1, 1.3, 0.1))
    assert chances(averaged, images) == pytest.approx(np.mean(expected, axis=0), abs=1e-4)


def test_a_mirrored_image_has_the_mirrored_answer(model, images):
    def difference(model):
        mirrored = chances(model, images[:, :, ::-1])[:, :, ::-1]
        return np.abs(mirrored - chances(model, images)).max()

    assert difference(average_answers(model, SIZE)) < 1e-4 < 0.1 < difference(model)


def test_what_is_impossible_has_a_finite_logit(images):
    seen = keras.Input((None, None, 3))
    certain = keras.Model(seen, keras.layers.Rescaling(1000.0)(seen))
    logits = keras.ops.convert_to_numpy(average_answers(certain, SIZE)(images))
    assert np.isfinite(logits).all() and logits.dtype == np.float32
    assert logits.shape == (2, *SIZE, 3)


def test_a_file_of_it_gives_the_same_answer(model, images, tmp_path):
    averaged = average_answers(model, SIZE)
    averaged.save(tmp_path / "averaged.keras")
    again = keras.saving.load_model(tmp_path / "averaged.keras", compile=False)
    assert chances(again, images) == pytest.approx(chances(averaged, images), abs=1e-6)


@pytest.mark.slow
def test_a_network_of_one_size_is_refused():
    with pytest.raises(ValueError, match=r"takes images of \(64, 64\) only"):
        average_answers(build_fcn(3, (64, 64, 3)), (64, 64))
