"""IoU: hand-worked examples, and agreement with the definition and with Keras on random masks."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.scoring import averages, confusion_matrix, scores

# Three classes; the pixel at the top right is void.
TRUTH = np.array([[0, 0, 255], [1, 1, 0], [1, 2, 0]], np.uint8)
PREDICTION = np.array([[0, 1, 2], [1, 1, 0], [0, 1, 0]], np.uint8)
MATRIX = [[3, 1, 0], [1, 2, 0], [0, 1, 0]]


def test_confusion_matrix_by_hand():
    matrix = confusion_matrix(TRUTH, PREDICTION, 3)
    assert matrix.dtype == np.int64
    np.testing.assert_array_equal(matrix, MATRIX)


def test_scores_by_hand():
    found = scores(np.array(MATRIX))
    assert found.pixel_accuracy == pytest.approx(5 / 8)
    assert found.mean_accuracy == pytest.approx((3 / 4 + 2 / 3 + 0) / 3)
    np.testing.assert_allclose(found.per_class_iou, [3 / 5, 2 / 5, 0])
    assert found.mean_iou == pytest.approx(1 / 3)
    assert found.frequency_weighted_iou == pytest.approx((4 * 3 / 5 + 3 * 2 / 5) / 8)


def test_absent_classes_are_nan_and_do_not_count_but_false_alarms_do():
    absent = scores(np.array([[2, 0, 0], [0, 2, 0], [0, 0, 0]]))
    assert np.isnan(absent.per_class_iou[2])
    assert absent.mean_iou == absent.mean_accuracy == 1
    false_alarm = scores(np.array([[2, 0, 2], [0, 2, 0], [0, 0, 0]]))
    np.testing.assert_allclose(false_alarm.per_class_iou, [0.5, 1, 0])
    assert false_alarm.mean_accuracy == pytest.approx(0.75)


def test_a_matrix_without_pixels_has_no_scores():
    found = scores(np.zeros((3, 3), np.int64))
    assert np.isnan([found.pixel_accuracy, found.mean_iou, found.frequency_weighted_iou]).all()


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        ([0, 3], [0, 0], "truth holds the id 3"),
        ([0, 1], [0, 3], "prediction holds the id 3"),
        ([0, 1], [0, 255], "prediction holds the id 255"),
        ([0, 1], [-1, 0], "prediction holds the id -1"),
        ([0, 1], [0.0, 1.0], "integer"),
        ([0, 1], [0], "shape"),
    ],
)
def test_wrong_ids_are_refused(truth, prediction, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(truth, prediction, 3)


def test_a_matrix_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match="square"):
        scores(np.zeros((2, 3)))


N_CLASSES = 5
# Small arrays over few ids, so that absent classes and masks of pure void do occur.
TRUTHS = arrays(np.uint8, (4, 6), elements=st.sampled_from([0, 1, 2, 3, 4, 255]))
PREDICTIONS = arrays(np.uint8, (4, 6), elements=st.integers(0, N_CLASSES - 1))


@settings(deadline=None)
@given(TRUTHS, PREDICTIONS)
def test_agrees_with_the_definition_on_sets_of_pixels(truth, prediction):
    valid = [place for place in np.ndindex(truth.shape) if truth[place] != 255]
    of_truth = [{place for place in valid if truth[place] == k} for k in range(N_CLASSES)]
    predicted = [{place for place in valid if prediction[place] == k} for k in range(N_CLASSES)]
    found = scores(confusion_matrix(truth, prediction, N_CLASSES))
    ious, recalls, hits, weighted = [], [], 0, 0
    for k, (true, said) in enumerate(zip(of_truth, predicted, strict=True)):
        if not true | said:
            assert np.isnan(found.per_class_iou[k])
            continue
        ious.append(len(true & said) / len(true | said))
        assert found.per_class_iou[k] == pytest.approx(ious[-1])
        hits += len(true & said)
        weighted += len(true) * ious[-1]
        if true:
            recalls.append(len(true & said) / len(true))
    if valid:
        assert found.mean_iou == pytest.approx(np.mean(ious))
        assert found.mean_accuracy == pytest.approx(np.mean(recalls))
        assert found.pixel_accuracy == pytest.approx(hits / len(valid))
        assert found.frequency_weighted_iou == pytest.approx(weighted / len(valid))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(TRUTHS, PREDICTIONS), min_size=1, max_size=3))
def test_agrees_with_keras_over_several_images(pairs):
    if all((truth == 255).all() for truth, _ in pairs):
        return
    metric = keras.metrics.MeanIoU(N_CLASSES, ignore_class=255)
    matrix = np.zeros((N_CLASSES, N_CLASSES), np.int64)
    for truth, prediction in pairs:
        metric.update_state(truth.astype(np.int32), prediction)
        matrix += confusion_matrix(truth, prediction, N_CLASSES)
    assert scores(matrix).mean_iou == pytest.approx(float(metric.result()), rel=1e-5)


def test_five_averages_by_hand():
    # Image 1 is right everywhere; image 2 takes half of its class 1 for background. Class 2
    # is in neither.
    one = np.diag([6, 2, 0])
    two = np.array([[4, 0, 0], [2, 2, 0], [0, 0, 0]])
    found = averages([one, two])
    background, first = 10 / 12, 4 / 6
    assert found == pytest.approx(
        {
            "data set": (background + first) / 2,
            "mean of images": (1 + (4 / 6 + 2 / 4) / 2) / 2,
            "absent classes as 0": (background + first) / 3,
            "without background": first,
            "frequency weighted": (10 * background + 6 * first) / 16,
        }
    )
    with pytest.raises(ValueError, match="one matrix an image"):
        averages(one)
