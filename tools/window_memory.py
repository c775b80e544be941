"""The memory of the sliding window while it feeds `fit`, by its size, rounds and images.

    python -m tools.window_memory [--windows-mib 32 128 512 1024] [--rounds 100]
                                  [--output FILE.json]

`experiments/race/window_memory.py` says what is measured.
"""

import argparse
import time
from pathlib import Path

from experiments.race.window_memory import (
    IMAGES,
    LEFT_OUT_ROUNDS,
    measure_constant,
    measure_images,
    measure_slope,
    measure_window,
    table,
)
from experiments.records import NEW, write_report
from helpers.workshop import open_workshop


def main(arguments=None):
    """Measure, print the table, write the file; returns the report (a dict)."""
    chosen = _parse(arguments)
    data = str(open_workshop().settings.data)
    began = time.monotonic()
    report = {
        "windows": [measure_window(data, mib) for mib in chosen.windows_mib],
        "slope": measure_slope(data, chosen.rounds),
        "images": [measure_images(data, n) for n in IMAGES],
        "constant": measure_constant(data),
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    print(table(report))
    write_report(chosen.output, **report)
    print(f"{report['minutes']} minutes; written: {chosen.output.name}")
    return report


def _parse(arguments):
    parser = argparse.ArgumentParser(description="Measure the memory of the sliding window.")
    parser.add_argument("--windows-mib", type=int, nargs="+", default=[32, 128, 512, 1024],
                        metavar="MIB", help="default: 32 128 512 1024")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=100, metavar="N",
                        help="to measure growth over, 13 or more (default: 100)")  # fmt: skip
    parser.add_argument("--output", type=Path, default=NEW / "loader_memory.json",
                        metavar="FILE.json", help="default: in build/results")  # fmt: skip
    chosen = parser.parse_args(arguments)
    if chosen.rounds < LEFT_OUT_ROUNDS + 3 or min(chosen.windows_mib) < 1:
        parser.error("--rounds must be 13 or more, and windows at least 1 MiB")
    return chosen


if __name__ == "__main__":
    main()
