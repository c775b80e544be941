"""Memory tools: bytes predicted, peaks measured, code run under a real budget."""

from helpers.memory.budget import run_under_budget
from helpers.memory.child import mark
from helpers.memory.measure import measure_peak
from helpers.memory.process import (
    assert_peak_below,
    current_rss,
    peak_rss,
    rebase,
    release_freed,
)
from helpers.memory.sizes import predict_bytes

__all__ = [
    "assert_peak_below",
    "current_rss",
    "mark",
    "measure_peak",
    "peak_rss",
    "predict_bytes",
    "rebase",
    "release_freed",
    "run_under_budget",
]
