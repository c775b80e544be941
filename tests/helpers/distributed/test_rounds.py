"""Scores and checkpoints of several processes, with one process and a group that is played."""

from dataclasses import dataclass

import numpy as np
import pytest

from helpers.distributed.group import Group
from helpers.distributed.rounds import PREVIOUS, SaveTogether, ScoreTogether, resume_together
from helpers.network import ScoreHoldout
from helpers.workshop import finite_data
from tests.support import (
    BOX_SIZE,
    NEEDS_JAX,
    assert_same_state,
    fit_rounds,
    index_of_boxes,
    subset_of_boxes,
    two_convolutions,
    two_processes,
)

ALONE = Group(0, 1)


@dataclass
class Played:
    """A group in which the others answer what they are told to."""

    others: list

    def gather(self, array):
        return np.stack([np.asarray(array), *(np.asarray(other) for other in self.others)])


@pytest.fixture
def boxes(tmp_path):
    (tmp_path / "boxes").mkdir()
    return index_of_boxes(tmp_path / "boxes")


def trained(boxes, folder, epochs, seed=1):
    """A model after some rounds, saved by `SaveTogether`."""
    with subset_of_boxes(boxes, n_images=14) as subset:
        model = two_convolutions(seed)
        fit_rounds(model, subset, SaveTogether(folder, subset, 5), epochs=epochs)
    return model


def resumed(boxes, folder, group):
    with subset_of_boxes(boxes, n_images=14) as subset:
        return resume_together(lambda: two_convolutions(9), folder, subset, group)


def test_the_matrices_of_all_are_added_before_the_score(boxes):
    holdout = finite_data(boxes[16:], BOX_SIZE, 4)
    model, logs, alone = two_convolutions(1), {}, {}
    other = np.arange(4).reshape(2, 2)
    for callback, into in (
        (ScoreHoldout(holdout), alone),
        (ScoreTogether(holdout, lambda: two_convolutions(5), ALONE), logs),
    ):
        callback.set_model(model)
        callback.on_epoch_end(0, into)
    assert logs == alone  # with weights of the model, not with those it was built with
    group = Played([other])
    together = ScoreTogether(holdout, lambda: two_convolutions(5), group)
    together.set_model(model)
    together.on_epoch_end(0, logs)
    assert logs["val_mean_iou"] != alone["val_mean_iou"]


def test_the_last_two_rounds_stay_on_disk(boxes, tmp_path):
    trained(boxes, tmp_path / "one", epochs=1)
    assert not (tmp_path / "one" / PREVIOUS).exists()
    trained(boxes, tmp_path / "two", epochs=2)
    one = resumed(boxes, tmp_path / "one", ALONE)
    back = resumed(boxes, tmp_path / "two", Played([1]))
    assert (one[1], back[1]) == (1, 1)
    assert_same_state(one[0], back[0])


def test_what_all_have_is_taken_up_as_it_is(boxes, tmp_path):
    model = trained(boxes, tmp_path, epochs=2)
    again, done = resumed(boxes, tmp_path, Played([3, 2]))
    assert done == 2
    assert_same_state(model, again)


def test_where_another_has_nothing_all_begin_afresh_with_new_weights(boxes, tmp_path):
    trained(boxes, tmp_path, epochs=1)
    model, done = resumed(boxes, tmp_path, Played([0]))
    assert done == 0 and int(model.optimizer.iterations) == 0
    assert_same_state(model, two_convolutions(9))


def test_where_another_has_nothing_but_many_rounds_were_trained_nobody_begins_afresh(
    boxes, tmp_path
):
    trained(boxes, tmp_path, epochs=2)
    with pytest.raises(ValueError, match="Process 1 has no round on its disk, and process 0 has 2"):
        resumed(boxes, tmp_path, Played([0]))
    assert resumed(boxes, tmp_path, Played([2]))[1] == 2


def test_a_kill_between_the_two_names_loses_nothing(boxes, tmp_path):
    trained(boxes, tmp_path, epochs=2)
    (tmp_path / "last.keras").unlink()
    assert resumed(boxes, tmp_path, ALONE)[1] == 1


def test_a_round_that_is_gone_is_an_error(boxes, tmp_path):
    trained(boxes, tmp_path, epochs=2)
    (tmp_path / PREVIOUS).unlink()
    with pytest.raises(ValueError, match="holds round 2, but another process has only 1"):
        resumed(boxes, tmp_path, Played([1]))


def test_a_run_that_begins_afresh_leaves_no_round_of_the_old_one(boxes, tmp_path):
    trained(boxes, tmp_path, epochs=2)
    trained(boxes, tmp_path, epochs=1, seed=2)
    assert not (tmp_path / PREVIOUS).exists()


WITH_DROPOUT = """
import sys
from pathlib import Path
from helpers.quiet import keras
from helpers.data import index_folder
from helpers.distributed.group import join
from helpers.distributed.rounds import SaveTogether
from helpers.distributed.train import fingerprint
from helpers.windows import Geometry, SlidingSubset, geometry_of_share, rows_of_share
from tests.support import BOX_SIZE, fit_rounds, two_convolutions

process, address, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
group = join(address, process, 2, wait=60)
index = index_folder(folder / "images", folder / "masks", ["background", "box"])
whole = Geometry(16, window=10, stride=2, size=BOX_SIZE, batch_size=4, passes=2, seed=5)
model = two_convolutions()
with SlidingSubset(
    index[rows_of_share(16, process, 2)], geometry_of_share(whole, process, 2)
) as subset:
    fit_rounds(model, subset, SaveTogether(folder / str(process), subset, whole.seed), epochs=2)
print(fingerprint(model), flush=True)
"""


@pytest.mark.slow
@NEEDS_JAX
@pytest.mark.timeout(300)
def test_a_network_with_dropout_is_saved_by_several(boxes, tmp_path):
    both = two_processes(WITH_DROPOUT, tmp_path / "boxes")
    said = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], said[0][1][-2000:]
    weights = [out.splitlines()[-1] for out, _ in said]
    assert weights[0] == weights[1] and len(weights[0]) == 12
