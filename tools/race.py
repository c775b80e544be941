"""`make race`: six ways to feed a network, turn after turn, a minute of training each.

    python -m tools.race --turns 10                       # the drawn set, an hour and a half
    TUTORIAL_DATA=... python -m tools.race --label photographs --output ...
    make race-monai                                       # beside PyTorch's and MONAI's loaders

Every run has a fresh process, and all six take part in every turn, so that their speeds are
compared within a turn: `experiments/intervals.py` has the interval of such ratios. Runs that the
output holds are not made again: this can be stopped and resumed. Nothing should run beside it.
"""

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

import helpers.quiet  # noqa: F401  (before anything that imports Keras)
from experiments.race.measure import RaceSettings, measure_method
from experiments.records import NEW, measure_tables, settings_of
from helpers.windows import Geometry
from helpers.workshop import Workshop, open_workshop

RUNNERS = (
    "constant_batch",
    "sliding_subset",
    "sliding_subset_reshuffled",
    "uint8_batches",
    "tf_data",
    "grain",
)
# 400 steps: about a minute on two cores.
GEOMETRY = Geometry(n_images=272, window=160, stride=16, size=(128, 128), batch_size=16, passes=5)
# With Keras on PyTorch, and a pre-trained network: 200 steps take about as long.
PEERS = (
    "constant_batch",
    "sliding_subset",
    "uint8_batches",
    "smart_cache",
    "torch_data_loader",
)
PEERS_GEOMETRY = replace(GEOMETRY, n_images=208)


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--turns", type=int, default=10, metavar="N", help="turns in all (default: 10)")
    add("--peers", action="store_true", help="the loaders of PyTorch and MONAI, alone as well")
    add("--label", help="what to call the data (default: where they are from)")
    add("--output", type=Path, help="path without suffix, in build/results by default")
    chosen = parser.parse_args(arguments)
    if chosen.turns < 1:
        parser.error("--turns must be 1 or more")
    workshop, runners, settings = open_workshop(), RUNNERS, RaceSettings(GEOMETRY, load=False)
    if chosen.peers:
        runners, settings = PEERS, RaceSettings(PEERS_GEOMETRY)
    output = chosen.output or NEW / ("race_peers" if chosen.peers else "race_drawn")
    about = {
        "data": chosen.label or workshop.settings.source,
        "backbone": workshop.settings.backbone,
        "settings": settings_of(settings.geometry) | {"seed": settings.geometry.seed},
    }
    measure, keys = partial(measure_turn, workshop, settings), ("method", "turn")
    for turn in range(1, chosen.turns + 1):
        order = np.random.default_rng(turn).permutation(len(runners))  # another one in each turn
        names = [runners[place] for place in order]
        for run in measure_tables(output, about, measure, keys, names, [turn]):
            speed = run["rows"][0]["images_per_s"]
            print(f"turn {turn}, {run['method']:<26} {speed:6.0f} images/s", flush=True)
    return 0


def measure_turn(workshop: Workshop, settings: RaceSettings, method: str, turn: int) -> dict:
    """One run of a method as a table of one row."""
    row = measure_method(method, settings, workshop)
    del row["method"]
    return {"rows": [row]}


if __name__ == "__main__":
    sys.exit(main())
