"""Single objects of a mask: by hand, side by side, grouped by size."""

import numpy as np
import pytest

from helpers.scoring import iou_by_object_size
from helpers.scoring.objects import count_objects, object_areas, objects


def test_objects_by_hand():
    truth = np.zeros((8, 12), np.uint8)
    truth[1:3, 1:3] = 1  # 4 pixels, found in half, with 2 pixels too many
    truth[1:3, 6:10] = 1  # 8 pixels, found in full
    truth[5:8, 0:3] = 2  # 9 pixels, missed
    truth[5:7, 10:12] = 255
    prediction = np.zeros_like(truth)
    prediction[1:3, 0:2] = 1
    prediction[1:3, 6:10] = 1
    prediction[5:7, 10:12] = 1  # on void: does not count
    prediction[7, 6] = 2  # touches no object
    found = objects(truth, prediction)
    assert [(item["class_id"], item["area"]) for item in found] == [(1, 4), (1, 8), (2, 9)]
    assert [item["recall"] for item in found] == [0.5, 1, 0]
    assert [item["iou"] for item in found] == pytest.approx([2 / 6, 1, 0])


def test_one_prediction_over_two_objects_is_right_on_both():
    truth = np.zeros((3, 9), np.uint8)
    truth[1, 1:4] = truth[1, 5:8] = 1
    prediction = np.zeros_like(truth)
    prediction[1, 1:8] = 1  # one pixel too many, between the two
    assert [item["iou"] for item in objects(truth, prediction)] == pytest.approx([3 / 4, 3 / 4])


def test_objects_are_grouped_by_area():
    truth = np.zeros((1, 6, 12), np.uint8)
    truth[0, 0, 0] = truth[0, 0, 3] = 1
    truth[0, 2:6, 4:12] = 1
    prediction = truth.copy()
    prediction[0, 0, 0] = 0
    small, middle, large = iou_by_object_size(truth, prediction, edges=(0, 2, 32, np.inf))
    assert (small["n_objects"], small["recall"], small["iou"]) == (2, 0.5, 0.5)
    assert middle["n_objects"] == 0
    assert np.isnan(middle["iou"])
    assert (large["n_objects"], large["recall"], large["iou"]) == (1, 1, 1)


def test_objects_are_counted_by_hand():
    truth = np.zeros((8, 16), np.uint8)
    truth[1:3, 1:3] = 1  # found
    truth[1:3, 6:8] = truth[1:3, 10:12] = 1  # two, found as one: neither has more than a half of it
    truth[5:7, 1:3] = 2  # called by another class: missed, and the other is invented
    truth[7, 15] = 2  # a speck
    truth[5:7, 10:12] = 255
    prediction = np.zeros_like(truth)
    prediction[1:3, 1:3] = 1
    prediction[1:3, 6:12] = 1
    prediction[5:7, 1:3] = 3
    prediction[5:7, 10:12] = 1  # on void
    assert count_objects(truth, prediction, smallest=2) == {
        "truth": 4, "prediction": 3, "found": 1, "missed": 3, "invented": 2,
    }  # fmt: skip
    assert count_objects(truth, prediction)["truth"] == 5
    assert count_objects(truth, truth)["found"] == 5
    assert sorted(object_areas(truth, smallest=2)) == [4, 4, 4, 4]
    assert sorted(object_areas(prediction)) == [4, 4, 4, 12]
    nothing = np.zeros_like(truth)
    assert object_areas(nothing).tolist() == []
    assert count_objects(truth, nothing, 2)["missed"] == 4
    assert set(count_objects(nothing, nothing).values()) == {0}
