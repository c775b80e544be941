"""What runs inside the fresh child process: code from a cell, or one function, measured.

The parent (``runner.py``) holds three pipes. Through standard input comes one pickled request;
afterwards that pipe only says that the parent is alive. Standard output carries what the code
prints, standard error included, in order. The third pipe (handed over as standard error) carries
reports, one JSON object a line: "ready", "mark", "done".
"""

import builtins
import importlib
import json
import linecache
import os
import pickle
import signal
import sys
import threading
import time
import types
from collections.abc import Callable

import psutil

from helpers.memory.errors import CELL, describe, is_out_of_memory
from helpers.memory.process import current_rss, peak_rss, rebase, virtual_size

_reports = None


def report(event: str, **facts) -> None:
    """Send one line to the parent."""
    line = json.dumps({"event": event, "time": time.perf_counter(), **facts})
    _reports.write(line.encode() + b"\n")


def mark(label: str) -> None:
    """Name this moment on the timeline; does nothing in code that is not being measured.

    Notebook 01, "The copies that `fit` makes".
    """
    if _reports is not None:
        report("mark", label=str(label))


def main(request: dict) -> int:
    """Do what ``request`` says (see ``runner.run_child``); return the exit code."""
    _connect_pipes()
    try:
        for name in request["imports"]:
            importlib.import_module(name)
        work = _prepare(request, _fresh_main(request["variables"]))
    except BaseException as error:
        report("done", value=None, high_water=0, rss=0, **describe(error, __file__))
        return 1
    outcome, value = _run_measured(work, request["limit_bytes"])
    _end_own_children()
    report("done", value=_json_or_none(value), **outcome)
    return 0 if outcome["outcome"] == "finished" else 1


def _connect_pipes() -> None:
    global _reports
    _reports = os.fdopen(os.dup(2), "wb", buffering=0)
    os.dup2(1, 2)
    alive = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.reconfigure(
        encoding="utf-8", errors="backslashreplace", newline="\n", line_buffering=True
    )
    sys.stderr = sys.stdout  # one buffer, so that what is printed to both stays in order
    threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()


def _end_with_parent(alive: int) -> None:
    os.read(alive, 1)  # returns only when the parent has closed its end, or is gone
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _fresh_main(variables: dict) -> dict:
    module = types.ModuleType("__main__")
    module.__dict__.update(mark=mark, __builtins__=builtins, **variables)
    sys.modules["__main__"] = module
    return module.__dict__


def _prepare(request: dict, namespace: dict) -> Callable:
    """Return what is to be run, with everything it needs loaded or compiled beforehand."""
    # linecache lets tracebacks show the lines of code that is in no file.
    linecache.cache |= request["cells"]
    if request["call"] is not None:
        function, args, kwargs = pickle.loads(request["call"])
        return lambda: function(*args, **kwargs)
    source = request["source"]
    linecache.cache[CELL] = (len(source), None, source.splitlines(True), CELL)
    code = compile(source, CELL, "exec")
    return lambda: exec(code, namespace)


def _run_measured(work: Callable, limit_bytes: int | None) -> tuple[dict, object]:
    report("ready", pid=os.getpid(), base_bytes=rebase(), high_water=peak_rss())
    value = failure = None
    lost = _errors_lost_in_threads()
    try:
        set_limit, limit, no_limit = _address_space_limit(limit_bytes)
        try:
            set_limit(*limit)
            value = work()
            _wait_for_threads()
        finally:
            # A MemoryError can leave too little memory to handle it. This call needs none.
            set_limit(*no_limit)
    except BaseException as error:
        failure = error
    if failure is None and lost:
        failure = lost[0]
    peak = {"high_water": peak_rss(), "rss": current_rss()}
    return describe(failure, __file__) | peak, value


def _errors_lost_in_threads() -> list[BaseException]:
    """Return a list that will hold the out-of-memory errors that end a thread of the code."""
    lost = []
    usual_hook = threading.excepthook

    def keep(failed):
        if is_out_of_memory(failed.exc_value):
            lost.append(failed.exc_value)
        usual_hook(failed)

    threading.excepthook = keep
    return lost


def _wait_for_threads() -> None:
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def _address_space_limit(limit_bytes: int | None) -> tuple[Callable, tuple, tuple]:
    """Return a function and its arguments for limiting and for lifting the limit again."""
    if limit_bytes is None:
        return (lambda: None), (), ()
    import resource  # Windows has no such module; the parent asks for a limit on Linux only

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = virtual_size() + limit_bytes
    if soft != resource.RLIM_INFINITY and soft < size:
        raise OSError(
            f"The address space is already limited to {soft} bytes (ulimit -v), "
            "too little for this budget: raise that limit, or choose a smaller budget."
        )
    # Only the soft limit: a lowered hard limit could not be lifted.
    what = resource.RLIMIT_AS
    return resource.setrlimit, (what, (size, hard)), (what, (soft, hard))


def _json_or_none(value: object) -> object:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return None
    return value


def _end_own_children() -> None:
    for process in psutil.Process().children(recursive=True):
        process.kill()
