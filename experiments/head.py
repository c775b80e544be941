"""What a head on a pre-trained backbone learns from photographs: one training at a time.

All ways take as many steps over the same images. What differs is what is in memory and in which
order it comes, and whether the backbone is trained as well at the end.
"""

import time

import numpy as np

from experiments.claims.orders import subset_in_order
from helpers.data import VOID, Index, index_voc, read_block
from helpers.memory import measure_peak
from helpers.network import build_head, compile_head
from helpers.quiet import keras
from helpers.scoring import evaluate, scores
from helpers.units import MIB
from helpers.windows import SlidingSubset
from helpers.workshop import Workshop, finite_data

WAYS = {
    "article": "the article's windows, five epochs on each",
    "reshuffled": "the article's windows for one epoch each, the list shuffled anew for each pass",
    "everything": "all images in memory",
    "second_stage": "as reshuffled; for the last quarter the backbone's upper half is trained, too",
}
# Of `val`, sorted: the numbers that are reported, and images on which choices may be made.
N_REPORTED = 200
FREQUENT = 60  # training images from which on a class is frequent
SECOND_FROM, SECOND_RATE = "conv_dw_6", 2e-4


def learn_photographs(workshop: Workshop, way: str, seed: int = 0) -> dict:
    """Train in one of the `WAYS` in a fresh process; a dict of `rows`, which is one row.

    Its `arrays` are the confusion matrix of the first 200 images of `val`, (21, 21), as lists.

    `mean_iou` and `frequent_iou` are of the first 200 images of `val`, `third_…` of the others:
    means over all classes that occur there (`n_classes` of them), and over those with at least
    `FREQUENT` training images. `seconds` are those of `fit`, `peak_mib` is the process's highest
    RSS, `window_mib` what it holds of the training images.
    """
    if way not in WAYS:
        raise ValueError(f"{way!r} is not a way; there are: {', '.join(WAYS)}.")
    run = measure_peak(train_and_score, workshop, way, seed, base_imports=("helpers.quiet",))
    row, matrix = run.value
    return {"rows": [row | {"peak_mib": run.peak_bytes / MIB}], "arrays": {"matrix": matrix}}


def train_and_score(workshop: Workshop, way: str, seed: int) -> tuple[dict, list[list[int]]]:
    """What runs in that process: the row, and the confusion matrix."""
    keras.utils.set_random_seed(seed)
    val = index_voc(workshop.settings.data, "val")
    sets = {"": val[:N_REPORTED], "third_": val[N_REPORTED:]}
    order = "reshuffled" if way == "second_stage" else way
    began = time.perf_counter()
    with subset_in_order(order, workshop, seed) as subset:
        n_steps = n_first = workshop.geometry.n_steps
        if way == "second_stage":
            round_ = subset.n_rounds * 3 // 4
            n_first = round_ * subset.steps_per_round
        model = fit(workshop.network(seed=seed, n_steps=n_first), subset, n_first)
        if way == "second_stage":
            model = second_stage(workshop, model, n_steps - n_first)
            fit(model, subset.from_round(round_), n_steps - n_first)
        row = {
            "seconds": time.perf_counter() - began,
            "window_mib": subset.nbytes / MIB,
            "decoded_images": subset.decoded,
        }
    frequent = np.flatnonzero(images_per_class(workshop.train, workshop.size) >= FREQUENT)
    matrices = {
        name: evaluate(model, finite_data(index, workshop.size, 8)) for name, index in sets.items()
    }
    for name, matrix in matrices.items():
        found = scores(matrix).per_class_iou
        row[f"{name}mean_iou"] = float(np.nanmean(found))
        row[f"{name}frequent_iou"] = float(np.nanmean(found[frequent]))
        row[f"{name}n_classes"] = int(np.sum(~np.isnan(found)))
    return row, matrices[""].tolist()


def fit(model, subset: SlidingSubset, n_steps: int):
    """Train on the first steps of the data set, which need not end a round."""
    model.fit(subset, steps_per_epoch=n_steps, shuffle=False, verbose=0)
    return model


def second_stage(workshop: Workshop, model, n_steps: int):
    """The same network with the upper half of its backbone trained as well, by a small rate."""
    upper = build_head(
        workshop.train.n_classes, weights=None, size=workshop.size, train_from=SECOND_FROM
    )
    upper.set_weights(model.get_weights())
    return compile_head(upper, n_steps, SECOND_RATE)


def images_per_class(index: Index, size: tuple[int, int]) -> np.ndarray:
    """How many images show each class: int (n_classes,)."""
    counts = np.zeros(index.n_classes, int)
    for start in range(0, len(index), 100):
        rows = range(start, min(start + 100, len(index)))
        for mask in read_block(index, rows, size)[1]:
            counts[np.setdiff1d(mask, [VOID])] += 1
    return counts
