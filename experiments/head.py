"""What a head on a pre-trained backbone learns from photographs: one training at a time.

All ways take as many steps over the same images. What differs is what is in memory and in which
order it comes, and whether the backbone is trained as well.
"""

import time

import numpy as np

from experiments.claims.orders import subset_in_order
from helpers.data import VOID, Index, index_voc, read_block
from helpers.memory import peak_rss
from helpers.network import average_answers, build_head, compile_head
from helpers.quiet import keras
from helpers.scoring import evaluate, scores
from helpers.units import MIB
from helpers.workshop import Workshop, finite_data

WAYS = {
    "article": "the article's windows, five epochs on each",
    "reshuffled": "the article's windows for one epoch each, the list shuffled anew for each pass",
    "everything": "all images in memory",
    "gentle": "as reshuffled; the backbone's upper half is trained as well, at a fifth of the rate",
}
# Of `val`, sorted: the numbers that are reported, and images on which choices may be made.
N_REPORTED = 200
FREQUENT = 60  # training images from which on a class is frequent
GENTLE_FROM = "conv_dw_6"


def learn_photographs(workshop: Workshop, way: str, seed: int = 0) -> dict:
    """Train in one of the `WAYS`; a dict of `rows`, which is one row, and of `arrays`.

    The arrays are the confusion matrices of the first 200 images of `val`, (21, 21), as lists:
    `matrix`, and `averaged` for the answers of `average_answers`.

    `mean_iou` and `frequent_iou` are of the first 200 images of `val`, `third_…` of the others:
    means over all classes that occur there (`n_classes` of them), and over those with at least
    `FREQUENT` training images. `averaged_…` are of those answers of the same network. `seconds` go
    from the making of data set and network to the end of `fit`, `peak_mib` is the process's highest
    RSS until then (in rows of commit 8109fe1508 until the scores are there), and `window_mib` what
    was held of the training images.
    """
    if way not in WAYS:
        raise ValueError(f"{way!r} is not a way; there are: {', '.join(WAYS)}.")
    keras.utils.set_random_seed(seed)
    n_classes, size, n_steps = workshop.train.n_classes, workshop.size, workshop.geometry.n_steps
    train_from = GENTLE_FROM if way == "gentle" else None
    began = time.perf_counter()
    with subset_in_order("reshuffled" if way == "gentle" else way, workshop, seed) as subset:
        options = {"weights": workshop.settings.weights, "train_from": train_from, "seed": seed}
        model = build_head(n_classes, size=size, **options)
        compile_head(model, n_steps, workshop.settings.learning_rate)
        model.fit(subset, steps_per_epoch=n_steps, shuffle=False, verbose=0)
        row = {
            "seconds": time.perf_counter() - began,
            "window_mib": subset.nbytes / MIB,
            "decoded_images": subset.decoded,
            "peak_mib": peak_rss() / MIB,
        }
    any_size = build_head(n_classes, weights=None)
    any_size.set_weights(model.get_weights())
    asked = {"": model, "averaged_": average_answers(any_size, size)}
    val = index_voc(workshop.settings.data, "val")
    sets = {"": val[:N_REPORTED], "third_": val[N_REPORTED:]}
    sets = {name: finite_data(index, size, 8) for name, index in sets.items()}
    matrices = {
        times + name: evaluate(one, data)
        for times, one in asked.items()
        for name, data in sets.items()
    }
    frequent = np.flatnonzero(images_per_class(workshop.train, size) >= FREQUENT)
    for name, matrix in matrices.items():
        found = scores(matrix).per_class_iou
        row[f"{name}mean_iou"] = float(np.nanmean(found))
        row[f"{name}frequent_iou"] = float(np.nanmean(found[frequent]))
        row[f"{name}n_classes"] = int(np.sum(~np.isnan(found)))
    arrays = {"matrix": matrices[""].tolist(), "averaged": matrices["averaged_"].tolist()}
    return {"rows": [row], "arrays": arrays}


def images_per_class(index: Index, size: tuple[int, int]) -> np.ndarray:
    """How many images show each class: int (n_classes,)."""
    counts = np.zeros(index.n_classes, int)
    for start in range(0, len(index), 100):
        rows = range(start, min(start + 100, len(index)))
        for mask in read_block(index, rows, size)[1]:
            counts[np.setdiff1d(mask, [VOID])] += 1
    return counts
