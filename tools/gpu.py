"""`python -m tools.gpu`: how well loaders feed a GPU, and what half of the precision costs.

    KERAS_BACKEND=jax TUTORIAL_PROFILE=full TUTORIAL_BACKBONE=vgg16 TUTORIAL_DATA=... \\
        python -m tools.gpu feed                     # speed, and the GPU's busy share
    KERAS_BACKEND=jax python -m tools.gpu learn      # hold-out scores of the drawn set

Every precision has a process of its own.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import helpers.quiet  # noqa: F401  (before anything that imports Keras)
from experiments.race.gpu import FEEDS, PRECISIONS, feed_gpu, gpu_geometry, learn
from experiments.records import NEW, settings_of, write_report
from helpers.memory import measure_peak
from helpers.quiet import keras
from helpers.workshop import open_workshop


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("what", choices=("feed", "learn"))
    add("--rounds", type=int, default=4, metavar="N", help="windows of each run (default: 4)")
    add("--turns", type=int, default=3, metavar="N", help="runs of each loader (default: 3)")
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="0 1 2 by default")
    add("--feeds", nargs="+", choices=FEEDS, default=FEEDS, metavar="LOADER", help=", ".join(FEEDS))
    add("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    add("--label", help="what to call the data (default: where they are from)")
    add("--output", type=Path, help="default: gpu_WHAT.json in build/results")
    chosen = parser.parse_args(arguments)
    workshop, said = open_workshop().with_fcn(), partial(print, flush=True)
    about = {
        "data": chosen.label or workshop.settings.source,
        "backbone": workshop.settings.backbone,
        "backend": keras.backend.backend(),
    }
    output, rows = chosen.output or NEW / f"gpu_{chosen.what}.json", []
    for precision in chosen.precisions:
        if chosen.what == "feed":
            work = feed_gpu, workshop, precision, chosen.rounds, chosen.turns, chosen.feeds, said
            about["settings"] = settings_of(gpu_geometry(workshop, chosen.rounds))
            rows.append(_alone(*work))
        else:
            about["settings"] = settings_of(workshop.geometry)
            rows += _alone(_learn_all, workshop, precision, chosen.seeds)
        write_report(output, **about, rows=rows)
    said(f"written to {output}")
    return 0


def _alone(function, *given):
    """The value of a function in a process of its own."""
    return measure_peak(function, *given, base_imports=("helpers.quiet",)).value


def _learn_all(workshop, precision, seeds) -> list[dict]:
    found = []
    for seed in seeds:
        found.append(learn(workshop, precision, seed))
        print(found[-1], flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
