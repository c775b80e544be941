"""Inside the child process."""

import subprocess
import sys

import psutil
import pytest

from helpers.memory import mark, run_under_budget
from helpers.settings import PROJECT
from tests.support import gone

pytestmark = pytest.mark.usefixtures("nothing_is_left_running")

LINUX = sys.platform.startswith("linux")


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
def test_the_limit_is_lifted_afterwards():
    source = (
        "import atexit\natexit.register(lambda: print(len(bytearray(10**8))))\nbytearray(10**9)"
    )
    result = run_under_budget(source, "64 MiB")
    assert (result.outcome, result.output) == ("MemoryError", f"{10**8}\n")


def test_reading_from_the_keyboard_ends_at_once():
    assert run_under_budget("input()", "64 MiB").message.startswith("EOFError")


def test_the_child_ends_when_its_parent_is_killed():
    code = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n"
        "from helpers.memory import run_under_budget\n"
        "run_under_budget('import os, time\\nprint(os.getpid())\\ntime.sleep(60)', '64 MiB', "
        "stream=lambda text: print(text, flush=True))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(child)


def test_a_mark_outside_of_a_child_does_nothing(capsys):
    mark("nothing")
    assert capsys.readouterr() == ("", "")
