"""`tools/make_venv.sh`: which Python it takes, what it says where none fits, and what it keeps.

The programs that it calls are stand-ins, alone on the PATH; they write down how they were called.
"""

import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from helpers.settings import PROJECT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")

SCRIPT = PROJECT / "tools" / "make_venv.sh"
PIP = "-m pip install --disable-pip-version-check --constraint constraints.txt --editable .[dev]"

# Runs each `-c` with its own version in place of the real one, so that the script's own test of
# the version decides; makes a copy of itself for `-m venv`.
PYTHON = """#!/bin/sh
echo "python3.{minor} $*" >> "{log}"
case "$1 $2" in
    "--version "*) echo "Python 3.{minor}.0" ;;
    "-c import venv"*) exit {no_venv} ;;
    "-c "*) exec "{real}" -c "import sys; sys.version_info = (3, {minor}, 0); exec('$2')" ;;
    "-m venv") mkdir -p .venv/bin; rm -f .venv/bin/python; cp "$0" .venv/bin/python ;;
    "-m pip") [ "$3" = install ] || exit 0
        echo "Requirement already satisfied: numpy"; echo "Collecting keras"; exit {pip_fails} ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >> "{log}"
mkdir -p .venv/bin; cp "{python}" .venv/bin/python
"""


@pytest.fixture
def machine(tmp_path):
    """A machine with a few commands: `python` and `uv` add one, `make` runs the script."""
    path, work, log = tmp_path / "bin", tmp_path / "project", tmp_path / "calls"
    path.mkdir()
    work.mkdir()
    for name in ("sh", "rm", "mkdir", "cp", "touch", "grep", "cat"):
        (path / name).symlink_to(shutil.which(name))

    def add(name, text):
        (path / name).write_text(text, encoding="utf-8")
        (path / name).chmod(0o755)
        return path / name

    def python(minor, name="python3", no_venv=0, pip_fails=0):
        text = PYTHON.format(
            minor=minor, log=log, real=sys.executable, no_venv=no_venv, pip_fails=pip_fails
        )
        return add(name, text)

    def uv():
        add("uv", UV.format(log=log, python=python(12, ".fetched")))

    def make(*arguments, system="Linux x86_64"):
        add("uname", f'#!/bin/sh\necho "{system}"\n')
        log.write_text("", encoding="utf-8")
        done = subprocess.run(
            [path / "sh", SCRIPT, *arguments],
            cwd=work,
            env={"PATH": str(path), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        calls = [
            call
            for call in log.read_text(encoding="utf-8").splitlines()
            if " -m venv" in call or " -m pip install" in call or call.startswith("uv ")
        ]
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, calls=calls)

    ready = work / ".venv" / ".ready"
    return SimpleNamespace(path=path, work=work, ready=ready, python=python, uv=uv, make=make)


def test_the_first_suitable_python_on_the_path_is_taken_and_pip_says_what_it_does(machine):
    machine.python(14)
    machine.python(13, "python3.13")
    done = machine.make()
    assert done.code == 0, done.err
    assert done.calls == ["python3.13 -m venv --clear .venv", f"python3.13 {PIP}"]
    assert "Python 3.13.0" in done.out and "2 GB" in done.out and "Collecting keras" in done.out
    assert "--quiet" not in " ".join(done.calls)
    assert machine.ready.exists()


def test_a_changed_version_updates_the_environment_in_place(machine):
    machine.python(12)
    machine.make()
    kept = machine.work / ".venv" / "kept"
    kept.write_text("", encoding="utf-8")
    done = machine.make()
    assert done.code == 0 and done.calls == [f"python3.12 {PIP}"]
    assert kept.exists() and machine.ready.exists()
    # Of what pip says, only what changes.
    assert "Collecting keras" in done.out and "already satisfied" not in done.out
    assert "up to date" in done.out


def test_an_update_that_fails_is_a_failure_and_is_done_again(machine):
    machine.python(12)
    machine.make()
    (machine.work / ".venv" / "bin" / "python").unlink()
    machine.python(12, pip_fails=1).rename(machine.work / ".venv" / "bin" / "python")
    done = machine.make()
    assert done.code == 1 and not machine.ready.exists()
    done = machine.make()
    assert done.code == 1 and "Going on with the .venv" in done.out
    assert "already satisfied" in done.out  # nothing is filtered, and so pip can draw its bars


@pytest.mark.parametrize("broken", ["no python", "its python is too old", "no such file"])
def test_a_broken_environment_is_built_anew(machine, broken):
    machine.python(12)
    machine.make()
    inside = machine.work / ".venv" / "bin" / "python"
    inside.unlink()
    if broken == "its python is too old":
        machine.python(10, "old").rename(inside)
    elif broken == "no such file":
        inside.symlink_to("/nowhere/python3")
    done = machine.make()
    assert done.code == 0
    assert done.calls == ["python3.12 -m venv --clear .venv", f"python3.12 {PIP}"]


def test_a_python_that_is_named_is_taken_and_replaces_another_version(machine):
    machine.python(12)
    other = str(machine.python(11, "mine"))
    machine.make()
    assert machine.make(other).calls == ["python3.11 -m venv --clear .venv", f"python3.11 {PIP}"]
    assert machine.make(other).calls == [f"python3.11 {PIP}"]
    assert machine.make().calls == [f"python3.11 {PIP}"]  # what works stays


@pytest.mark.parametrize("minor", [10, 14])
def test_uv_fetches_a_python_where_there_is_none_that_fits(machine, minor):
    machine.python(minor)
    machine.uv()
    done = machine.make()
    assert done.code == 0, done.err
    assert done.calls == ["uv venv --quiet --seed --python 3.12 .venv", f"python3.12 {PIP}"]
    assert machine.ready.exists()


@pytest.mark.parametrize("minor", [10, 14, None])
def test_without_uv_the_line_that_helps_is_named(machine, minor):
    if minor:
        machine.python(minor)
    done = machine.make()
    assert done.code == 1 and done.calls == [] and not machine.ready.exists()
    assert f"(found: {f'Python 3.{minor}.0' if minor else 'none'})" in done.err
    assert "\n    curl -LsSf https://astral.sh/uv/install.sh | sh\n" in done.err


def test_an_unsuitable_python_that_is_named_is_turned_down_by_name(machine):
    machine.python(12)
    old = machine.python(10, "old")
    machine.uv()
    done = machine.make(str(old))
    assert done.code == 1 and done.calls == []
    assert f"PYTHON={old} is Python 3.10.0" in done.err
    assert "PYTHON=/nowhere is no Python" in machine.make("/nowhere").err


def test_a_python_without_venv_is_helped_by_uv_or_by_one_line(machine):
    machine.python(12, no_venv=1)
    done = machine.make()
    assert done.code == 1 and "\n    sudo apt install python3-venv\n" in done.err
    machine.uv()
    done = machine.make()
    assert done.code == 0, done.err
    assert done.calls[0] == "uv venv --quiet --seed --python python3 .venv"


def test_a_mac_with_an_intel_processor_is_told_before_anything_is_installed(machine):
    machine.python(12)
    done = machine.make(system="Darwin x86_64")
    assert done.code == 1 and done.calls == []
    assert "Intel" in done.err and "docs/trouble.md" in done.err
    assert machine.make(system="Darwin arm64").code == 0
