"""What needs no Keras does not load it, and the faces of the packages hold what they say."""

import ast
import inspect
from importlib import import_module

import pytest

from tests.support import fresh_python

LAZY = ("helpers.distributed", "helpers.network", "helpers.scoring", "helpers.windows")
FACES = (*LAZY, "helpers.data", "helpers.data.shapes", "helpers.exercises", "helpers.memory",
         "helpers.notebook")  # fmt: skip
LOADED = "; print(sorted({'keras', 'tensorflow', 'jax', 'torch'} & {*sys.modules}))"


NO_KERAS = [
    *LAZY,
    "helpers.data",
    "helpers.data.shapes",
    "helpers.data.voc2012",
    "helpers.exercises",
    "helpers.memory",
    "helpers.scoring.matrix",
    "helpers.windows.augment",
    "helpers.windows.geometry",
    "helpers.windows.ring",
    "helpers.windows.splits",
    "helpers.workshop",
]
NAMES = [("windows", "Geometry"), ("windows", "RingBuffer"), ("windows", "split_windows"),
         ("scoring", "scores"), ("scoring", "confusion_matrix")]  # fmt: skip


def test_no_deep_learning_library_is_loaded_by_what_needs_none():
    """One process, which says after each import what is loaded."""
    imports = [f"import {module}" for module in NO_KERAS]
    imports += [f"from helpers.{face} import {name}" for face, name in NAMES]
    said = fresh_python("import sys\n" + "\n".join(f"{line}{LOADED}" for line in imports))
    assert dict(zip(imports, said.splitlines(), strict=True)) == dict.fromkeys(imports, "[]")


@pytest.mark.slow
def test_it_would_be_noticed():
    assert "'keras'" in fresh_python("import sys, helpers.windows.subset" + LOADED)


@pytest.mark.parametrize("face", FACES)
def test_a_star_brings_what_the_face_says(face):
    brought = {}
    exec(f"from {face} import *", brought)
    del brought["__builtins__"]
    assert brought and sorted(brought) == sorted(import_module(face).__all__)
    assert None not in brought.values()


@pytest.mark.parametrize("face", LAZY)
def test_a_lazy_name_is_the_one_that_is_defined_in_its_module(face):
    """And none of them hides a module of the package, nor is hidden by one."""
    package = import_module(face)
    for name, where in package._MODULES.items():
        module = import_module(f"{face}.{where}")
        defined = getattr(module, name)
        assert getattr(package, name) is defined
        top = ast.parse(inspect.getsource(module)).body
        assert name in {target for node in top for target in names_set_by(node)}
        assert not inspect.ismodule(defined) and name != where
    assert package.__all__ == sorted(package._MODULES)


def names_set_by(node):
    """The names that a statement at the top of a module defines itself."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


@pytest.mark.parametrize("face", LAZY)
def test_an_unknown_name_is_named(face):
    with pytest.raises(AttributeError, match=f"module '{face}' has no attribute 'Geometri'"):
        import_module(face).Geometri  # noqa: B018
    with pytest.raises(ImportError, match="Geometri"):
        exec(f"from {face} import Geometri", {})
    assert not hasattr(import_module(face), "__wrapped__")
