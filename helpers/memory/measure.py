"""Measure the peak memory of code or of one function, each time in a fresh child process.

A fresh process, because memory that was used before hides what is used now: freed memory stays
with the allocator and is used again without any growth to be seen.
"""

import dis
import inspect
import pickle
import sys
import textwrap
import types
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from helpers.memory.child import mark
from helpers.memory.record import ChildError
from helpers.memory.runner import SAMPLE_SECONDS, run_child
from helpers.memory.sizes import format_bytes
from helpers.memory.variables import json_like

ENTRY = "_measured"


@dataclass(frozen=True, eq=False)
class PeakMeasurement:
    """Memory of one run. RSS in bytes, times in seconds since the base was read."""

    base_bytes: int
    peak_bytes: int
    seconds: float
    times: np.ndarray = field(repr=False)
    rss_bytes: np.ndarray = field(repr=False)
    value: object = field(repr=False)
    marks: tuple[tuple[float, str], ...] = field(repr=False)
    output: str = field(repr=False)

    @property
    def increment_bytes(self) -> int:
        """What the code added at its peak: ``peak_bytes - base_bytes``."""
        return self.peak_bytes - self.base_bytes

    def __str__(self) -> str:
        return (
            f"peak {format_bytes(self.increment_bytes)} above a base of "
            f"{format_bytes(self.base_bytes)}, in {self.seconds:.2f} s"
        )


def measure_peak(
    what: str | Callable,
    *args,
    base_imports: tuple[str, ...] = ("numpy",),
    sample_seconds: float = SAMPLE_SECONDS,
    **kwargs,
) -> PeakMeasurement:
    """Run ``what`` in a fresh child process and return its peak RSS and its timeline.

    ``what`` is source code, with ``kwargs`` as its variables (JSON-like), or a function, called
    with ``args`` and ``kwargs`` (anything that can be pickled). A function from a module is
    imported there; of one that was written in a notebook the source is taken, together with the
    modules, functions and values it uses. Modules in ``base_imports`` are imported before the
    base is read. ``value`` is what the function returns, or the source's variable ``value``, if
    it is JSON-like, else None. ``mark("label")`` in the code names a moment (``marks``).

    The parent samples the child's RSS every 5 ms (``sample_seconds``; where speed is measured, so
    many looks would slow the child); the peak is the child's own high-water mark.
    ChildError, with the child's traceback, for an error there; ValueError for what cannot be
    taken to another process.
    """
    if isinstance(what, str):
        if args:
            raise ValueError("Source code takes no positional arguments: pass them by name.")
        work = {"source": textwrap.dedent(what), "variables": json_like(kwargs)}
    elif callable(what):
        work = _portable_call(what, args, kwargs)
    else:
        raise ValueError(f"{what!r} is neither source code nor a function.")
    run = run_child(imports=tuple(base_imports), sample_seconds=sample_seconds, **work)
    output = "".join(run.output)
    if run.done is None or run.done["outcome"] != "finished":
        trace = run.done["traceback"] if run.done else f"It ended with code {run.exit_code}."
        raise ChildError(f"The measured code failed in its child process.\n{output}{trace}")
    timeline = run.timeline()
    return PeakMeasurement(
        base_bytes=run.base_bytes,
        peak_bytes=run.peak_bytes,
        seconds=float(timeline["times"][-1]),
        value=run.done["value"],
        output=output,
        **timeline,
    )


def _portable_call(function: Callable, args: tuple, kwargs: dict) -> dict:
    """Return what ``run_child`` needs to call ``function`` in another process."""
    names, functions, values = {}, {}, {}
    if (place := _importable_from(function)) is not None:
        names[ENTRY], entry = place, ENTRY
    elif isinstance(function, types.FunctionType):
        _collect(function, names, functions, values)
        entry = function.__name__
    else:
        raise ValueError(f"{function!r} cannot be taken to another process: give a function.")
    try:
        arguments = pickle.dumps((args, kwargs, values))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{entry}: its arguments {list(args) + list(kwargs)} and the global values it uses "
            f"{list(values)} must go to another process, but: {error}"
        ) from None
    return {"call": (entry, arguments), "functions": functions, "names": names}


def _importable_from(value: object) -> tuple[str, str] | None:
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if isinstance(value, types.ModuleType):
        return value.__name__, ""
    if module in (None, "__main__") or module not in sys.modules or not isinstance(name, str):
        return None
    return (module, name) if getattr(sys.modules[module], name, None) is value else None


def _collect(function: types.FunctionType, names: dict, functions: dict, values: dict) -> None:
    """Gather the source of ``function`` and all that it uses from its globals."""
    if function.__name__ == "<lambda>":
        raise ValueError("A lambda has no source of its own: write a function with def.")
    if function.__closure__:
        raise ValueError(
            f"{function.__name__} takes {', '.join(function.__code__.co_freevars)} from the "
            "function around it: pass them as arguments."
        )
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise ValueError(f"{function.__name__}: its source cannot be found.") from None
    functions[function.__name__] = source
    for name in sorted(_global_names(compile(source, function.__name__, "exec"))):
        if name not in function.__globals__ or name in functions:
            continue
        value = function.__globals__[name]
        if (place := _importable_from(value)) is not None:
            names[name] = place
        elif isinstance(value, types.FunctionType):
            _collect(value, names, functions, values)
        elif value is not mark:
            values[name] = value


def _global_names(code: types.CodeType) -> set[str]:
    used = {
        instruction.argval
        for instruction in dis.get_instructions(code)
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            used |= _global_names(constant)
    return used
