"""`make test`: which steps there are, and that the first failure ends it."""

import sys
from types import SimpleNamespace

import pytest

from helpers.settings import PROJECT
from tools import check


@pytest.fixture
def ran(monkeypatch):
    """A function that makes the steps named in it fail; returns what is run."""
    calls = []

    def failing(*names):
        def run(command, cwd, env):
            calls.append((command, cwd, env))
            name = next(name for name, words in check.STEPS.items() if words == command[1:])
            return SimpleNamespace(returncode=3 if name in names else 0)

        monkeypatch.setattr(check.subprocess, "run", run)
        return calls

    return failing


def test_all_steps_run_in_the_project_on_the_tiny_data(ran, monkeypatch, capsys):
    monkeypatch.delenv("TUTORIAL_PROFILE", raising=False)
    calls = ran()
    assert check.main([]) == 0
    assert [command for command, _, _ in calls] == [
        [sys.executable, *words] for words in check.STEPS.values()
    ]
    assert {cwd for _, cwd, _ in calls} == {PROJECT}
    assert {env["TUTORIAL_PROFILE"] for _, _, env in calls} == {"tiny"}
    assert capsys.readouterr().out.count("exit code 0") == len(check.STEPS)


def test_a_profile_of_ones_own_is_kept(ran, monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "workshop")
    calls = ran()
    check.main([])
    assert {env["TUTORIAL_PROFILE"] for _, _, env in calls} == {"workshop"}


def test_the_first_step_that_fails_ends_it(ran, capsys):
    names = [*check.STEPS]
    calls = ran(*names[1:])
    assert check.main([]) == 3
    assert len(calls) == 2
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"== {names[1]}: ") and last.endswith("exit code 3")
