"""With JAX under Keras: the same training, stopped and resumed, in a process of its own."""

import importlib.util
import json
import os
import sys

import pytest

from helpers.settings import PROJECT
from tests.support import fresh_python

CODE = """
import json, os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
from helpers.quiet import keras
from helpers.network import SaveRounds, ScoreHoldout, resume
from helpers.windows import SlidingSubset
from helpers.workshop import finite_data
from tests.support import (
    BOX_SIZE, assert_same_state, fit_rounds, index_of_boxes, subset_of_boxes, two_convolutions,
)

folder, asked = Path(FOLDER), []
index, really = index_of_boxes(folder), SlidingSubset.__getitem__
holdout = finite_data(index[16:], BOX_SIZE, 4)

def note(subset, step):
    if subset is not holdout:
        asked[-1].append(step)
    return really(subset, step)

SlidingSubset.__getitem__ = note

def train(name, seed, epochs=3):
    model = two_convolutions(seed)
    asked.append([])
    with subset_of_boxes(index, n_images=14) as subset:
        done = resume(model, folder / name, subset)
        callbacks = [ScoreHoldout(holdout), SaveRounds(folder / name, subset)]
        fit_rounds(model, subset, *callbacks, first=done, epochs=epochs)
    rounds = json.loads((folder / name / "history.json").read_text())["rounds"]
    return model, [{key: row[key] for key in row if key != "seconds"} for row in rounds]

whole, rounds = train("whole", 1)
train("parts", 1, epochs=1)
resumed, same = train("parts", 9)
assert_same_state(whole, resumed)
assert rounds == same, (rounds, same)
print(json.dumps({
    "backend": keras.backend.backend(), "asked": asked, "keys": sorted(rounds[-1]),
    "steps": int(resumed.optimizer.iterations), "rounds": len(rounds),
}))
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
def test_with_jax_a_stopped_run_resumes_bit_by_bit(tmp_path):
    path = os.pathsep.join([str(PROJECT), *sys.path])  # jax may lie anywhere on it
    found = json.loads(fresh_python(f"FOLDER = {str(tmp_path)!r}\n{CODE}", path=path))
    assert found["backend"] == "jax"
    assert (found["rounds"], found["steps"]) == (3, 18)
    assert found["keys"] == ["accuracy", "loss", "round", "val_mean_iou", "val_pixel_accuracy"]
    # Step 0 once more, for its shapes; then one iterator through all rounds, or all of a view.
    assert found["asked"] == [[0, *range(n)] for n in (18, 6, 12)]
