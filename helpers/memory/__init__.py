"""Memory tools: bytes predicted, peaks measured, code run under a real budget.

In a notebook, ``%load_ext helpers.memory`` adds the ``%%memory_budget`` cell magic.
"""

from helpers.memory.budget import BudgetResult, run_under_budget
from helpers.memory.child import mark
from helpers.memory.measure import PeakMeasurement, measure_peak
from helpers.memory.process import (
    assert_peak_below,
    available_memory,
    current_rss,
    peak_rss,
    release_freed,
)
from helpers.memory.record import ChildError
from helpers.memory.sizes import MIB, format_bytes, parse_bytes, predict_bytes

__all__ = [
    "MIB",
    "BudgetResult",
    "ChildError",
    "PeakMeasurement",
    "assert_peak_below",
    "available_memory",
    "current_rss",
    "format_bytes",
    "mark",
    "measure_peak",
    "parse_bytes",
    "peak_rss",
    "predict_bytes",
    "release_freed",
    "run_under_budget",
]


def load_ipython_extension(shell) -> None:
    """Register ``%%memory_budget``; IPython calls this for ``%load_ext helpers.memory``."""
    # Only here: the child processes import this package and have no use for IPython.
    from helpers.memory.magics import MemoryMagics

    shell.register_magics(MemoryMagics)
