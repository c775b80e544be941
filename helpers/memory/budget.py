"""Run code in a fresh child process that may add only so much memory.

On Linux the kernel itself refuses more: RLIMIT_AS, set after the imports to the size of the
address space then, plus the budget. Elsewhere, and on request, the parent watches the child's
RSS and ends it above the budget.
"""

import json
import keyword
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np

from helpers.memory.process import available_memory
from helpers.memory.record import ChildRun
from helpers.memory.runner import run_child
from helpers.units import MIB, format_bytes, parse_bytes


@dataclass(frozen=True, eq=False)
class BudgetResult:
    """What became of code under a budget. RSS in bytes, times in seconds since the start."""

    outcome: str
    message: str
    line: int | None
    budget_bytes: int
    base_bytes: int
    peak_bytes: int
    exit_code: int
    times: np.ndarray = field(repr=False)
    rss_bytes: np.ndarray = field(repr=False)
    marks: tuple[tuple[float, str], ...] = field(repr=False)
    output: str = field(repr=False)
    traceback: str = field(repr=False)

    @property
    def increment_bytes(self) -> int:
        """What the code held at its peak, above the base: ``peak_bytes - base_bytes``."""
        return self.peak_bytes - self.base_bytes

    @property
    def asked_bytes(self) -> int | None:
        """The array that NumPy could not get, as its message gives it; None where it says none."""
        said = re.search(r"Unable to allocate (\d+(?:\.\d+)?)\.? ([KMGT]iB)", self.message)
        return parse_bytes(f"{said[1]} {said[2]}") if said else None

    def __str__(self) -> str:
        budget, peak = format_bytes(self.budget_bytes), format_bytes(self.increment_bytes)
        held = f"At its peak the code held {peak} of RAM."
        if self.outcome == "finished":
            return f"Finished within the budget of {budget}. {held}"
        where = f" in line {self.line}" if self.line else ""
        if self.outcome == "MemoryError":
            return f"MemoryError{where}: the budget of {budget} was not enough. {held}"
        return f"{self.outcome.capitalize()}{where}, under a budget of {budget}. {held}"


def run_under_budget(
    source: str,
    budget: str | int,
    variables: dict | None = None,
    *,
    watch: bool = False,
    base_imports: tuple[str, ...] = ("numpy",),
    stream: Callable[[str], object] | None = None,
) -> BudgetResult:
    """Run ``source`` in a fresh child that may add ``budget`` ("512 MiB", or bytes) of memory.

    ``variables`` are there for the source: int, float, str, bool, None, list, dict; paths and the
    keys of dicts arrive as text. ``base_imports`` are imported before the budget counts.
    ``stream`` gets the output piece by piece while the code runs. ``watch=True`` watches the RSS
    instead of setting a limit, as is done wherever Linux's limit is missing.

    ``outcome`` is "finished", "MemoryError" (``message`` holds NumPy's own words), "ended by
    signal" (killed, by the watching parent or by a crash) or "error" (any other exception;
    ``message`` its type and text). ``line`` is the line of the source where it happened.
    ValueError for a budget under 1 MiB or above what the machine has free, and for variables
    that cannot be passed, or that take more than 1 MiB.

    Notebook 03, "The largest batch for a budget".
    """
    budget_bytes = _sensible_budget(budget)
    watch = watch or not sys.platform.startswith("linux")
    run = run_child(
        source=source,
        variables=_json_like(variables or {}),
        imports=tuple(base_imports),
        limit_bytes=None if watch else budget_bytes,
        stop_above_bytes=budget_bytes if watch else None,
        stream=stream,
    )
    outcome, message = _judge(run, budget_bytes)
    return BudgetResult(
        outcome=outcome,
        message=message,
        line=run.done["line"] if run.done else None,
        budget_bytes=budget_bytes,
        base_bytes=run.base_bytes,
        peak_bytes=run.peak_bytes,
        exit_code=run.exit_code,
        output="".join(run.output),
        traceback=run.done["traceback"] if run.done else "",
        **run.timeline(),
    )


def _sensible_budget(budget: str | int) -> int:
    n_bytes = parse_bytes(budget)
    if n_bytes < MIB:
        raise ValueError(f"A budget of {budget!r} is too small to run anything: 1 MiB or more.")
    available = available_memory()
    if n_bytes > available:
        raise ValueError(
            f"A budget of {budget!r} is more than the {format_bytes(available)} this machine has "
            "free: it would be put in danger. Choose a smaller one."
        )
    return n_bytes


def _json_like(variables: dict) -> dict:
    """The variables as the child gets them; paths become text, tuples lists."""
    plain = {}
    for name, value in variables.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"{name!r} is not the name of a variable.")
        try:
            text = json.dumps(value, default=_path_text)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"{name} cannot be passed to the child: {error}.") from None
        if len(text) > MIB:
            raise ValueError(
                f"{name}: {len(text):,} bytes are too many to pass; save it in a file and pass its "
                "path."
            )
        plain[name] = json.loads(text)
    return plain


def _path_text(value: object) -> str:
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(
        f"it holds a value of type {type(value).__name__}. Allowed are int, float, str, bool, "
        "None, paths, and lists and dicts of these"
    )


def _judge(run: ChildRun, budget_bytes: int) -> tuple[str, str]:
    if run.ended_at_bytes is not None:
        held = format_bytes(run.ended_at_bytes - run.base_bytes)
        allowed = format_bytes(budget_bytes)
        return "ended by signal", f"The watching parent ended it at {held}, above {allowed}."
    if run.done is not None:
        return run.done["outcome"], run.done["message"]
    # Windows tells of a crash by a status of 0xC0000000 or more.
    if run.exit_code < 0 or run.exit_code >= 0xC0000000:
        return "ended by signal", _signal_name(run.exit_code)
    return "error", f"The process left with exit code {run.exit_code} before the code had ended."


def _signal_name(exit_code: int) -> str:
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        return f"exit code {exit_code:#x}"
    return f"{name} ({signal.strsignal(-exit_code)})"
