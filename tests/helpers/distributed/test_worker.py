"""One process by itself: errors that say what to do, within a minute, and no orphans. With JAX."""

import subprocess
import sys
import time

import pytest

from helpers.distributed.local import free_port
from helpers.settings import PROJECT
from tests.support import NEEDS_JAX, gone, with_jax

pytestmark = [pytest.mark.slow, NEEDS_JAX, pytest.mark.timeout(300)]


def start(folder, process, port, n=2, host="127.0.0.1", wait=8, **options):
    return subprocess.Popen(
        [
            sys.executable, "-m", "helpers.distributed.worker", "--process", str(process),
            "--processes", str(n), "--address", f"{host}:{port}", "--folder", str(folder),
            "--wait", str(wait), *(["--launched"] if options else []),
        ],
        cwd=PROJECT, env=with_jax(),
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
    process = start(tmp_path, 0, free_port(), wait=120, stdin=subprocess.PIPE)
    time.sleep(1)
    process.stdin.close()
    assert gone(process.pid, seconds=60)
