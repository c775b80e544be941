"""In anyone's Keras program: another network, stock callbacks, a folder of classes; and on JAX."""

import importlib.util
import json
import os
import sys

import pytest

from helpers.settings import PROJECT
from tests.support import fresh_python

CODE = """
import json, os
from pathlib import Path

os.environ["KERAS_BACKEND"] = BACKEND
from helpers.quiet import keras
import numpy as np
from keras import layers
from helpers.windows import Geometry, SlidingSubset, by_layers
from tests.support import BOX_SIZE, index_of_boxes

folder = Path(FOLDER)
index = index_of_boxes(folder)
keras.utils.set_random_seed(1)


def block(x, filters):
    for _ in range(2):
        x = layers.SeparableConv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.BatchNormalization()(x)
    return x


def unet(size, n_classes, filters=(8, 16)):
    # A path down, a path up, and what the one has seen handed to the other.
    inputs = keras.Input((*size, 3))
    x, skips = layers.Rescaling(1 / 255)(inputs), []
    for n in filters:
        x = block(x, n)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = block(x, 2 * filters[-1])
    for n, skip in zip(filters[::-1], skips[::-1]):
        x = layers.Conv2DTranspose(n, 2, strides=2)(x)
        x = block(layers.Concatenate()([x, skip]), n)
    return keras.Model(inputs, layers.Conv2D(n_classes, 1, activation="softmax")(x))


model = unet(BOX_SIZE, index.n_classes)
model.compile(
    keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy",
    weighted_metrics=["accuracy"],
)
geometry = Geometry(16, 10, 2, BOX_SIZE, batch_size=4, passes=2)
holdout = SlidingSubset(
    index[16:], Geometry.stream(6, BOX_SIZE, 4), finite=True, weights=[1, 1]
)
callbacks = [
    keras.callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True),
    keras.callbacks.EarlyStopping(patience=50),
    keras.callbacks.ReduceLROnPlateau(patience=50),
    keras.callbacks.CSVLogger(folder / "log.csv"),
]
augment = by_layers(layers.RandomFlip("horizontal"))
with SlidingSubset(index[:16], geometry, augment, weights=[1, 2]) as subset, holdout:
    history = model.fit(
        subset, validation_data=holdout, steps_per_epoch=subset.steps_per_round,
        epochs=subset.n_rounds, shuffle=False, verbose=0, callbacks=callbacks,
    ).history
    scored = model.evaluate(holdout, verbose=0, return_dict=True)
    predicted = model.predict(holdout, verbose=0)
    kept = keras.saving.load_model(folder / "best.keras").predict(holdout, verbose=0)
print(json.dumps({
    "backend": keras.backend.backend(), "loss": history["loss"], "epochs": len(history["val_loss"]),
    "scored": scored, "last": history["val_loss"][-1], "shape": predicted.shape,
    "kept": kept.shape, "logged": len((folder / "log.csv").read_text().splitlines()),
    "steps": int(model.optimizer.iterations), "decoded": subset.decoded,
}))
"""
JAX = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=JAX)])
def test_a_unet_is_trained_with_stock_callbacks(backend, tmp_path):
    path = os.pathsep.join([str(PROJECT), *sys.path])  # jax may lie anywhere on it
    code = f"BACKEND, FOLDER = {backend!r}, {str(tmp_path)!r}\n{CODE}"
    found = json.loads(fresh_python(code, path=path).splitlines()[-1])
    assert found["backend"] == backend
    assert (found["epochs"], found["steps"], found["logged"]) == (4, 24, 5)
    assert found["shape"] == found["kept"] == [6, 32, 32, 2] and found["decoded"] == 16
    assert found["loss"][-1] < found["loss"][0]
    assert found["scored"]["loss"] == pytest.approx(found["last"], rel=1e-4)
