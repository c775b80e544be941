"""One process by itself: errors that say what to do, within a minute, and no orphans. With JAX."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from helpers.distributed.local import free_port
from helpers.distributed.worker import is_of_all
from helpers.settings import DATA_FOLDERS, PROJECT
from tests.support import NEEDS_JAX, knock, with_jax

pytestmark = [pytest.mark.slow, NEEDS_JAX, pytest.mark.timeout(300)]


def start(folder, process, port, n=2, wait=8, environ=None, **options):
    return subprocess.Popen(
        [
            sys.executable, "-m", "helpers.distributed.worker", "--process", str(process),
            "--processes", str(n), "--address", f"127.0.0.1:{port}", "--folder", str(folder),
            "--wait", str(wait), *(["--launched"] if options else []),
        ],
        cwd=PROJECT, env=with_jax() | (environ or {}),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def last_words(*processes):
    """What each wrote last, when all have failed."""
    said = []
    for process in processes:
        _, error = process.communicate(timeout=100)
        assert process.returncode != 0
        said.append(error.strip().splitlines()[-1])
    return said


@pytest.mark.parametrize(
    ("error", "of_all"),
    [
        (ValueError("UNKNOWN: Gloo AllGather failed: Connection reset by peer"), True),
        (type("JaxRuntimeError", (RuntimeError,), {})("the step failed"), True),
        (OSError("a.jpg cannot be decoded"), False),
    ],
)
def test_an_error_of_what_all_do_together_is_told_from_ones_own(error, of_all):
    assert is_of_all(error) == of_all


def test_a_wrong_address_is_named(tmp_path):
    port = free_port()
    (said,) = last_words(start(tmp_path, 1, port))
    assert said.startswith(f"ConnectionError: Nobody answers at 127.0.0.1:{port}")


def test_a_process_that_does_not_come_is_missed(tmp_path):
    began = time.monotonic()
    (said,) = last_words(start(tmp_path, 0, free_port()))
    assert said.startswith("ConnectionError: Of 2 processes these did not come in time: 1.")
    assert time.monotonic() - began < 60


def test_two_processes_with_one_number_are_told(tmp_path):
    port = free_port()
    words = last_words(*(start(tmp_path, process, port, n=3, wait=60) for process in (0, 1, 1)))
    assert all("Process 1 of 3 came, where 1 to 2 of 3 were expected" in said for said in words)


def test_it_ends_with_the_program_that_started_it(tmp_path):
    port = free_port()
    process = start(tmp_path, 0, port, wait=120, stdin=subprocess.PIPE)
    knock(port).close()
    process.stdin.close()
    assert process.wait(10) == 1
    assert "Error" not in process.stderr.read()  # it was ended, it did not fail


@pytest.fixture
def heeded_interrupt():
    """What a shell runs in the background ignores Ctrl-C, and so would what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_ctrl_c_ends_it_at_once(heeded_interrupt, tmp_path):
    port = free_port()
    process = start(tmp_path, 0, port, wait=120)
    knock(port).close()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(10) == 130


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        (said,) = last_words(start(tmp_path, 0, port))
    assert said.startswith(f"ConnectionError: Process 0 cannot listen at port {port}")


def test_other_classes_are_told_to_both(tmp_path):
    port = free_port()
    shutil.copytree(DATA_FOLDERS["tiny"], tmp_path / "other")
    names = tmp_path / "other" / "classes.txt"
    names.write_text(names.read_text("utf-8").replace("kite", "dragon"), "utf-8")
    words = last_words(
        start(tmp_path, 0, port, wait=60),
        start(tmp_path, 1, port, wait=60, environ={"TUTORIAL_DATA": str(tmp_path / "other")}),
    )
    assert all(said.startswith("ValueError: Process 1 has other classes than") for said in words)
