"""`make bench`: every loader against every other, each run in a fresh process.

    python -m tools.bench                          # all that are installed, about ten minutes
    python -m tools.bench --methods constant_batch sliding_subset --rounds 6 --passes 5
    python -m tools.bench --load-only --size 224 --rounds 6 --passes 5   # nothing is trained

The data are those of the workshop (TUTORIAL_DATA chooses others). Grain is measured if it is
installed: `.venv/bin/pip install --constraint constraints.txt --editable ".[bench]"`.
"""

import argparse
import sys
import time
from pathlib import Path

from experiments.race.compare import compare, table
from experiments.race.loaders import ARRAYS, LOADERS, LOOPS, installed
from experiments.race.measure import RaceSettings
from experiments.records import NEW, settings_of, write_report
from helpers.windows import Geometry
from helpers.workshop import open_workshop


def main(arguments: list[str] | None = None) -> int:
    chosen = _parse(arguments)
    geometry = Geometry(
        n_images=chosen.window + (chosen.rounds - 1) * chosen.stride,
        window=chosen.window,
        stride=chosen.stride,
        size=(chosen.size, chosen.size),
        batch_size=chosen.batch_size,
        passes=chosen.passes,
    )
    train = not chosen.load_only
    measured = {"train": train, "score": train, "load": True}
    settings = RaceSettings(geometry, **measured)
    workshop = open_workshop()
    began = time.monotonic()
    rows = compare(
        chosen.methods, settings, workshop, chosen.repeats, lambda line: print(line, flush=True)
    )
    minutes = round((time.monotonic() - began) / 60, 1)
    write_report(
        chosen.output,
        data=chosen.label or workshop.settings.source,
        backbone=workshop.settings.backbone,
        settings=settings_of(geometry) | {"seed": geometry.seed} | measured,
        minutes=minutes,
        rows=rows,
    )
    print("", table(rows), f"{minutes} minutes; written to {chosen.output}", sep="\n")
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    usual = RaceSettings().geometry
    parser = argparse.ArgumentParser(
        description="Measure the loaders against each other, each run in a fresh process.",
        epilog=f"The methods: {', '.join(LOADERS)}.",
    )
    parser.add_argument("--methods", nargs="+", choices=LOADERS, metavar="METHOD",
                        help="loaders to measure (default: all that are installed)")  # fmt: skip
    for name, default, what in (
        ("repeats", 3, "runs of each loader"),
        ("size", usual.size[0], "height and width of the images in pixels"),
        ("window", usual.window, "images in a window"),
        ("stride", usual.stride, "images by which the window moves on"),
        ("rounds", usual.n_rounds, "windows"),
        ("passes", usual.passes, "passes over each window"),
        ("batch-size", usual.batch_size, "images in a batch"),
    ):
        help_text = f"{what} (default: {default})"
        parser.add_argument(f"--{name}", type=_count, default=default, metavar="N", help=help_text)
    parser.add_argument("--load-only", action="store_true", help="train nothing")
    parser.add_argument("--label", help="what to call the data (default: where they are from)")
    parser.add_argument("--output", type=Path, default=NEW / "loaders.json", metavar="FILE.json",
                        help="where to write (default: build/results/loaders.json)")  # fmt: skip
    chosen = parser.parse_args(arguments)
    if chosen.methods is None:
        chosen.methods = installed()
        if chosen.load_only:
            without_loader = {"constant_batch", *LOOPS, *ARRAYS}
            chosen.methods = [name for name in chosen.methods if name not in without_loader]
    return chosen


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
