"""Do windows teach as much as a shuffle of everything? Every order, several seeds each.

    python -m tools.orders --seeds 0 1 2      # about three minutes a run on two cores

Runs that the output file already holds are not made again, so that this can be stopped and resumed.
"""

import argparse
import sys
from pathlib import Path

import helpers.quiet  # noqa: F401  (before anything that imports Keras)
from experiments.claims.orders import ORDERS, learn
from experiments.records import NEW, in_a_fresh_process, measure_tables, settings_of
from helpers.workshop import open_workshop


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="0 1 2 by default")
    add("--orders", nargs="+", choices=ORDERS, default=[*ORDERS], help="all by default")
    add("--label", help="what to call the data (where they are from)")
    add("--output", type=Path, default=NEW / "orders_drawn", help="path without suffix")
    chosen = parser.parse_args(arguments)
    workshop = open_workshop().with_fcn()
    about = {
        "data": chosen.label or workshop.settings.source,
        "backbone": workshop.settings.backbone,
        "settings": settings_of(workshop.geometry),
    }
    to_do = ("order", "seed"), chosen.orders, chosen.seeds
    for run in measure_tables(chosen.output, about, in_a_fresh_process(learn, workshop), *to_do):
        score = run["rows"][-1]["mean_iou"]
        print(f"{run['order']:<18} seed {run['seed']}: mean IoU {score:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
