"""Several processes on this machine: started, watched, and ended together."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from helpers.settings import PROJECT

# What `worker` ends with where what all do together failed.
FAILED_TOGETHER = 3
WORKER = (sys.executable, "-m", "helpers.distributed.worker")
# When one has died the others fail at their next step; who has not after this time is ended.
GRACE_SECONDS = 10
LISTEN_SECONDS = 5
LOOK_SECONDS = 0.02


class ProcessFailed(RuntimeError):
    """A process has ended with an error or by a signal; the others were ended, too.

    Notebook 09, "Kill one".
    """


def launch(
    n_processes: int,
    folder: Path,
    *,
    anew: bool = False,
    played: int | None = None,
    batch_size: int | None = None,
    tell: Callable[[dict], None] | None = None,
    environ: dict[str, str] | None = None,
) -> list[dict]:
    """Train with `n_processes` local processes; their rows, see `train_share`, in order.

    Each takes its settings from `environ` (None: this process's own), with KERAS_BACKEND=jax, and
    writes its checkpoints and what it says, `process-K.log`, into `folder`. A run that was stopped
    goes on from the last round that all have finished, unless `anew`. Raises ProcessFailed, within
    a minute, if one of them dies: the message says which, why and in which round, and the others
    are ended.

    One process with `played` takes the batches of so many, and saves nothing. `batch_size` is that
    of all together (None: the profile's). `tell` is given process 0's rows as they come, one a
    round.

    Notebook 09, "Two processes, live".
    """
    if n_processes < 1:
        raise ValueError(f"There must be 1 process or more, not {n_processes}.")
    if played and n_processes > 1:
        raise ValueError("Only one process can take the batches of several.")
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--anew"] if anew else []
    for name, value in (("--as", played), ("--batch-size", batch_size)):
        options += [name, str(value)] if value else []
    said = queue.Queue()
    address = f"127.0.0.1:{free_port()}"
    processes = [
        _start(process, n_processes, address, folder, options, environ or os.environ, said)
        for process in range(n_processes)
    ]
    try:
        return _watch(processes, folder, said, tell)
    finally:
        _end(processes)


def _start(process, n_processes, address, folder, options, environ, said):
    command = [
        *WORKER, "--launched", "--process", str(process), "--processes", str(n_processes),
        "--address", address, "--folder", str(folder), *options,
    ]  # fmt: skip
    with _log(folder, process).open("wb") as log:
        started = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**environ, "KERAS_BACKEND": "jax"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    args = (process, started.stdout, said)
    started.listener = threading.Thread(target=_listen, args=args, daemon=True)
    started.listener.start()
    return started


def _listen(process, lines, said):
    """Put the rows that a process prints into the queue, each with its number."""
    for line in lines:
        if line.startswith(b"{"):
            said.put((process, json.loads(line)))


def _watch(processes, folder, said, tell):
    """The last row of each process, when all have ended well."""
    finished, round_ = {}, None
    while True:
        # First look who has ended, and then take what they have said before.
        codes = [process.poll() for process in processes]
        if any(codes):
            _wait_for_the_others(processes)
        for process in processes:
            if process.poll() is not None:
                process.listener.join(LISTEN_SECONDS)
        for process, row in _taken(said):
            if "weights" in row:
                finished[process] = row
            elif process == 0:
                round_ = row["round"]
                if tell is not None:
                    tell(row)
        if any(codes):
            raise ProcessFailed(_why(processes, codes, folder, round_))
        if None not in codes:
            return [finished[process] for process in range(len(processes))]
        time.sleep(LOOK_SECONDS)


def _taken(said):
    """What is in the queue now."""
    while not said.empty():
        yield said.get()


def _wait_for_the_others(processes):
    end = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < end and any(process.poll() is None for process in processes):
        time.sleep(LOOK_SECONDS)


def _why(processes, codes, folder, round_):
    """Which process failed, and why, in words; `codes` are those of when the first end was seen."""
    now = [process.poll() for process in processes]
    first = min((k for k, code in enumerate(now) if code), key=lambda k: _rank(now[k], codes[k]))
    code = now[first]
    if code < 0:
        why = f"was ended by {signal.Signals(-code).name}"
        if _from_outside(code):
            why += ", by somebody's kill or for want of memory"
    else:
        why = f"ended with status {code}: {_last_line(_log(folder, first))}"
    others = "the others were ended, too" if len(processes) > 1 else "there was no other"
    told = f"Process 0 had told of round {round_}. " if round_ else ""
    return (
        f"Process {first} of {len(processes)} {why}; {others}. {told}Start again to go on from the "
        f"last round that all have. What it said: {_shown(_log(folder, first))}"
    )


def _rank(code, before):
    """The lowest is of the process whose end made the others fail.

    First who was ended from outside, then who had an error of its own, then who failed in what all
    do together; among equals who had ended when the first end was seen.
    """
    consequence = code in (FAILED_TOGETHER, -signal.SIGABRT)  # JAX aborts where it cannot go on
    return (0 if _from_outside(code) else 2 if consequence else 1, before is None)


def _from_outside(code):
    return code < 0 and code != -signal.SIGABRT


def _end(processes):
    """Whoever still runs: asked first, then killed."""
    for process in processes:
        process.stdin.close()  # a worker ends at this
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _log(folder, process):
    return folder / f"process-{process}.log"


def _shown(path):
    return path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path


def _last_line(log):
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
