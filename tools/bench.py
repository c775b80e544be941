"""`make bench`: every loader against every other, each run in a fresh process.

    python -m tools.bench                          # all that are installed, half an hour
    python -m tools.bench --methods constant_batch sliding_subset --rounds 6 --passes 5
    python -m tools.bench --load-only --size 224 --rounds 6 --passes 5   # nothing is trained

The data are those of the workshop (TUTORIAL_DATA chooses others). Grain is measured if it is
installed: `.venv/bin/pip install --constraint constraints.txt --editable ".[bench]"`.
"""

import argparse
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from experiments.race.compare import LIMIT, compare, table
from experiments.race.loaders import LOADERS, NO_LOADER, NOT_ALONE, installed
from experiments.race.measure import USUAL, RaceSettings
from experiments.records import NEW, settings_of, write_report
from helpers.windows import Geometry
from helpers.workshop import open_workshop

OURS = "sliding_subset"
NUMBERS = {  # option: its least value, its default, what it counts
    "repeats": (1, 3, "runs of each loader"),
    "pairs": (2, 10, "runs of SlidingSubset beside a constant batch"),
    "size": (1, USUAL.size[0], "height and width of the images in pixels"),
    "window": (1, USUAL.window, "images in a window"),
    "stride": (1, USUAL.stride, "images by which the window moves on"),
    "rounds": (2, USUAL.n_rounds, "windows"),
    "passes": (1, USUAL.passes, "passes over each window"),
    "batch-size": (1, USUAL.batch_size, "images in a batch"),
}


def main(arguments: list[str] | None = None) -> int:
    chosen = _parse(arguments)
    window, stride, size = chosen.window, chosen.stride, (chosen.size, chosen.size)
    n_images = window + (chosen.rounds - 1) * stride
    geometry = Geometry(n_images, window, stride, size, chosen.batch_size, chosen.passes)
    train = not chosen.load_only
    measured = {"train": train, "score": train, "load": True}
    settings, workshop = RaceSettings(geometry, **measured), open_workshop()
    began, said = time.monotonic(), partial(print, flush=True)
    rows = compare(chosen.methods, settings, workshop, chosen.repeats, said)
    in_training = replace(settings, load=False, score=False)
    pairs = compare([LIMIT, OURS], in_training, workshop, chosen.pairs, said) if train else []
    minutes = round((time.monotonic() - began) / 60, 1)
    write_report(
        chosen.output,
        data=chosen.label or workshop.settings.source,
        backbone=workshop.settings.backbone,
        settings=settings_of(geometry) | {"seed": geometry.seed} | measured,
        minutes=minutes,
        rows=rows,
        ours=pairs[1:],
    )
    print("", table(rows), *map(beside_the_limit, pairs[1:]), sep="\n")
    print(f"{minutes} minutes; written to {chosen.output}")
    return 0


def beside_the_limit(row: dict) -> str:
    """Our speed as a share of a constant batch's, in pairs; the longest pause between rounds."""
    low, high = row["ratio_to_limit_interval"]
    return (
        f"{row['label']}, {row['repeats']} pairs: {(low + high) / 2:.3f} of the speed of one "
        f"constant batch (mean; its 95 % interval {low:.3f} to {high:.3f}); the longest gap "
        f"between steps at a change of round {row['largest_round_gap_ms']:.0f} ms, a usual step "
        f"{row['step_ms']:.0f} ms"
    )


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--methods", nargs="+", choices=LOADERS, metavar="METHOD",
        help=f"of {', '.join(LOADERS)} (default: all that are installed)")  # fmt: skip
    for name, (_, default, what) in NUMBERS.items():
        add(
            f"--{name}", type=int, default=default, metavar="N", help=f"{what} (default: {default})"
        )
    add("--load-only", action="store_true", help="train nothing")
    add("--label", help="what to call the data (default: where they are from)")
    add("--output", type=Path, default=NEW / "loaders.json", help="default: in build/results")
    chosen = parser.parse_args(arguments)
    for name, (least, _, _) in NUMBERS.items():
        if getattr(chosen, name.replace("-", "_")) < least:
            parser.error(f"--{name} must be {least} or more")
    without_loader = {*NO_LOADER, *NOT_ALONE} if chosen.load_only else {}
    usual = [name for name in installed() if name not in without_loader]
    chosen.methods = chosen.methods or usual
    return chosen


if __name__ == "__main__":
    sys.exit(main())
