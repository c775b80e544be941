"""The memory of the sliding window while it feeds `fit`, by its size, rounds and images.

`experiments/race/window_memory.py` says what is measured.
"""

import argparse
import time
from pathlib import Path

from experiments.race import window_memory as memory
from experiments.records import NEW, write_report
from helpers.workshop import open_workshop


def main(arguments=None):
    """Measure, print the table, write the file."""
    least = memory.LEFT_OUT_ROUNDS + 3
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--windows-mib", type=int, nargs="+", default=[32, 128, 512, 1024], metavar="MIB",
        help="32 128 512 1024 by default")  # fmt: skip
    add("--rounds", type=int, default=100, metavar="N", help=f"{least} or more (100)")
    add("--output", type=Path, default=NEW / "loader_memory.json", help="in build/results")
    chosen = parser.parse_args(arguments)
    if chosen.rounds < least or min(chosen.windows_mib) < 1:
        parser.error(f"--rounds must be {least} or more, and windows at least 1 MiB")
    data = str(open_workshop().settings.data)
    began = time.monotonic()
    report = {
        "windows": [memory.measure_window(data, mib) for mib in chosen.windows_mib],
        "slope": memory.measure_slope(data, chosen.rounds),
        "images": [memory.measure_images(data, n) for n in memory.IMAGES],
        "constant": memory.measure_constant(data),
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    print(memory.table(report))
    write_report(chosen.output, **report)
    print(f"{report['minutes']} minutes; written: {chosen.output.name}")


if __name__ == "__main__":
    main()
