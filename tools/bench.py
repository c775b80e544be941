"""`make bench`: every loader against every other, each run in a fresh process.

    python -m tools.bench                          # all that are installed, about ten minutes
    python -m tools.bench --methods constant_batch sliding_subset --rounds 6 --epochs 5
    python -m tools.bench --load-only --size 224 --rounds 6 --epochs 5   # nothing is trained

The data are those of the workshop (TUTORIAL_DATA chooses others). Grain is measured if it is
installed: `.venv/bin/pip install --constraint constraints.txt --editable ".[bench]"`.
"""

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

from helpers.bench import BenchSettings
from helpers.comparison import compare, table
from helpers.loaders import ARRAYS, CONTENDERS, LOOPS, installed
from helpers.results import RESULTS
from helpers.settings import load_settings
from tools.report import write_report


def main(arguments: list[str] | None = None) -> int:
    chosen = _parse(arguments)
    settings = BenchSettings(
        size=(chosen.size, chosen.size),
        window=chosen.window,
        stride=chosen.stride,
        n_rounds=chosen.rounds,
        epochs_per_round=chosen.epochs,
        batch_size=chosen.batch_size,
        train=not chosen.load_only,
        score=not chosen.load_only,
    )
    began = time.monotonic()
    rows = compare(chosen.methods, settings, chosen.repeats, lambda line: print(line, flush=True))
    minutes = round((time.monotonic() - began) / 60, 1)
    asked = load_settings()
    write_report(
        chosen.output,
        data=chosen.label or asked.source,
        body=asked.body,
        settings=asdict(settings),
        minutes=minutes,
        rows=rows,
    )
    print("", table(rows), f"{minutes} minutes; written to {chosen.output}", sep="\n")
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    default = BenchSettings()
    parser = argparse.ArgumentParser(description="Measure the loaders against each other.")
    parser.add_argument("--methods", nargs="+", choices=CONTENDERS, metavar="METHOD")
    parser.add_argument("--repeats", type=_count, default=3)
    parser.add_argument("--size", type=_count, default=default.size[0], help="pixels, square")
    parser.add_argument("--window", type=_count, default=default.window, help="images")
    parser.add_argument("--stride", type=_count, default=default.stride, help="images")
    parser.add_argument("--rounds", type=_count, default=default.n_rounds)
    parser.add_argument("--epochs", type=_count, default=default.epochs_per_round, help="a round")
    parser.add_argument("--batch-size", type=_count, default=default.batch_size)
    parser.add_argument("--load-only", action="store_true", help="train nothing")
    parser.add_argument("--label", help="what to call the data (default: where they are from)")
    parser.add_argument("--output", type=Path, default=RESULTS / "loaders.json")
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
