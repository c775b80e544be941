"""Memory beside the number of images: arrays of everything, and one window of 200.

    python -m tools.list_length      # up to 20,000 images: a quarter of an hour, 4 GB of memory

Runs that the output holds are not made again.
"""

import argparse
import sys
from pathlib import Path

import helpers.quiet  # noqa: F401  (before anything that imports Keras)
from experiments.race.list_length import BATCH, LENGTHS, SIZE, STRIDE, WAYS, WINDOW, hold
from experiments.records import NEW, in_a_fresh_process, measure_tables
from helpers.workshop import open_workshop


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--lengths", nargs="+", type=int, default=[*LENGTHS], metavar="N",
        help=f"images in the list (default: {' '.join(map(str, LENGTHS))})")  # fmt: skip
    add("--label", help="what to call the data (default: where they are from)")
    add("--output", type=Path, default=NEW / "list_length", help="path without suffix")
    chosen = parser.parse_args(arguments)
    if min(chosen.lengths) < WINDOW:
        parser.error(f"--lengths must be {WINDOW} or more: that is the window")
    workshop = open_workshop()
    about = {
        "data": chosen.label or workshop.settings.source,
        "settings": {"window": WINDOW, "stride": STRIDE, "size": SIZE, "batch_size": BATCH},
    }
    measure, keys = in_a_fresh_process(hold, workshop), ("way", "images")
    for run in measure_tables(chosen.output, about, measure, keys, WAYS, chosen.lengths):
        peak = run["rows"][0]["peak_mib"]
        print(f"{run['images']:>7,} images, {WAYS[run['way']]:<30} {peak:8,.0f} MiB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
