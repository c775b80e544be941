"""The series on other people's data: every layout, as its host lays it out.

`make torture` runs all notebooks on each; notebooks 2 and 3 on one of them are part of `make test`.
"""

import os
import subprocess
import sys

import pytest

from helpers.settings import PROJECT
from tests.layouts import LAYOUTS, lay_out

ALL = ("01", "02", "03", "04", "05", "06", "07", "08")


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
    root = lay_out(layout, tmp_path / layout)
    notebooks = [str(path) for n in numbers for path in PROJECT.glob(f"notebooks/{n}_*.ipynb")]
    environ = os.environ | {"TUTORIAL_PROFILE": "tiny", "TUTORIAL_DATA": str(root)}
    done = subprocess.run(
        [sys.executable, "-m", "tools.run_notebooks", *notebooks],
        cwd=PROJECT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
