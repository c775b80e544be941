"""The hold-out's scores in the logs: the right numbers, and seen by Keras' own callbacks."""

import keras
import numpy as np
import pytest

from helpers.network import SaveRounds, ScoreHoldout, resume
from helpers.scoring import evaluate, scores
from helpers.workshop import finite_data
from tests.support import BOX_SIZE, fit_rounds, index_of_boxes, subset_of_boxes, two_convolutions


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return index_of_boxes(tmp_path_factory.mktemp("boxes"))


@pytest.fixture
def holdout(index):
    """Six images in batches of 4 and 2; the first row of each is void."""
    with finite_data(index[16:], BOX_SIZE, 4) as data:
        yield data


def keras_iou(model, data):
    """The same number by Keras, which holds all logits."""
    metric = keras.metrics.MeanIoU(2, ignore_class=255, sparse_y_pred=False)
    for images, masks in data:
        metric.update_state(masks, model.predict_on_batch(images))
    return float(metric.result())


@pytest.mark.slow
def test_the_scores_are_those_of_evaluate_and_of_keras(index, holdout):
    model, seen = two_convolutions(), []

    def look(epoch, logs):
        found = scores(evaluate(model, holdout))
        assert logs["val_mean_iou"] == found.mean_iou
        assert logs["val_pixel_accuracy"] == found.pixel_accuracy
        assert found.mean_iou == pytest.approx(keras_iou(model, holdout), abs=1e-6)
        accuracy = model.evaluate(holdout, return_dict=True, verbose=0)["accuracy"]
        assert found.pixel_accuracy == pytest.approx(accuracy, abs=1e-6)
        seen.append(found.mean_iou)

    with subset_of_boxes(index) as subset:
        look_in = keras.callbacks.LambdaCallback(on_epoch_end=look)
        fit_rounds(model, subset, ScoreHoldout(holdout), look_in, epochs=2)
    assert len(set(seen)) == 2
    assert holdout.decoded == 6


@pytest.mark.slow
def test_keras_own_callbacks_and_history_see_the_scores(index, holdout, tmp_path):
    model, file = two_convolutions(), tmp_path / "stock.keras"
    watch = {"monitor": "val_mean_iou", "mode": "max"}
    checkpoint = keras.callbacks.ModelCheckpoint(file, save_best_only=True, **watch)
    # No score is better by 1, so that this ends the second round.
    stopping = keras.callbacks.EarlyStopping(patience=1, min_delta=1, **watch)
    with subset_of_boxes(index) as subset:
        history = fit_rounds(model, subset, ScoreHoldout(holdout), checkpoint, stopping).history
    found = history["val_mean_iou"]
    assert len(found) == len(history["val_pixel_accuracy"]) == 2
    saved = keras.saving.load_model(file)
    assert scores(evaluate(saved, holdout)).mean_iou == max(found)


@pytest.mark.slow
def test_a_network_of_ones_own_works_with_all_of_it(index, holdout, tmp_path):
    def own():
        model = keras.Sequential([keras.Input((*BOX_SIZE, 3)), keras.layers.Conv2D(2, 1)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
        model.compile("sgd", loss)
        return model

    first, model, score = own(), own(), ScoreHoldout(holdout)
    with subset_of_boxes(index) as subset:
        save = SaveRounds(tmp_path, subset)
        fit_rounds(first, subset, score, save, epochs=1, validation_data=holdout)
        done = resume(model, tmp_path, subset)
        np.testing.assert_array_equal(model.get_weights()[0], first.get_weights()[0])
        history = fit_rounds(model, subset, score, save, first=done, validation_data=holdout)
    assert done == 1
    assert set(history.history) == {"loss", "val_loss", "val_mean_iou", "val_pixel_accuracy"}
    assert model.evaluate(holdout, verbose=0) == pytest.approx(history.history["val_loss"][-1])
    assert model.predict(holdout, verbose=0).shape == (6, *BOX_SIZE, 2)
    assert holdout.decoded == 6
