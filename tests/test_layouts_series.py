"""The series on other people's data: every layout, as its host lays it out.

`make torture` runs all notebooks on each. Part of `make test` are notebooks 2 and 3 on one of them,
with the head that they train where weights of a backbone are given.
"""

import subprocess
import sys

import pytest

from helpers.settings import PROJECT, environ_with
from tests.layouts import LAYOUTS, lay_out, microscope

ALL = tuple(f"{number:02}" for number in range(1, 10))


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_notebooks_run_on_a_folder_that_they_have_never_seen(layout, tmp_path):
    run(ALL, {"TUTORIAL_DATA": str(lay_out(layout, tmp_path / layout))})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_notebooks_run_on_such_a_folder_with_weights_of_a_backbone(backbone, tmp_path):
    folder = lay_out("own_grey", tmp_path / "own_grey")
    run(("02", "03"), {"TUTORIAL_DATA": str(folder), "TUTORIAL_WEIGHTS": str(backbone)})


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_all_notebooks_run_with_weights_of_a_backbone(backbone):
    run(ALL, {"TUTORIAL_WEIGHTS": str(backbone)})


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_all_notebooks_run_on_the_smallest_folder_that_they_take(tmp_path):
    folder = lay_out("own_palette", tmp_path / "small", n_train=29, n_holdout=8)
    run(ALL, {"TUTORIAL_DATA": str(folder)})


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_all_notebooks_run_on_what_a_microscope_leaves(tmp_path):
    run(ALL, {"TUTORIAL_DATA": str(microscope(tmp_path / "slides"))})


@pytest.fixture
def backbone(tmp_path):
    """A file of weights as `keras.applications` wants it."""
    import keras

    weights = tmp_path / "mobilenet.weights.h5"
    keras.applications.MobileNet(weights=None, include_top=False).save_weights(weights)
    return weights


def run(numbers: tuple[str, ...], variables: dict[str, str]) -> None:
    notebooks = [str(path) for n in numbers for path in PROJECT.glob(f"notebooks/{n}_*.ipynb")]
    done = subprocess.run(
        [sys.executable, "-m", "tools.run_notebooks", *notebooks],
        cwd=PROJECT, env=environ_with("tiny") | variables,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
