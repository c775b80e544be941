"""A training that is killed at random moments, resumed each time, ends as one that was not.

A kill is SIGKILL: nothing can be tidied up. It may hit a step, a decode, a change of window or a
write to disk. `make torture` does 25 of them; three are part of `make test`.
"""

import random
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from helpers.settings import PROJECT
from tests.support import rounds_of

CHILD = """
import sys
from helpers.quiet import keras
import tensorflow as tf
from helpers.data import index_voc
from helpers.network import SaveRounds, ScoreHoldout, build_fcn, compile_fcn, resume
from helpers.settings import DATA_FOLDERS
from helpers.windows import Geometry, SlidingSubset, flip_horizontally
from helpers.workshop import finite_data

folder, dropout = sys.argv[1], float(sys.argv[2])
tf.config.experimental.enable_op_determinism()
index = index_voc(DATA_FOLDERS["tiny"], "train")
geometry = Geometry.scaled(58, (32, 32), batch_size=8, passes=2)
model = build_fcn(index.n_classes, (32, 32, 3))
if dropout:
    model = keras.Model(model.input, keras.layers.Dropout(dropout)(model.output))
compile_fcn(model)
print("ready", flush=True)
with SlidingSubset(index[:58], geometry, flip_horizontally) as subset:
    holdout = finite_data(index[58:], (32, 32), 8)
    done = resume(model, folder, subset)
    model.fit(
        subset.from_round(done),
        initial_epoch=done,
        steps_per_epoch=subset.steps_per_round,
        epochs=subset.n_rounds,
        shuffle=False,
        callbacks=[ScoreHoldout(holdout), SaveRounds(folder, subset)],
        verbose=0,
    )
print("finished", flush=True)
"""


def start(folder, dropout):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(dropout)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def seconds_of_a_whole_run(folder, dropout):
    child = start(folder, dropout)
    assert child.stdout.readline() == "ready\n"
    began = time.monotonic()
    assert child.communicate()[0] == "finished\n"
    return time.monotonic() - began


def weights_of(folder):
    with zipfile.ZipFile(folder / "last.keras") as file:
        return file.read("model.weights.h5")


def kill_until_finished(folder, dropout, n_kills, seconds, rng):
    """Kill up to `n_kills` times, each at a random moment, until it finishes; the kills made."""
    kills = 0
    while True:
        child = start(folder, dropout)
        assert child.stdout.readline() == "ready\n"
        if kills < n_kills:
            # In the first third of what a whole run takes, so that there is more to be killed.
            time.sleep(rng.uniform(0, seconds / 3))
            child.send_signal(signal.SIGKILL)
        if child.communicate()[0] == "finished\n":
            return kills
        kills += 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(
    ("n_kills", "dropout"),
    [
        pytest.param(3, 0.3, marks=pytest.mark.slow),
        pytest.param(3, 0, marks=pytest.mark.torture),
        pytest.param(25, 0.3, marks=[pytest.mark.torture, pytest.mark.timeout(900)]),
    ],
)
def test_a_killed_training_ends_as_one_that_was_not(tmp_path, n_kills, dropout):
    seconds = seconds_of_a_whole_run(tmp_path / "whole", dropout)
    rng, kills, runs = random.Random(n_kills), 0, 0
    while kills < n_kills:  # a training may finish before all kills are made: then another
        folder = tmp_path / f"killed_{runs}"
        kills += kill_until_finished(folder, dropout, n_kills - kills, seconds, rng)
        runs += 1
        assert rounds_of(folder) == rounds_of(tmp_path / "whole")
        assert weights_of(folder) == weights_of(tmp_path / "whole")
        left = {file.name for file in folder.iterdir()}
        assert left >= {"last.keras", "best.keras", "history.json", "state.json"}
    print(f"{kills} kills in {runs} trainings, weights and history bit-equal")
