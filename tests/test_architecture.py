"""The house: faces that say where they are used, tests that mirror the code, one reader."""

import ast
import re
import subprocess
import sys
from importlib import import_module

import nbformat
import pytest

from helpers.settings import PROJECT, VARIABLES

NOTEBOOKS = {path.name[:2]: path for path in sorted(PROJECT.glob("notebooks/[0-9][0-9]_*.ipynb"))}
FACES = ("data", "distributed", "memory", "network", "notebook", "scoring", "windows", "workshop")
MODULES = sorted(
    path.relative_to(PROJECT)
    for root in ("helpers", "experiments")
    for path in (PROJECT / root).rglob("*.py")
)


def cells(path, kind):
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


def headings(path):
    return set(re.findall(r"^#+ +(.+)$", "\n".join(cells(path, "markdown")), flags=re.MULTILINE))


def sections(path):
    """{heading: the code under it}, up to the next heading of any level."""
    found, heading = {}, ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            titles = re.findall(r"^#+ +(.+)$", cell.source, flags=re.MULTILINE)
            heading = titles[-1] if titles else heading
        else:
            found[heading] = found.get(heading, "") + cell.source + "\n"
    return found


def names_of_faces():
    for package in FACES:
        module = import_module(f"helpers.{package}")
        public = getattr(module, "__all__", ["open_workshop"])
        yield from ((package, name) for name in public)


def imported_in_notebooks(package, name):
    """Whether a code cell of any notebook uses the name."""
    code = "\n".join(source for path in NOTEBOOKS.values() for source in cells(path, "code"))
    return re.search(rf"(?<![\w.]){name}\b|\bscoring\.{name}\b", code) is not None


@pytest.mark.parametrize(("package", "name"), [*names_of_faces()])
def test_a_name_of_a_face_says_where_it_is_first_used(package, name):
    public = getattr(import_module(f"helpers.{package}"), name)
    if not callable(public) or not imported_in_notebooks(package, name):
        return  # a constant, or something for programs outside of the notebooks
    pointer = re.search(r'Notebook (\d\d), "([^"]+)"\.', re.sub(r"\s+", " ", public.__doc__))
    assert pointer, f"helpers.{package}.{name}: its docstring names no notebook and heading"
    number, heading = pointer.groups()
    assert heading in headings(NOTEBOOKS[number]), f"notebook {number} has no heading {heading!r}"
    there = sections(NOTEBOOKS[number])[heading]
    assert re.search(rf"\b{name}\b", there), f"{name} is not used under {heading!r}"


@pytest.mark.parametrize("number", ["01", "02", "03", "04"])
def test_the_first_notebooks_know_nothing_of_the_experiments(number):
    assert "experiments" not in "\n".join(cells(NOTEBOOKS[number], "code"))


@pytest.mark.parametrize("path", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_keras_comes_quietly_before_anything_that_would_bring_it(path):
    code = "\n".join(cells(path, "code"))
    brings = re.search(
        r"^(?:from|import) (?:keras|tensorflow|experiments|helpers\.(?:windows|network))\b",
        code,
        flags=re.MULTILINE,
    )
    quiet = code.find("from helpers.quiet import keras")
    assert brings is None or 0 <= quiet < code.find(brings[0])


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_its_tests_in_the_same_place(module):
    if module.name == "__init__.py":
        return  # a face; tests/helpers/test_lazy.py and the tests above know it
    test = PROJECT / "tests" / module.with_name(f"test_{module.name}")
    assert test.is_file(), f"{test.relative_to(PROJECT)} is missing"


def test_every_test_of_a_module_has_its_module():
    known = {str(module.with_name(f"test_{module.name}")) for module in MODULES}
    about_more = {
        "helpers/test_jax.py",
        "helpers/test_lazy.py",
        "helpers/test_portable.py",
        "experiments/test_results.py",
    }
    found = {
        path.relative_to(PROJECT / "tests").as_posix()
        for root in ("helpers", "experiments")
        for path in (PROJECT / "tests" / root).rglob("test_*.py")
    }
    assert found - known == about_more


@pytest.mark.parametrize("folder", ["helpers", "experiments", "tools"])
def test_the_variables_are_read_in_settings_alone(folder):
    for path in (PROJECT / folder).rglob("*.py"):
        if path.name == "settings.py":
            continue
        constants = {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not constants & set(VARIABLES) or path.name == "check.py", path


def test_importing_the_helpers_changes_no_environment():
    code = "import os; before = dict(os.environ); import helpers; assert os.environ == before"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


def test_the_map_names_every_room_and_file():
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in (PROJECT / "helpers").iterdir():
        if path.name not in ("__init__.py", "__pycache__"):
            assert f"`{path.stem}" in text, path.name
    for quoted in re.findall(r"`((?:helpers|experiments|tests|tools)/[\w/.]+)`", text):
        assert (PROJECT / quoted).exists(), quoted
