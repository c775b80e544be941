"""What one process does; with one process it is the training that notebook 3 has."""

import numpy as np
import pytest

from helpers.distributed.group import Group
from helpers.distributed.local import launch
from helpers.distributed.train import fingerprint, train_as, train_share
from helpers.network import SaveRounds, ScoreHoldout
from helpers.quiet import keras
from helpers.windows import SlidingSubset
from tests.support import NEEDS_JAX, fit_rounds, rounds_of, tiny_workshop, with_jax


def test_one_process_trains_as_notebook_3_does(tmp_path):
    workshop, told = tiny_workshop(), []
    found = train_share(workshop, Group(0, 1), tmp_path / "one", told.append)
    model = workshop.network()
    with SlidingSubset(workshop.train, workshop.geometry, workshop.augment) as subset:
        saved = SaveRounds(tmp_path / "plain", subset)
        fit_rounds(model, subset, ScoreHoldout(workshop.holdout_data()), saved)
        assert found["window_mib"] == subset.nbytes / 2**20
    rounds = rounds_of(tmp_path / "plain")
    assert found["losses"] == pytest.approx([row["loss"] for row in rounds], rel=0.05)
    assert [row["round"] for row in told] == [row["round"] for row in rounds]
    assert {row["rounds"] for row in told} == {len(rounds)}
    assert found["images"] == len(workshop.train) and found["left_over"] == []
    assert found["images_per_s"] > 0 and found["peak_mib"] > 100
    again = train_share(workshop, Group(0, 1), tmp_path / "one", told.append)
    assert again["weights"] == found["weights"] and len(told) == len(rounds)


def test_one_process_as_two_takes_their_steps():
    workshop, told = tiny_workshop(), []
    found = train_as(2, workshop, told.append)
    share = workshop.share(0, 2)
    assert len(found["losses"]) == len(told) == share.geometry.n_rounds
    assert len(found["first_losses"]) == 8
    assert found["images"] == len(workshop.train)
    assert found["window_mib"] == 2 * share.geometry.nbytes / 2**20


def test_a_fingerprint_tells_weights_apart():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    first = fingerprint(model)
    weights = model.get_weights()
    weights[0][0, 0] = np.nextafter(weights[0][0, 0], np.float32(2))
    model.set_weights(weights)
    assert len(first) == 12 and fingerprint(model) != first


@pytest.mark.slow
@NEEDS_JAX
@pytest.mark.timeout(600)
def test_two_processes_follow_one_with_the_same_batches(tmp_path):
    workshop = tiny_workshop()
    rows = launch(2, tmp_path / "two", environ=with_jax())
    assert rows[0]["weights"] == rows[1]["weights"]
    assert rows[0]["losses"] == rows[1]["losses"]
    whole = SlidingSubset(workshop.train, workshop.geometry).nbytes / 2**20
    assert [row["window_mib"] for row in rows] == [whole / 2, whole / 2]
    (one,) = launch(1, tmp_path / "one", played=2, environ=with_jax())
    # The same batches and the same arithmetic, summed in another order. What is lost in rounding
    # grows, by Adam's division above all: a step with a small gradient is as long as any other.
    assert rows[0]["first_losses"] == pytest.approx(one["first_losses"], abs=1e-3)
    assert rows[0]["first_losses"][:4] == pytest.approx(one["first_losses"][:4], abs=1e-5)
    assert rows[0]["losses"][0] == pytest.approx(one["losses"][0], abs=1e-2)
    assert one["window_mib"] == whole and one["images"] == len(workshop.train)


@pytest.mark.torture
@NEEDS_JAX
@pytest.mark.timeout(900)
def test_three_processes_and_a_list_that_does_not_divide(tmp_path):
    workshop = tiny_workshop()
    rows = launch(3, tmp_path, environ=with_jax())
    assert [row["images"] for row in rows] == [19, 19, 19]
    assert [row["left_over"] for row in rows] == [[workshop.train[57].id]] * 3
    assert len({row["weights"] for row in rows}) == 1
    assert len(rows[0]["losses"]) == workshop.share(2, 3).geometry.n_rounds
