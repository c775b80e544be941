"""`make plan`: what a training on the data set in TUTORIAL_DATA would take.

    python -m tools.plan --budget "4 GiB"
    python -m tools.plan --budget "4 GiB" --passes 1

All images for training are planned for, whatever the profile; the profile decides size, batch and
network. The budget is for the whole process that trains.
"""

import argparse
import sys
from dataclasses import replace

from tabulate import tabulate

import helpers.quiet  # noqa: F401  (before anything that imports Keras)
from helpers.planning import known_sets, plan_training
from helpers.settings import load_settings
from helpers.units import format_bytes, parse_bytes
from helpers.workshop import open_workshop

NO_LIMIT = 10**9


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    settings = replace(load_settings(), stride=NO_LIMIT)
    add = parser.add_argument
    add("--budget", default=settings.memory_budget, help="the profile's (%(default)s) by default")
    add("--passes", type=int, default=5, metavar="N", help="over each window (%(default)s)")
    chosen = parser.parse_args(arguments)
    if chosen.passes < 1:
        parser.error("--passes must be 1 or more")
    try:
        workshop = open_workshop(settings)
        print("A probe of a few steps …", flush=True)
        plan = plan_training(workshop, chosen.budget, passes=chosen.passes)
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    print(plan)
    left = parse_bytes(chosen.budget) - plan.speeds.other_bytes
    rows = [
        (name, f"{n:,}", format_bytes(native), format_bytes(stored), f"{window:,}")
        for name, n, native, stored, window in known_sets(left, workshop.geometry.size)
    ]
    height, width = workshop.geometry.size
    headings = ["", "images", "as arrays (uint8)", f"at {height}×{width}", "largest window"]
    print("\nThe same budget, and data sets that people know:\n")
    print(tabulate(rows, headings, disable_numparse=True, colalign=["left", *["right"] * 4]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
