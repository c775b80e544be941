"""Two processes beside one, turn after turn, on this machine's cores.

    python -m tools.scaling --turns 5      # a quarter of an hour; needs JAX: make distributed

Nothing should run beside it. Runs that the output already holds are not made again.
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from experiments.records import NEW, measure_tables
from experiments.scaling import WAYS, measure_scaling
from helpers.settings import PROFILES

BATCH_SIZE = PROFILES["tiny"].batch_size


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--turns", type=int, default=5, metavar="N", help="(%(default)s)")
    add("--output", type=Path, default=NEW / "scaling", help="path without suffix")
    chosen = parser.parse_args(arguments)
    about = {"data": "tiny", "batch_size": BATCH_SIZE}
    with tempfile.TemporaryDirectory() as folder:
        measure = partial(measure_scaling, Path(folder), BATCH_SIZE)
        to_do = ("way", "turn"), WAYS, range(1, chosen.turns + 1)
        for run in measure_tables(chosen.output, about, measure, *to_do):
            speed = run["rows"][0]["images_per_s"]
            print(f"turn {run['turn']}, {run['way']:<38} {speed:5.0f} images/s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
