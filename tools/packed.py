"""Photographs as files and in one ArrayRecord, read by Grain in any order, turn after turn.

    TUTORIAL_DATA=... python -m tools.packed --turns 10      # needs array-record: make distributed

The first reading of each, which warms the cache, is not counted. Nothing should run beside it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from experiments.packed import WAYS, pack, read_all
from experiments.records import NEW, measure_tables
from helpers.workshop import open_workshop

SIZE = (224, 224)


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--turns", type=int, default=10, metavar="N", help="(%(default)s)")
    add("--label", help="what to call the data (where they are from)")
    add("--output", type=Path, default=NEW / "packed", help="path without suffix")
    chosen = parser.parse_args(arguments)
    workshop = open_workshop()
    index = workshop.train
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.array_record"
        about = {
            "data": chosen.label or workshop.settings.source,
            "n_images": len(index),
            "size": SIZE,
            "bytes": pack(index, path),
        }
        for way in WAYS:
            read_all(index, path, SIZE, way, 0)

        def measure(way, turn):
            return read_all(index, path, SIZE, way, turn)

        to_do = ("way", "turn"), WAYS, range(1, chosen.turns + 1)
        for run in measure_tables(chosen.output, about, measure, *to_do):
            speed = run["rows"][0]["images_per_s"]
            print(f"turn {run['turn']}, {WAYS[run['way']]:<25} {speed:5.0f} images/s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
