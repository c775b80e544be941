"""Single objects, the connected regions of a mask: their IoU by size, and how many were found."""

from itertools import pairwise

import numpy as np
from scipy import ndimage

from helpers.data import VOID
from helpers.scoring.matrix import mean_of_known

EIGHT = np.ones((3, 3), int)  # neighbours on the diagonal are connected
FOUND_IOU = 0.5


def objects(truth: np.ndarray, prediction: np.ndarray, void: int = VOID) -> list[dict]:
    """One dict for each object of an image: `class_id`, `area` (pixels), `recall`, `iou`.

    An object is a connected region of one class (not background) in the mask `truth` (h, w);
    neighbours on the diagonal count as connected. Its IoU compares it with the predicted regions
    of its class that touch it; what they cover of *other* objects of that class, or of void, is
    right or unknown, and does not count against it.
    """
    found = []
    for class_id in np.setdiff1d(truth, [0, void]):
        labels, n_objects = ndimage.label(truth == class_id, EIGHT)
        regions, n_regions = ndimage.label((prediction == class_id) & (truth != void), EIGHT)
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


def count_objects(truth, prediction, smallest: int = 0, void: int = VOID) -> dict[str, int]:
    """How many objects there are, and what became of them: a dict of five numbers.

        truth       objects (see `objects`) of at least `smallest` pixels in the mask `truth` (h, w)
        prediction  and in the mask `prediction`, where void is left out
        found       objects with an IoU of more than a half with one predicted object of their class
        missed      the others
        invented    predicted objects that are nobody's

    With more than a half no object can be found twice. The rule is that of panoptic quality
    (Kirillov and others 2019, arXiv 1801.00868).

    Notebook 08, "Count them".
    """
    there = predicted = found = 0
    for class_id in np.setdiff1d([*np.unique(truth), *np.unique(prediction)], [0, void]):
        labels, areas = _regions(truth == class_id, smallest)
        regions, sizes = _regions((prediction == class_id) & (truth != void), smallest)
        there, predicted = there + np.sum(areas > 0), predicted + np.sum(sizes > 0)
        both = (labels > 0) & (regions > 0)
        pair = labels[both].astype(np.int64) * (len(sizes) + 1) + regions[both]
        pairs, shared = np.unique(pair, return_counts=True)
        area, size = areas[pairs // (len(sizes) + 1) - 1], sizes[pairs % (len(sizes) + 1) - 1]
        large = (area > 0) & (size > 0)
        found += np.sum(large & (shared > FOUND_IOU * (area + size - shared)))
    return {
        "truth": int(there), "prediction": int(predicted), "found": int(found),
        "missed": int(there - found), "invented": int(predicted - found),
    }  # fmt: skip


def object_areas(mask, smallest: int = 0, void: int = VOID) -> np.ndarray:
    """Pixels of every object (see `objects`) of a mask (h, w) that has at least `smallest`.

    Notebook 08, "A slide that is too large".
    """
    classes = np.setdiff1d(mask, [0, void])
    areas = [_regions(mask == class_id, smallest)[1] for class_id in classes]
    areas = np.concatenate([np.zeros(0, int), *areas])
    return areas[areas > 0]


def _regions(inside, smallest):
    """(labels, areas): the regions of a mask, 1 to n, and their pixels, 0 for one too small."""
    labels, n = ndimage.label(inside, EIGHT)
    areas = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    return labels, np.where(areas >= smallest, areas, 0)
