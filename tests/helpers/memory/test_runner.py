"""One child process: watched, heard, and ended with all it has started."""

import queue
import signal
import subprocess
import sys
import time

import psutil
import pytest

from helpers.memory import run_under_budget, runner
from helpers.memory.runner import run_child
from helpers.settings import PROJECT
from helpers.units import MIB
from tests.support import gone

pytestmark = pytest.mark.usefixtures("nothing_is_left_running")

LINUX = sys.platform.startswith("linux")
POSIX = sys.platform != "win32"


def test_what_is_seen_of_a_child():
    run = run_child(
        source="import time\nmark('here')\nprint(n)\ntime.sleep(0.1)", variables={"n": 7}
    )
    assert (run.exit_code, run.output, run.done["outcome"]) == (0, ["7\n"], "finished")
    assert [label for _, label in run.marks] == ["here"]
    assert run.ready["pid"] != psutil.Process().pid
    assert len(run.samples) > 3 and min(rss for _, rss in run.samples) > MIB
    assert run.ended_at_bytes is None


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
def test_a_limited_child_has_one_malloc_arena_and_no_other_has(monkeypatch):
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    source = "import os\nprint(os.environ.get('MALLOC_ARENA_MAX'))"
    assert run_child(source=source, limit_bytes=64 * MIB).output == ["1\n"]
    assert run_child(source=source).output == ["None\n"]


def test_a_letter_that_arrives_in_two_pieces_stays_whole():
    class Pipe:
        pieces = [*[bytes([byte]) for byte in "ü→码".encode()], b"\xff", b""]  # noqa: RUF012

        def read1(self, n_bytes):
            return self.pieces.pop(0)

    news = queue.SimpleQueue()
    runner._read_in_thread("stdout", Pipe(), news).join()
    said = [news.get() for _ in range(news.qsize())]
    assert {kind for kind, _ in said} == {"stdout"}
    assert "".join(text for _, text in said) == "ü→码\ufffd"


@pytest.mark.slow
@pytest.mark.skipif(not POSIX, reason="the launcher is a shell script")
def test_behind_a_launcher_the_real_process_is_watched(tmp_path, monkeypatch):
    # As python.exe of a Windows venv: a small program that starts Python and waits for it.
    launcher = tmp_path / "python"
    launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit $?\n', encoding="utf-8")
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(launcher))
    source = "import os, time\nprint(os.getpid())\nblock = b'1' * 2**27\ntime.sleep(60)"
    result = run_under_budget(source, "64 MiB", watch=True)
    assert result.outcome == "ended by signal"
    assert result.increment_bytes > 64 * MIB
    assert gone(int(result.output))


def test_what_the_code_leaves_running_ends_with_it():
    source = """
import subprocess, sys
apart = {"start_new_session": True} if sys.platform != "win32" else {}
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], **apart)
print(helper.pid)
"""
    result = run_under_budget(source, "500 MiB")
    assert result.outcome == "finished"
    assert gone(int(result.output))


@pytest.mark.timeout(30)
def test_a_thread_that_waits_for_ever_does_not_hold_up_an_error(monkeypatch):
    monkeypatch.setattr(runner, "SECONDS_TO_LEAVE", 0.5)
    source = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n1 / 0"
    assert run_under_budget(source, "64 MiB").message == "ZeroDivisionError: division by zero"


def test_output_is_streamed_in_order_while_the_code_runs(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    go = tmp_path / "go"
    source = """
import sys, time
from pathlib import Path
print("one")
print("two", file=sys.stderr)
print("three", end="")
print("four", file=sys.stderr)
while not Path(go).exists():  # appears only when the first lines have been seen outside
    time.sleep(0.01)
print("last")
"""
    seen = []

    def stream(text):
        seen.append(text)
        if "four" in "".join(seen):
            go.touch()

    result = run_under_budget(source, "64 MiB", {"go": go}, stream=stream)
    assert "".join(seen) == result.output == "one\ntwo\nthreefour\nlast\n"


def test_much_output_does_not_block():
    source = "for i in range(20_000):\n    print(f'{i:06d}', 'x' * 50)"
    result = run_under_budget(source, "64 MiB")
    assert len(result.output.splitlines()) == 20_000
    assert result.output.splitlines()[-1].startswith("019999")


def test_an_interrupt_ends_the_child():
    pids = []

    def stream(text):
        pids.append(int(text))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_under_budget(
            "import os, time\nprint(os.getpid())\ntime.sleep(60)", "64 MiB", stream=stream
        )
    assert gone(pids[0])


@pytest.mark.skipif(not POSIX, reason="signals")
def test_a_real_interrupt_signal_ends_the_child():
    code = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n"
        "import time\n"
        "from helpers.memory import measure_peak\n"
        "try:\n"
        "    measure_peak(time.sleep, 60)\n"
        "except KeyboardInterrupt:\n"
        "    import psutil; print(psutil.Process().children(recursive=True))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    while not psutil.Process(parent.pid).children():
        time.sleep(0.05)
    time.sleep(0.3)
    parent.send_signal(signal.SIGINT)
    assert parent.communicate(timeout=120)[0] == "[]\n"
