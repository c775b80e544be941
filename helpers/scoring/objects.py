"""IoU of single objects, the connected regions of a mask, grouped by their size."""

from itertools import pairwise

import numpy as np
from scipy import ndimage

from helpers.data import VOID
from helpers.scoring.matrix import mean_of_known


def objects(truth: np.ndarray, prediction: np.ndarray, void: int = VOID) -> list[dict]:
    """One dict for each object of an image: `class_id`, `area` (pixels), `recall`, `iou`.

    An object is a connected region of one class (not background) in the mask `truth` (h, w);
    neighbours on the diagonal count as connected. Its IoU compares it with the predicted regions
    of its class that touch it; what they cover of *other* objects of that class, or of void, is
    right or unknown, and does not count against it.
    """
    eight = np.ones((3, 3), int)
    found = []
    for class_id in np.setdiff1d(truth, [0, void]):
        labels, n_objects = ndimage.label(truth == class_id, eight)
        regions, n_regions = ndimage.label((prediction == class_id) & (truth != void), eight)
        for label in range(1, n_objects + 1):
            here = labels == label
            touches = np.zeros(n_regions + 1, bool)
            touches[regions[here]] = True
            touches[0] = False
            hits = np.count_nonzero(regions[here])
            extra = np.count_nonzero(touches[regions] & (labels == 0))
            area = np.count_nonzero(here)
            iou = hits / (area + extra)
            row = {"class_id": int(class_id), "area": area, "recall": hits / area, "iou": iou}
            found.append(row)
    return found


def iou_by_object_size(truths, predictions, edges=(0, 50, 200, 800, np.inf)) -> list[dict]:
    """Mean recall and IoU of objects (see `objects`), grouped by their area in pixels.

    `truths` and `predictions` are sequences of masks (h, w). Group i holds the objects with
    edges[i] <= area < edges[i + 1]. Each group is a dict of `smallest`, `largest` (the edges),
    `n_objects`, `recall` and `iou`; the last two are nan for an empty group.

    Notebook 04, "Small objects are hard".
    """
    pairs = zip(truths, predictions, strict=True)
    found = [item for truth, prediction in pairs for item in objects(truth, prediction)]
    groups = []
    for low, high in pairwise(edges):
        group = [item for item in found if low <= item["area"] < high]
        recall, iou = (
            mean_of_known(np.array([item[key] for item in group])) for key in ("recall", "iou")
        )
        sizes = {"smallest": low, "largest": high, "n_objects": len(group)}
        groups.append(sizes | {"recall": recall, "iou": iou})
    return groups
