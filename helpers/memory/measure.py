"""Measure the peak memory of code or of one function, each time in a fresh child process.

A fresh process, because memory that was used before hides what is used now: freed memory stays
with the allocator and is used again without any growth to be seen.
"""

import inspect
import io
import linecache
import marshal
import pickle
import types
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import cloudpickle
import numpy as np

from helpers.memory.record import ChildError
from helpers.memory.runner import SAMPLE_SECONDS, run_child
from helpers.units import MIB, format_bytes

LARGEST_CALL = 16 * MIB


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
    function: Callable,
    *args,
    base_imports: tuple[str, ...] = ("numpy",),
    sample_seconds: float = SAMPLE_SECONDS,
    **kwargs,
) -> PeakMeasurement:
    """Call ``function(*args, **kwargs)`` in a fresh child process; its peak RSS and its timeline.

    The function may come from a module or from a notebook; it is taken there by ``cloudpickle``,
    with the functions, classes and values of the notebook that it uses. ``base_imports`` are
    imported, and all this is there, before the base is read. ``value`` is what the function
    returns if it is JSON-like, else None. ``mark("label")`` in the code names a moment (``marks``).

    The parent samples the child's RSS every 5 ms (``sample_seconds``; where speed is measured, so
    many looks would slow the child); the peak is the child's own high-water mark.
    ChildError, with the child's traceback, for an error there; ValueError for what cannot be
    taken to another process, or takes more than 16 MiB on the way.

    Notebook 01, "Predicted, then measured".
    """
    if not callable(function):
        raise ValueError(f"{function!r} is not a function.")
    run = run_child(
        call=_pickled(function, args, kwargs),
        cells=_cells(),
        imports=tuple(base_imports),
        sample_seconds=sample_seconds,
    )
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


class _Pickler(cloudpickle.Pickler):
    """Keeps the file names of code, which cloudpickle drops: tracebacks need them for lines."""

    dispatch_table: ClassVar = ChainMap(
        {types.CodeType: lambda code: (marshal.loads, (marshal.dumps(code),))},
        cloudpickle.Pickler.dispatch_table,
    )


def _dumps(value: object) -> bytes:
    with io.BytesIO() as file:
        _Pickler(file).dump(value)
        return file.getvalue()


def _pickled(function: Callable, args: tuple, kwargs: dict) -> bytes:
    try:
        call = _dumps((function, args, kwargs))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(f"{_name(function)} cannot be taken to another process: {error}") from None
    if len(call) > LARGEST_CALL:
        name = _largest(function, args, kwargs)
        raise ValueError(
            f"{_name(function)} takes {format_bytes(len(call))} to another process, most of it for "
            f"{name}. Make it inside the function, or pass a path."
        )
    return call


def _largest(function: Callable, args: tuple, kwargs: dict) -> str:
    """Which argument or variable that the function uses takes most bytes, with the bytes."""
    used = {f"argument {k + 1}": value for k, value in enumerate(args)} | kwargs
    if inspect.isfunction(function):
        found = inspect.getclosurevars(function)
        used |= {**found.globals, **found.nonlocals}
    if not used:
        return "what it refers to"
    sizes = {name: len(_dumps(value)) for name, value in used.items()}
    largest = max(sizes, key=sizes.get)
    return f"{largest} ({format_bytes(sizes[largest])})"


def _name(function: Callable) -> str:
    return getattr(function, "__qualname__", repr(function))


def _cells() -> dict[str, tuple]:
    """What ``linecache`` knows of code that is in no file, such as the cells of a notebook.

    Sent along so that a traceback from the child shows its lines.
    """
    return {
        name: entry
        for name, entry in linecache.cache.items()
        if len(entry) == 4 and entry[1] is None
    }
