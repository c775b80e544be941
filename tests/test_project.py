"""One list of dependencies, and README and docs that say what is true."""

import re
import tomllib

import nbformat
import pytest
import yaml
from nbformat.v4 import new_markdown_cell, new_notebook

from helpers.settings import PROJECT, VARIABLES
from tools import numbers
from tools.numbers import MARK, documents, filled

README = (PROJECT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def names(requirements):
    return {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in requirements}


DEPENDENCIES = names(PYPROJECT["project"]["dependencies"])
DEV = names(PYPROJECT["project"]["optional-dependencies"]["dev"])
BENCH = names(PYPROJECT["project"]["optional-dependencies"]["bench"])
DISTRIBUTED = names(PYPROJECT["project"]["optional-dependencies"]["distributed"])


def test_the_conda_environment_installs_this_project_and_nothing_else():
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, by_pip = environment["dependencies"]
    assert python in {"python=3.11", "python=3.12", "python=3.13"} and pip == "pip"
    assert by_pip == {"pip": ["--constraint constraints.txt", "--editable .[dev]"]}


def test_every_dependency_is_pinned():
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    assert pinned >= DEPENDENCIES | DEV | BENCH | DISTRIBUTED
    assert all("==" in line or line.startswith("#") for line in lines if line)


def test_the_docs_say_what_each_dependency_is_for():
    text = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", text, flags=re.MULTILINE)
    assert {name for name, _ in rows} == DEPENDENCIES | DEV | BENCH | DISTRIBUTED
    assert all(len(why) > 10 for _, why in rows)


def test_the_packages_that_the_series_is_built_on_are_there():
    assert {"jupyterlab", "tensorflow", "numpy", "matplotlib", "memory-profiler"} <= DEPENDENCIES
    assert "nbval" in DEV and "setuptools" in DEPENDENCIES


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_numbers_and_tables_are_the_measured_ones(path):
    text = path.read_text(encoding="utf-8")
    assert text == filled(text), f"{path.name}: run `python -m tools.numbers`"


def test_the_readme_quotes_every_notebook_with_its_minutes_and_peak():
    marks = {(mark[1], mark[2]) for mark in MARK.finditer(README)}
    names = {path.stem for path in NOTEBOOKS}
    assert marks >= {(kind, name) for kind in ("person", "minutes", "peak") for name in names}
    race = (PROJECT / "docs" / "race.md").read_text(encoding="utf-8")
    assert "<!--table:loaders_photographs-->" in race
    assert len([source for source, _ in marks if source in names]) >= 5


def test_a_number_keeps_its_decimals_and_an_unknown_one_is_an_error():
    text = "<!--01_the_oom_problem:voc_frugal_gb-->9.99<!----> GB"
    assert filled(text) == "<!--01_the_oom_problem:voc_frugal_gb-->0.58<!----> GB"
    with pytest.raises(KeyError):
        filled("<!--01_the_oom_problem:magic-->1<!---->")
    with pytest.raises(KeyError):
        filled("<!--summary:magic-->1<!---->")


def test_a_persons_minutes_are_those_that_the_notebook_promises(tmp_path, monkeypatch):
    text = "<!--person:00_new-->1<!---->"
    monkeypatch.setattr(numbers, "NOTEBOOKS", tmp_path)
    for said in ("About 35 minutes of a person; later about 3 minutes.", "Some 35 minutes."):
        notebook = new_notebook(cells=[new_markdown_cell("# 0"), new_markdown_cell(said)])
        nbformat.write(notebook, tmp_path / "00_new.ipynb")
        if said.startswith("About"):
            assert filled(text) == "<!--person:00_new-->35<!---->"
    with pytest.raises(ValueError, match=r"00_new\.ipynb"):
        filled(text)


def test_the_docs_explain_every_variable_and_target():
    text = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    assert {"lab", "run", "test", "torture", "outputs", "voc", "bench", "claims"} <= targets
    assert [t for t in targets if f"make {t}" not in text] == ["help"]
    assert [v for v in VARIABLES if v not in text] == []


def test_the_readme_fits_on_two_screens_and_begins_with_the_moving_picture():
    assert len(README.splitlines()) <= 120
    first = re.search(r'src="([^"]+)"', README)[1]
    assert first == "notebooks/figures/sliding_window.gif"
    assert "make lab" in README and "make test" in README


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_picture_has_a_text(path):
    for picture in re.findall(r"<img[^>]*>", path.read_text(encoding="utf-8")):
        assert re.search(r'alt="[^"]{30,}"', picture), picture


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_links_and_images_resolve(path):
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text)
    for target in {a or b for a, b in targets}:
        if not target.startswith(("https://", "#")):
            assert (path.parent / target.partition("#")[0]).exists(), target
    assert all(text.strip() for text in re.findall(r"!\[(.*?)\]\(", text))
