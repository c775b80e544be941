"""One list of dependencies, and a README that says what is true."""

import json
import re
import tomllib

import nbformat
import pytest
import yaml

from helpers.settings import PROJECT, VARIABLES
from tools.stored import KEY

README = (PROJECT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def names(requirements):
    return {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in requirements}


DEPENDENCIES = names(PYPROJECT["project"]["dependencies"])
DEV = names(PYPROJECT["project"]["optional-dependencies"]["dev"])
BENCH = names(PYPROJECT["project"]["optional-dependencies"]["bench"])


def test_the_conda_environment_installs_this_project_and_nothing_else():
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, by_pip = environment["dependencies"]
    assert python in {"python=3.11", "python=3.12", "python=3.13"} and pip == "pip"
    assert by_pip == {"pip": ["--constraint constraints.txt", "--editable .[dev]"]}


def test_every_dependency_is_pinned():
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    assert pinned >= DEPENDENCIES | DEV | BENCH
    assert all("==" in line or line.startswith("#") for line in lines if line)


def test_the_readme_says_what_each_dependency_is_for():
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", README, flags=re.MULTILINE)
    assert {name for name, _ in rows} == DEPENDENCIES | DEV | BENCH
    assert all(len(why) > 10 for _, why in rows)


def test_the_packages_that_the_series_is_built_on_are_there():
    assert {"jupyterlab", "tensorflow", "numpy", "matplotlib", "memory-profiler"} <= DEPENDENCIES
    assert "nbval" in DEV and "setuptools" in DEPENDENCIES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_readmes_minutes_and_peak_are_the_measured_ones(path):
    stored = nbformat.read(path, as_version=4).metadata[KEY]
    row = re.search(rf"^\|.*\({re.escape('notebooks/' + path.name)}\).*$", README, re.MULTILINE)[0]
    minutes, peak = [cell.strip() for cell in row.strip("|").split("|")][-2:]
    assert minutes == f"{stored['seconds'] / 60:.1f}"
    assert peak == f"{stored['peak_mib']:,.0f} MiB"


def test_the_readmes_key_figures_are_the_stored_ones():
    file = PROJECT / "notebooks" / "figures" / "measured.json"
    measured = json.loads(file.read_text(encoding="utf-8"))
    quoted = re.findall(r"<!--(\w+):(\w+)-->([^<]+)<!---->", README)
    assert quoted, "the README quotes at least one measured figure"
    for notebook, name, text in quoted:
        digits = len(text.partition(".")[2])
        assert text == f"{measured[notebook][name]:,.{digits}f}", f"{notebook}: {name}"


def test_the_readme_explains_every_variable_and_target():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    assert {"lab", "run", "test", "outputs", "voc", "bench", "claims", "claims-voc"} <= targets
    assert [t for t in targets if f"make {t}" not in README] == ["help"]
    assert [v for v in VARIABLES if v not in README] == []


def test_the_readmes_links_and_pictures_resolve():
    targets = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", README)
    for target in {a or b for a, b in targets}:
        if not target.startswith(("https://", "#")):
            assert (PROJECT / target.partition("#")[0]).exists(), target
    assert all(text.strip() for text in re.findall(r"!\[(.*?)\]\(", README))
