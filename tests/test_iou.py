"""IoU: hand-worked examples, and agreement with the definition and with Keras on random masks."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from helpers import images as image_reading
from helpers.dataset import index_folder
from helpers.iou import (
    averages,
    confusion_matrix,
    evaluate,
    iou_by_object_size,
    objects,
    picture_matrices,
    predict_masks,
    scores,
)

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
def test_agrees_with_keras_over_several_pictures(pairs):
    if all((truth == 255).all() for truth, _ in pairs):
        return
    metric = keras.metrics.MeanIoU(N_CLASSES, ignore_class=255)
    matrix = np.zeros((N_CLASSES, N_CLASSES), np.int64)
    for truth, prediction in pairs:
        metric.update_state(truth.astype(np.int32), prediction)
        matrix += confusion_matrix(truth, prediction, N_CLASSES)
    assert scores(matrix).mean_iou == pytest.approx(float(metric.result()), rel=1e-5)


def test_five_averages_by_hand():
    # Picture 1 is right everywhere; picture 2 takes half of its class 1 for background. Class 2
    # is in neither.
    one = np.diag([6, 2, 0])
    two = np.array([[4, 0, 0], [2, 2, 0], [0, 0, 0]])
    found = averages([one, two])
    background, first = 10 / 12, 4 / 6
    assert found == pytest.approx(
        {
            "data set": (background + first) / 2,
            "mean of pictures": (1 + (4 / 6 + 2 / 4) / 2) / 2,
            "absent classes as 0": (background + first) / 3,
            "without background": first,
            "frequency weighted": (10 * background + 6 * first) / 16,
        }
    )
    with pytest.raises(ValueError, match="one matrix a picture"):
        averages(one)


class SaysRed:
    """A stand-in for a network: the logit of class 1 is how red a pixel is, others are 100."""

    def predict_on_batch(self, images):
        assert len(images) <= 2
        flat = np.full(images.shape[:3], 100.0)
        return np.stack([flat, images[..., 0].astype(float), flat - 1], axis=-1)


def test_predict_masks_goes_batch_by_batch():
    images = np.zeros((5, 4, 4, 3), np.uint8)
    images[3, 1, 2, 0] = 200
    masks = predict_masks(SaysRed(), images, batch_size=2)
    expected = np.zeros((5, 4, 4), np.uint8)
    expected[3, 1, 2] = 1
    assert masks.dtype == np.uint8
    np.testing.assert_array_equal(masks, expected)


@pytest.fixture
def red_squares(tmp_path):
    """Three pictures 24×32, red where the mask is 1; a void column; the sizes differ."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for i in range(3):
        mask = np.zeros((24, 32 + 8 * i), np.uint8)
        mask[8:16, 8:16] = 1
        mask[:, -4:] = 255
        image = np.zeros((*mask.shape, 3), np.uint8)
        image[mask == 1] = (200, 0, 0)
        Image.fromarray(image).save(tmp_path / "images" / f"{i}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"{i}.png")
    return index_folder(tmp_path / "images", tmp_path / "masks", ["background", "red", "blue"])


def test_evaluate_adds_up_all_pictures(red_squares):
    matrix = evaluate(SaysRed(), red_squares[:1], (24, 32), batch_size=2)
    np.testing.assert_array_equal(matrix, np.diag([24 * 28 - 64, 64, 0]))
    matrices = list(picture_matrices(SaysRed(), red_squares, (24, 32), batch_size=2))
    assert len(matrices) == 3
    total = evaluate(SaysRed(), red_squares, (24, 32), batch_size=2)
    np.testing.assert_array_equal(total, sum(matrices))


def test_evaluate_at_native_size_counts_the_pixels_of_the_masks(red_squares):
    native = evaluate(SaysRed(), red_squares, (12, 16), native=True, batch_size=2)
    assert native.sum() == 24 * (28 + 36 + 44)
    small = evaluate(SaysRed(), red_squares, (12, 16), batch_size=2)
    assert small.sum() < native.sum() / 3
    np.testing.assert_array_equal(native.sum(axis=1)[1:], [3 * 64, 0])


def test_at_native_size_every_file_is_decoded_once(red_squares, monkeypatch):
    decoded = []
    for name in ("image_array", "mask_array"):
        really = getattr(image_reading, name)

        def note(picture, path, *rest, really=really):
            decoded.append(path)
            return really(picture, path, *rest)

        monkeypatch.setattr(image_reading, name, note)
    evaluate(SaysRed(), red_squares, (12, 16), native=True, batch_size=2)
    assert sorted(decoded) == sorted(path for pair in red_squares for path in pair[1:])


def test_native_size_resizes_the_logits_before_the_argmax(red_squares):
    class Ramp:
        """Class 1 gains linearly from left to right: its border lies between network pixels."""

        def predict_on_batch(self, images):
            ramp = np.broadcast_to(np.linspace(-1, 1, images.shape[2]), images.shape[:3])
            return np.stack([0.3 + 0 * ramp, ramp, -9 + 0 * ramp], axis=-1).astype(np.float32)

    # Four columns at -1, -1/3, 1/3, 1: with 8 pixels a column, 0.3 is reached in column 19 of 32.
    native = evaluate(Ramp(), red_squares[:1], (24, 4), native=True)
    predicted_one = native[:, 1].sum() / 24
    assert predicted_one == 28 - 20


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
