"""Training over windows: history, scores, resuming bit by bit, stopping, interrupts."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from helpers.network import build_fcn, compile_fcn, load_history, training
from helpers.network.training import Holdout
from helpers.scoring import evaluate, scores
from tests.support import (
    BOX_SIZE,
    index_of_boxes,
    interrupt_at,
    train_on_boxes,
    two_convolutions,
)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return index_of_boxes(tmp_path_factory.mktemp("boxes"))


@pytest.fixture
def deterministic():
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    yield
    from tensorflow.python.framework import config

    config.disable_op_determinism()


def state_of(model):
    return [np.asarray(v) for v in (*model.variables, *model.optimizer.variables)]


def assert_same_state(one, other):
    for ours, theirs in zip(state_of(one), state_of(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_history_has_every_round(index, tmp_path):
    model, rounds = train_on_boxes(index, tmp_path)
    assert [(row["round"], row["epoch"]) for row in rounds] == [(1, 2), (2, 4), (3, 6), (4, 8)]
    scored = {"holdout_pixel_accuracy", "holdout_mean_iou"}
    keys = {"round", "epoch", "loss", "accuracy", "seconds"} | scored
    assert all(set(row) == keys for row in rounds)
    assert load_history(tmp_path) == rounds
    history = json.loads((tmp_path / "history.json").read_text(encoding="utf-8"))
    assert history == {"rounds": rounds}
    assert rounds[-1]["loss"] < rounds[0]["loss"]
    assert int(model.optimizer.iterations) == 4 * 2 * 3


def test_scores_and_files_are_those_of_the_hold_out(index, tmp_path):
    model, rounds = train_on_boxes(index, tmp_path)
    found = scores(evaluate(model, index[16:], BOX_SIZE))
    assert rounds[-1]["holdout_mean_iou"] == found.mean_iou
    assert rounds[-1]["holdout_pixel_accuracy"] == found.pixel_accuracy
    best = keras.saving.load_model(tmp_path / "best.keras")
    best_iou = scores(evaluate(best, index[16:], BOX_SIZE)).mean_iou
    assert best_iou == max(row["holdout_mean_iou"] for row in rounds)
    assert_same_state(keras.saving.load_model(tmp_path / "last.keras"), model)


def test_a_hold_out_read_again_each_time_scores_the_same(index, monkeypatch):
    model = two_convolutions()
    kept = Holdout(index[16:], BOX_SIZE)
    monkeypatch.setattr(training, "HOLDOUT_BYTES", 0)
    streamed = Holdout(index[16:], BOX_SIZE)
    assert kept.arrays is not None
    assert streamed.arrays is None
    assert kept.scores(model, 4).mean_iou == streamed.scores(model, 4).mean_iou


@pytest.mark.slow
def test_stop_and_resume_end_bit_equal(index, tmp_path, deterministic):
    # The real network here. The last model has other first weights: all comes from the folder.
    one, two, other = (compile_fcn(build_fcn(2, (*BOX_SIZE, 3), seed=seed)) for seed in (1, 1, 9))
    whole, rounds = train_on_boxes(index, tmp_path / "whole", one)
    _, first = train_on_boxes(index, tmp_path / "parts", two, stop_after_round=1)
    assert len(first) == 1
    resumed, rest = train_on_boxes(index, tmp_path / "parts", other, resume=True)
    assert_same_state(whole, resumed)
    for ours, theirs in zip(rounds, rest, strict=True):
        for key in ("round", "epoch", "loss", "accuracy", "holdout_mean_iou"):
            assert ours[key] == theirs[key]


def test_interrupt_keeps_the_finished_rounds_and_resume_goes_on(index, tmp_path, deterministic):
    whole, _ = train_on_boxes(index, tmp_path / "whole")
    folder = tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):
        train_on_boxes(index, folder, callbacks=[interrupt_at(5)])
    assert [row["round"] for row in load_history(folder)] == [1, 2]
    resumed, rounds = train_on_boxes(index, folder, two_convolutions(seed=9), resume=True)
    assert [row["round"] for row in rounds] == [1, 2, 3, 4]
    assert [row["epoch"] for row in rounds] == [2, 4, 6, 8]
    assert load_history(folder) == rounds
    assert_same_state(whole, resumed)


def test_resume_of_nothing_starts_and_of_a_finished_run_does_nothing(index, tmp_path):
    _, rounds = train_on_boxes(index, tmp_path, resume=True)
    assert len(rounds) == 4
    before = (tmp_path / "last.keras").read_bytes()
    model, again = train_on_boxes(index, tmp_path, resume=True)
    assert again == rounds
    assert (tmp_path / "last.keras").read_bytes() == before
    assert int(model.optimizer.iterations) == 4 * 2 * 3


def test_patience_counts_rounds_without_a_better_score(index, tmp_path, monkeypatch):
    ious = iter([0.5, 0.4, 0.5, 0.6])
    anything = scores(np.eye(2))

    def next_score(*_):
        return dataclasses.replace(anything, mean_iou=next(ious))

    monkeypatch.setattr(Holdout, "scores", next_score)
    _, rounds = train_on_boxes(index, tmp_path, patience=2)
    assert [row["holdout_mean_iou"] for row in rounds] == [0.5, 0.4, 0.5]
    _, again = train_on_boxes(index, tmp_path, patience=2, resume=True)
    assert again == rounds
    _, more = train_on_boxes(index, tmp_path, patience=3, resume=True)
    assert len(more) == 4


def test_bad_arguments_are_refused(index, tmp_path):
    with pytest.raises(ValueError, match="compile_fcn"):
        train_on_boxes(index, tmp_path, keras.Sequential([keras.Input((*BOX_SIZE, 3))]))
    for wrong in ({"patience": 0}, {"stop_after_round": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            train_on_boxes(index, tmp_path, **wrong)


def test_callbacks_find_the_hold_out_in_the_logs(index, tmp_path):
    seen = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(logs.get("holdout_mean_iou"))
    )
    _, rounds = train_on_boxes(index, tmp_path, stop_after_round=2, callbacks=[note])
    assert seen == [None, rounds[0]["holdout_mean_iou"], None, rounds[1]["holdout_mean_iou"]]
