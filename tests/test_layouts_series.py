"""The series on other people's data: every layout, as its host lays it out.

`make torture` runs all notebooks on each; notebooks 2 and 3 on one of them are part of `make test`.
"""

import subprocess
import sys

import pytest

from helpers.settings import PROJECT, environ_with
from tests.layouts import LAYOUTS, lay_out, microscope

ALL = tuple(f"{number:02}" for number in range(1, 10))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "numbers"),
    [
        pytest.param("own_grey", ("02", "03"), marks=pytest.mark.timeout(600)),
        *(
            pytest.param(layout, ALL, marks=[pytest.mark.torture, pytest.mark.timeout(1800)])
            for layout in LAYOUTS
        ),
    ],
)
def test_notebooks_run_on_a_folder_that_they_have_never_seen(layout, numbers, tmp_path):
    run(numbers, {"TUTORIAL_DATA": str(lay_out(layout, tmp_path / layout))})


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_all_notebooks_run_on_the_smallest_folder_that_they_take(tmp_path):
    folder = lay_out("own_palette", tmp_path / "small", n_train=29, n_holdout=8)
    run(ALL, {"TUTORIAL_DATA": str(folder)})


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_all_notebooks_run_on_what_a_microscope_leaves(tmp_path):
    run(ALL, {"TUTORIAL_DATA": str(microscope(tmp_path / "slides"))})


@pytest.mark.slow
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(("02", "03"), marks=pytest.mark.timeout(600)),
        pytest.param(ALL, marks=[pytest.mark.torture, pytest.mark.timeout(1800)]),
    ],
)
def test_notebooks_train_a_head_where_weights_of_a_backbone_are_given(numbers, tmp_path):
    import keras

    weights = tmp_path / "mobilenet.weights.h5"
    keras.applications.MobileNet(weights=None, include_top=False).save_weights(weights)
    run(numbers, {"TUTORIAL_WEIGHTS": str(weights)})


def run(numbers: tuple[str, ...], variables: dict[str, str]) -> None:
    notebooks = [str(path) for n in numbers for path in PROJECT.glob(f"notebooks/{n}_*.ipynb")]
    done = subprocess.run(
        [sys.executable, "-m", "tools.run_notebooks", *notebooks],
        cwd=PROJECT, env=environ_with("tiny") | variables,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
