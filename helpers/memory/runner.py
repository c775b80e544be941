"""Start one fresh child process, watch its memory, pass its output on, and leave nothing behind."""

import codecs
import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil

from helpers.memory.record import ChildRun

SAMPLE_SECONDS = 0.005
SECONDS_TO_LEAVE = 3  # after an error, a thread of the code may keep the process alive for ever
BOOT = (
    "import pickle, sys; request = pickle.load(sys.stdin.buffer); sys.path[:] = request['path'];"
    "from helpers.memory.child import main; sys.exit(main(request))"
)


def run_child(
    *,
    source: str | None = None,
    call: bytes | None = None,
    cells: dict[str, tuple] | None = None,
    variables: dict | None = None,
    imports: tuple[str, ...] = (),
    limit_bytes: int | None = None,
    stop_above_bytes: int | None = None,
    stream: Callable[[str], object] | None = None,
    sample_seconds: float = SAMPLE_SECONDS,
) -> ChildRun:
    """Run ``source``, or ``call``, in a fresh child and return what was seen of it.

    ``call`` is a pickled (function, args, kwargs); ``cells`` is what ``linecache`` knows of code
    that is in no file. ``variables`` are there for ``source``.
    ``limit_bytes`` is the address space the code may add; ``stop_above_bytes`` the RSS it may
    add before this parent ends it. ``stream`` gets the output piece by piece while it runs.
    The RSS is looked at every ``sample_seconds``.
    """
    request = {
        "path": sys.path,
        "source": source,
        "call": call,
        "cells": cells or {},
        "variables": variables or {},
        "imports": imports,
        "limit_bytes": limit_bytes,
    }
    run = ChildRun()
    news: queue.SimpleQueue = queue.SimpleQueue()
    process = _start(limited=limit_bytes is not None)
    readers = {}
    try:
        for kind in ("stdout", "stderr"):
            readers[kind] = _read_in_thread(kind, getattr(process, kind), news)
        with contextlib.suppress(OSError):  # it has died already: its last words will tell
            process.stdin.write(pickle.dumps(request))
            process.stdin.flush()
        _watch(process, run, news, stop_above_bytes, stream, sample_seconds)
    finally:
        end_process_tree(process)
        _close_pipes(process, readers)
    _take_news(run, news, stream)
    run.exit_code = process.returncode
    return run


def _start(limited: bool) -> subprocess.Popen:
    apart = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    # One malloc arena: glibc reserves 64 MiB of address space for each further one, counted
    # before the limit is set and yet free to use, so the limit would come too late.
    one_arena = {"MALLOC_ARENA_MAX": "1"} if limited else {}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", BOOT],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=os.environ | one_arena,
        **apart,
    )


def _read_in_thread(kind: str, pipe, news: queue.SimpleQueue) -> threading.Thread:
    def read_all():
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while piece := pipe.read1(65536):
            news.put((kind, decoder.decode(piece)))

    thread = threading.Thread(target=read_all, daemon=True)
    thread.start()
    return thread


def _close_pipes(process: subprocess.Popen, readers: dict[str, threading.Thread]) -> None:
    with contextlib.suppress(OSError):
        process.stdin.close()
    for kind, reader in readers.items():
        reader.join(timeout=5)
        # A process that has escaped may hold the other end open: closing would wait for it.
        if not reader.is_alive():
            getattr(process, kind).close()


def _watch(process, run: ChildRun, news, stop_above_bytes, stream, sample_seconds) -> None:
    while process.poll() is None:
        _take_news(run, news, stream)
        if run.done and time.perf_counter() > run.done["time"] + SECONDS_TO_LEAVE:
            return
        rss = _rss_of_child(run)
        if rss:
            run.samples.append((time.perf_counter(), rss))
            if stop_above_bytes is not None and rss > run.base_bytes + stop_above_bytes:
                run.ended_at_bytes = rss
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(sample_seconds)  # its end ends the pause


def _rss_of_child(run: ChildRun) -> int:
    """RSS now of the process that runs the code; 0 before it is ready and after its end."""
    if run.ready is None:
        return 0
    try:
        # Not the pid of what was started: in a Windows venv that is a launcher.
        return psutil.Process(run.ready["pid"]).memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _take_news(run: ChildRun, news: queue.SimpleQueue, stream) -> None:
    said = ""
    while not news.empty():
        kind, text = news.get()
        if kind == "stdout":
            said += text
        else:
            run.take_reports(text)
    if said:
        run.output.append(said)
        if stream:
            stream(said)


def end_process_tree(process: subprocess.Popen) -> None:
    """Kill ``process`` and everything it has started, and wait until they are gone."""
    family = []
    if process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()
    psutil.wait_procs(family, timeout=5)
