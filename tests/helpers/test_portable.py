"""`data` and `windows` can be taken into a project of one's own: copied, they work there."""

import json
import shutil
from pathlib import Path

import pytest

from helpers.settings import DATA_FOLDERS, PROJECT
from tests.support import fresh_python

# Here the project may be installed; in a project of one's own nobody could import it.
NO_PROJECT = """
import sys

class NoProject:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("helpers", "experiments", "tools", "tests"):
            raise ModuleNotFoundError(f"{name} is not to be had")

sys.meta_path.insert(0, NoProject())

def loaded(*names):
    return sorted({name.partition(".")[0] for name in sys.modules} & set(names))

"""


@pytest.fixture
def project(tmp_path):
    """A folder with a package `myproject` that holds what was copied, and nothing else."""
    package = tmp_path / "myproject"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("data", "windows"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / "helpers" / name, package / name, ignore=ignore)
    for name in ("units.py", "files.py"):
        shutil.copy(PROJECT / "helpers" / name, package)
    return tmp_path


def run(project, code):
    """What the code, run in that folder, prints as JSON."""
    return json.loads(fresh_python(NO_PROJECT + code, project, project).splitlines()[-1])


@pytest.mark.slow
def test_an_index_a_geometry_and_a_subset_of_copied_packages(project):
    code = f"""
import json
from myproject.data import index_voc
from myproject.windows import Geometry, SlidingSubset

index = index_voc({str(DATA_FOLDERS["tiny"])!r}, "train")
geometry = Geometry(len(index), window=20, stride=2, size=(24, 32), batch_size=8)
with SlidingSubset(index, geometry) as subset:
    images, masks = subset[0]
    print(json.dumps({{
        "n": len(index), "images": images.shape, "masks": masks.shape,
        "dtypes": [images.dtype.name, masks.dtype.name], "brightest": int(images.max()),
        "classes": sorted(set(masks.ravel().tolist())), "n_classes": index.n_classes,
        "nbytes": subset.nbytes, "geometry": geometry.nbytes,
        "files": [sys.modules[kind.__module__].__file__ for kind in (Geometry, SlidingSubset)],
        "loaded": loaded("helpers", "experiments", "tools", "tests"),
    }}))
"""
    found = run(project, code)
    assert found["n"] == 60
    assert found["images"] == [8, 24, 32, 3] and found["masks"] == [8, 24, 32]
    assert found["dtypes"] == ["uint8", "uint8"] and found["brightest"] > 100
    assert set(found["classes"]) <= {*range(found["n_classes"]), 255} and len(found["classes"]) > 2
    assert found["nbytes"] == found["geometry"] == 22 * 24 * 32 * 4
    assert all(Path(name).resolve().is_relative_to(project.resolve()) for name in found["files"])
    assert found["loaded"] == []


def test_data_and_the_arithmetic_load_no_keras(project):
    code = """
import json, myproject.data, myproject.windows.geometry
from myproject.windows import Geometry
print(json.dumps([
    Geometry.article().n_rounds,
    loaded("helpers", "keras", "tensorflow", "IPython", "matplotlib", "psutil", "scipy"),
]))
"""
    assert run(project, code) == [20, []]
    # And `helpers` could not have been had.
    code = """
import json
try:
    import helpers
except ModuleNotFoundError as error:
    print(json.dumps(str(error)))
"""
    assert run(project, code) == "helpers is not to be had"


def test_a_set_is_drawn_and_a_download_refused_by_copied_packages(project):
    code = """
import json
from pathlib import Path
from myproject.data import index_voc
from myproject.data.shapes import draw_set
from myproject.data.voc2012 import fetch_voc2012

index = index_voc(draw_set("set", n_train=2, n_val=1, size=(48, 64), progress=False))
try:
    fetch_voc2012("voc", archive="none.tar")
except FileNotFoundError as error:
    print(json.dumps([len(index), str(error), loaded("helpers", "keras", "tensorflow")]))
"""
    assert run(project, code) == [2, "none.tar: no such file", []]
