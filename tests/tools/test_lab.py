"""`make lab`: the first command works on a fresh machine, also for root."""

import os
import subprocess
import sys

import pytest

from helpers.settings import PROJECT
from tools.lab import FIRST, command


def test_the_command_opens_the_first_notebook_and_allows_root_only_for_root():
    assert (PROJECT / FIRST).is_file()
    assert command(is_root=False)[1:] == ["-m", "jupyter", "lab", FIRST]
    assert command(is_root=True)[1:] == ["-m", "jupyter", "lab", "--allow-root", FIRST]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no root")
def test_it_starts_and_says_why_root_is_allowed():
    """JupyterLab says where it can be reached; as root it would end with exit code 1 instead."""
    environ = os.environ | {"BROWSER": "true", "JUPYTER_NO_CONFIG": "1"}
    lab = subprocess.Popen(
        [sys.executable, "-m", "tools.lab"],
        cwd=PROJECT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = []
        for line in lab.stdout:
            said.append(line)
            if "http://localhost" in line or "http://127.0.0.1" in line:
                break
        assert "token=" in line, "".join(said)
        assert ("You are root" in said[0]) == (os.geteuid() == 0)
    finally:
        lab.terminate()
        lab.communicate(timeout=30)
