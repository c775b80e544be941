"""What windows over shares cost beside a shuffle of everything: each way, several seeds.

    python -m tools.shares --seeds 0 1 2 3 4      # five minutes a run on one core; needs Grain

Runs that the output already holds are not made again.
"""

import argparse
import sys
from pathlib import Path

import helpers.quiet  # noqa: F401  (before anything that imports Keras)
from experiments.records import NEW, in_a_fresh_process, measure_tables, settings_of
from experiments.shares import WAYS, learn_in_shares
from helpers.workshop import open_workshop


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4], metavar="N", help="0 to 4")
    add("--ways", nargs="+", choices=WAYS, default=[*WAYS], help="all by default")
    add("--label", help="what to call the data (where they are from)")
    add("--output", type=Path, default=NEW / "shares_drawn", help="path without suffix")
    chosen = parser.parse_args(arguments)
    workshop = open_workshop().with_fcn()
    about = {
        "data": chosen.label or workshop.settings.source,
        "backbone": workshop.settings.backbone,
        "settings": settings_of(workshop.geometry),
    }
    measure = in_a_fresh_process(learn_in_shares, workshop)
    to_do = ("way", "seed"), chosen.ways, chosen.seeds
    for run in measure_tables(chosen.output, about, measure, *to_do):
        score = run["rows"][-1]["mean_iou"]
        print(f"{run['way']:<11} seed {run['seed']}: mean IoU {score:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
