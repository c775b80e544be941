"""How fast are two processes beside one, on the same cores? One training at a time."""

from pathlib import Path

from helpers.distributed import launch
from helpers.settings import environ_with

# Processes, and the batch of all together as a multiple of the profile's.
WAYS = {
    "one process": (1, 1),
    "two processes, half of its batch each": (2, 1),
    "two processes, its batch each": (2, 2),
}


def measure_scaling(folder: Path, batch_size: int, way: str, turn: int) -> dict:
    """Train on the tiny set in one of the `WAYS`; a dict of `rows`, which is one row.

    `images_per_s` of all processes in training steps, the first round left out, and the largest
    `peak_mib` of a process.
    """
    n, times = WAYS[way]
    environ = environ_with("tiny")
    rows = launch(n, folder, anew=True, batch_size=batch_size * times, environ=environ)
    peak = max(row["peak_mib"] for row in rows)
    return {"rows": [{"images_per_s": rows[0]["images_per_s"], "peak_mib": peak}]}
