"""Do windows teach as much as a shuffle of everything? Every order, several seeds each.

    python -m tools.bench_learning --seeds 0 1 2      # about three minutes a run on two cores

Runs that the output file already holds are not made again, so that this can be stopped and resumed.
"""

import argparse
import sys
from pathlib import Path

from helpers.learning import ORDERS, learn
from helpers.results import RESULTS
from helpers.workshop import open_workshop
from tools.report import measure_runs, settings_of


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare what different orders teach.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--orders", nargs="+", choices=ORDERS, metavar="ORDER", default=[*ORDERS])
    parser.add_argument("--label", help="what to call the data (default: where they are from)")
    parser.add_argument("--output", type=Path, default=RESULTS / "learning.json")
    chosen = parser.parse_args(arguments)
    workshop = open_workshop()
    about = {
        "data": chosen.label or workshop.settings.source,
        "body": workshop.settings.body,
        "settings": settings_of(workshop),
    }
    for run in measure_runs(chosen.output, about, learn, "order", chosen.orders, chosen.seeds):
        score = run["scores"][-1]["mean_iou"]
        print(f"{run['order']:<18} seed {run['seed']}: mean IoU {score:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
