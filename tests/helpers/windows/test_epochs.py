"""Which epoch comes next: after a `fit`, in the middle of one, and when that cannot be told."""

import keras
import numpy as np
import pytest

from helpers.windows.epochs import PassCounter
from tests.support import (
    assert_trained,
    coded_subset,
    fit_and_record,
    row_recorder,
    stop_at,
)

# The counter


def one_pass(counter, batches):
    counter.begin()
    for batch in batches:
        counter.ask(batch)
    counter.end()


def test_a_pass_is_an_epoch_when_each_batch_was_asked_for_once():
    counter = PassCounter(4)
    assert not counter.finished()
    for batches in ([0, 1, 2, 3], [3, 1, 0, 2]):
        one_pass(counter, batches)
        assert counter.finished()


def test_what_is_asked_for_outside_a_pass_does_not_count():
    counter = PassCounter(4)
    for batch in (0, 1):
        counter.ask(batch)
    counter.end()
    assert not counter.finished()
    one_pass(counter, range(4))
    counter.ask(2)
    assert counter.finished()


def test_one_pass_may_be_dropped_but_not_two():
    counter = PassCounter(4)
    one_pass(counter, [0, 1])
    assert not counter.finished()
    one_pass(counter, [0])
    with pytest.raises(RuntimeError, match="two epochs in a row were left"):
        counter.finished()
    counter.forget()
    assert not counter.finished()
    one_pass(counter, range(4))
    assert counter.finished()


def test_a_batch_twice_is_doubt():
    counter = PassCounter(4)
    one_pass(counter, [0, 1, 2, 3, 3])
    with pytest.raises(RuntimeError, match=r"more than once.*follow_callback.*seek"):
        counter.finished()


def test_a_callback_that_falls_silent_is_doubt():
    counter = PassCounter(4)
    counter.forget(followed=True)
    assert not counter.finished()
    one_pass(counter, range(4))
    with pytest.raises(RuntimeError, match="callback that led the last fit is silent"):
        counter.finished()


@pytest.mark.parametrize("n_batches", [1, 2, 3])
def test_a_trial_run_of_another_backend_cannot_be_told_from_a_short_epoch(monkeypatch, n_batches):
    counter = PassCounter(n_batches)
    one_pass(counter, range(n_batches))
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    assert counter.finished()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    if n_batches == 3:
        assert counter.finished()
    else:
        with pytest.raises(RuntimeError, match="looks like Keras' trial run"):
            counter.finished()


# What `fit` does with a subset


def test_validation_changes_nothing():
    with coded_subset(30, 20, 2, batch_size=4) as subset:
        size = subset.geometry.size
        holdout = np.zeros((5, *size, 3), np.uint8), np.zeros((5, *size), np.uint8)
        assert_trained(
            subset, fit_and_record(subset, validation_data=holdout, epochs=12), range(12)
        )


def test_fits_one_after_another_go_on():
    with coded_subset(30, 20, 2, batch_size=4) as subset:
        model = row_recorder()
        assert_trained(subset, fit_and_record(subset, model, epochs=7), range(7))
        assert_trained(
            subset, fit_and_record(subset, model, initial_epoch=7, epochs=16), range(7, 16)
        )
        subset.seek(3)
        assert_trained(
            subset, fit_and_record(subset, model, initial_epoch=3, epochs=6), range(3, 6)
        )


def test_a_fit_that_starts_late_after_seek():
    with coded_subset(30, 20, 2, batch_size=4) as subset:
        subset.seek(12)
        assert subset.decoded <= 22
        assert_trained(subset, fit_and_record(subset, initial_epoch=12), range(12, 30))
        assert subset.decoded == 26


@pytest.mark.parametrize("batch_size", [32, 12, 4])
def test_the_callback_makes_any_fit_exact(batch_size):
    with coded_subset(30, 20, 2, batch_size=batch_size) as subset:
        model, follow = row_recorder(), subset.follow_callback()
        for first, last in ((11, 14), (0, 6), (25, 30), (2, 3)):
            record = fit_and_record(subset, model, [follow], initial_epoch=first, epochs=last)
            assert_trained(subset, record, range(first, last))


def test_going_past_the_end_is_an_error():
    with coded_subset(22, 20, 2, batch_size=4) as subset:
        with pytest.raises(ValueError, match=r"no epoch 10: 2 rounds of 5"):
            fit_and_record(subset, epochs=11)
        with pytest.raises(ValueError, match=r"no epoch -1"):
            subset.seek(-1)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_after_an_interrupt_seek_or_callback_go_on_exactly(error):
    with coded_subset(30, 20, 2, batch_size=2) as subset:
        model = row_recorder()
        for follow in ([], [subset.follow_callback()]):
            subset.seek(0)
            try:
                fit_and_record(subset, model, [*follow, stop_at(6, error)])
            except KeyboardInterrupt:
                assert error
            if not follow:
                subset.seek(6)
            record = fit_and_record(subset, model, follow, initial_epoch=6, epochs=9)
            assert_trained(subset, record, range(6, 9))


def test_doubt_about_the_epoch_is_an_error():
    with coded_subset(30, 20, 2, batch_size=2) as subset:
        with pytest.raises(RuntimeError, match=r"left before their last batch.*follow_callback"):
            fit_and_record(subset, steps_per_epoch=4, epochs=5)
        subset.seek(0)
        with pytest.raises(RuntimeError, match=r"more than once"):
            peek = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: subset[0])
            fit_and_record(subset, callbacks=[peek], epochs=2)
        subset.seek(0)
        with pytest.raises(KeyboardInterrupt):
            fit_and_record(
                subset, callbacks=[subset.follow_callback(), stop_at(2, KeyboardInterrupt())]
            )
        with pytest.raises(RuntimeError, match=r"callback that led the last fit is silent"):
            fit_and_record(subset, epochs=1)
