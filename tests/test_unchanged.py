"""What a rebuilding of the code must not change: batches, splits, networks and scores, as digests.

Only the lines that fetch a batch may follow the code. The pixels come from the masks of the
committed slice, which are PNG files: decoders of JPEG differ in single levels.
"""

import hashlib

import numpy as np
import pytest

from helpers.data import index_voc, read_mask
from helpers.network import build_fcn
from helpers.scoring import scores
from helpers.settings import DATA_FOLDERS
from helpers.windows import (
    Geometry,
    SlidingSubset,
    flip_horizontally,
    sliding_windows,
    split_windows,
)

INDEX = index_voc(DATA_FOLDERS["tiny"], "train")[:58]
GEOMETRY = Geometry(58, window=20, stride=2, size=(24, 32), batch_size=8, passes=5, seed=3)


def read_masks_only(index, rows, size, images, masks):
    """The mask's class ids, and an image that is coloured by them and by the row."""
    for slot, row in enumerate(rows):
        masks[slot] = read_mask(index[row].mask, size, index.n_classes)
        images[slot] = index.palette[masks[slot] % index.n_classes] + np.uint8(row)


def digest(*arrays):
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(f"{array.dtype.name}{array.shape}".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()[:16]


def batch_of(round_, pass_, batch, augmented):
    augment = flip_horizontally if augmented else None
    with SlidingSubset(INDEX, GEOMETRY, augment, read=read_masks_only) as subset:
        place = (round_ * GEOMETRY.passes + pass_) * GEOMETRY.steps_per_pass + batch
        return subset[place]


BATCHES = {  # (round, pass, batch, augmented): digest of images and masks
    (0, 0, 0, False): "3a86ea2562998a05",
    (0, 0, 2, False): "3749c79776e05f53",
    (0, 4, 1, False): "c9890d030d082ce6",
    (1, 0, 0, False): "4df49c8dea2d0148",
    (1, 2, 2, False): "bc748b3d5f5a68cc",
    (2, 3, 1, False): "63fd8f581479c583",
    (5, 0, 0, False): "bfc9e53429d66216",
    (7, 1, 2, False): "6f5ae90a491e3e34",
    (10, 4, 0, False): "3f02e3681a3a5669",
    (13, 2, 1, False): "bb237c77830d9fb2",
    (19, 0, 0, False): "4ab2969686dec6bb",
    (19, 4, 2, False): "fc469db5d71559f8",
    (0, 0, 0, True): "9074d5d35b2e643f",
    (0, 1, 2, True): "fc84cea79bf92fa1",
    (1, 0, 1, True): "9909b23e2e795a2e",
    (3, 4, 0, True): "0863a97b7633b6f3",
    (8, 2, 2, True): "1e4ab3fee5134009",
    (12, 0, 1, True): "11b73c9fe6d610ec",
    (16, 3, 0, True): "ad8dc9cf8b5c2896",
    (19, 4, 2, True): "7ed8fa953f63e3c0",
}


@pytest.mark.parametrize("place", BATCHES, ids=str)
def test_a_batch_holds_the_same_bytes(place):
    assert digest(*batch_of(*place)) == BATCHES[place]


def test_the_articles_splits_hold_the_same_rows():
    splits = split_windows(sliding_windows(2913, 1000, 100), 0.1, seed=0)
    assert (
        digest(*(rows.astype(np.int64) for split in splits for rows in split)) == "06207678ba7f3cd0"
    )


def test_an_untrained_fcn_8s_predicts_the_same():
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    logits = build_fcn(5, (64, 96, 3), seed=7).predict(images, verbose=0)
    expected = [
        -0.2171777,
        0.1441118,
        -0.007500236,
        0.04565926,
        0.146126,
        -0.7905502,
        0.4923178,
        -0.2063491,
        -0.2152392,
        -0.2479861,
        -0.3885294,
        0.3963999,
        0.069204,
        0.05620979,
        0.1289399,
        -1.287125,
        0.6139067,
        -0.1009883,
        -0.09798314,
        -0.156313,
        -0.1761674,
        0.1864087,
        -0.0302839,
        0.007245642,
        0.04786889,
        -0.7509311,
        0.3367527,
        -0.09442142,
        -0.2362217,
        -0.2534481,
        -0.1504861,
        0.376761,
        -0.0007171365,
        -0.06407297,
        0.1326396,
        -1.025539,
        0.6150386,
        -0.1705182,
        -0.267574,
        -0.1667501,
    ]
    np.testing.assert_allclose(logits[:, ::40, ::50].ravel(), expected, atol=1e-5)


def test_a_confusion_matrix_has_the_same_scores():
    matrix = np.array([[50, 2, 3, 0], [4, 10, 1, 0], [6, 0, 4, 0], [0, 0, 0, 0]])
    found = scores(matrix)
    assert found.pixel_accuracy == 64 / 80
    assert found.mean_accuracy == pytest.approx((50 / 55 + 10 / 15 + 4 / 10) / 3, abs=1e-15)
    assert found.per_class_iou[:3].tolist() == [50 / 65, 10 / 17, 4 / 14]
    assert np.isnan(found.per_class_iou[3])
    assert found.mean_iou == pytest.approx((50 / 65 + 10 / 17 + 4 / 14) / 3, abs=1e-15)
    weighted = (55 * 50 / 65 + 15 * 10 / 17 + 10 * 4 / 14) / 80
    assert found.frequency_weighted_iou == pytest.approx(weighted, abs=1e-15)
