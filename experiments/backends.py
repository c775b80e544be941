"""The same training on Keras' three backends: score, speed, memory. One run at a time.

Every backend draws other random numbers from the same seed; so the first weights are drawn by NumPy
here, and the batches are the same bytes anyway. What differs then is arithmetic.
"""

from dataclasses import replace

import numpy as np

from experiments.race.step_clock import StepClock
from helpers.memory import measure_peak
from helpers.quiet import keras
from helpers.scoring import evaluate, scores
from helpers.units import MIB
from helpers.windows import Geometry, SlidingSubset
from helpers.workshop import Workshop

PASSES = 1  # over each window: a short training


def short(geometry: Geometry) -> Geometry:
    """The geometry of this training: one pass over each window."""
    return replace(geometry, passes=PASSES)


def train_on_backend(workshop: Workshop, backend: str, seed: int = 0) -> dict:
    """Train the workshop's FCN in a fresh process; a dict of `rows`, which is one row.

    `base_mib` is what the process held with Keras imported and nothing done, `peak_mib` its peak;
    `window_mib` of it are images. `mean_iou` is the hold-out's, `images_per_s` leaves the first
    step out. Raises ValueError if Keras is on another backend than `backend`.
    """
    if keras.backend.backend() != backend:
        raise ValueError(f"Keras is on {keras.backend.backend()}: set KERAS_BACKEND={backend}.")
    run = measure_peak(train, workshop.with_fcn(), seed, base_imports=("helpers.quiet",))
    memory = {"base_mib": run.base_bytes / MIB, "peak_mib": run.peak_bytes / MIB}
    return {"rows": [run.value | memory]}


def train(workshop: Workshop, seed: int) -> dict:
    """What runs in that process."""
    geometry = replace(short(workshop.geometry), seed=seed)
    model = workshop.network(seed=seed, n_steps=geometry.n_steps)
    draw_weights(model, seed)
    clock = StepClock(geometry)
    with SlidingSubset(workshop.train, geometry, workshop.augment) as subset:
        model.fit(
            subset,
            steps_per_epoch=subset.steps_per_round,
            epochs=subset.n_rounds,
            shuffle=False,
            verbose=0,
            callbacks=[clock],
        )
        window_mib = subset.nbytes / MIB
    found = scores(evaluate(model, workshop.holdout_data()))
    return {
        "mean_iou": found.mean_iou,
        "images_per_s": clock.rates()["images_per_s"],
        "window_mib": window_mib,
    }


def draw_weights(model, seed: int) -> None:
    """Give every kernel that begins with random numbers those that NumPy draws, by He's rule."""
    rng = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        # Upsampling begins with bilinear weights, and the upper scores with zeros.
        if "upsample" not in weight.path and weight.name == "kernel" and np.any(weight.numpy()):
            fan_in = np.prod(weight.shape[:-1])
            weight.assign(rng.normal(0, np.sqrt(2 / fan_in), weight.shape).astype(np.float32))
