"""What a head on a MobileNet learns from photographs: each way, several seeds.

    TUTORIAL_DATA=... TUTORIAL_WEIGHTS=... python -m tools.head --seeds 0 1 2 3 4

A run takes ten to fourteen minutes on two cores. Runs that the output already holds are not made
again.
"""

import argparse
import sys
from pathlib import Path

import helpers.quiet  # noqa: F401  (before anything that imports Keras)
from experiments.head import FREQUENT, WAYS, images_per_class, learn_photographs
from experiments.records import NEW, in_a_fresh_process, measure_tables, settings_of
from helpers.workshop import open_workshop


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4], metavar="N", help="0 to 4")
    add("--ways", nargs="+", choices=WAYS, default=[*WAYS], help="all by default")
    add("--label", help="what to call the data (where they are from)")
    add("--output", type=Path, default=NEW / "head_photographs", help="path without suffix")
    chosen = parser.parse_args(arguments)
    workshop = open_workshop()
    if workshop.settings.network != "head":
        parser.error("a head needs a pre-trained MobileNet: set TUTORIAL_WEIGHTS")
    n_images = images_per_class(workshop.train, workshop.size).tolist()
    about = {
        "data": chosen.label or workshop.settings.source,
        "n_train": len(workshop.train),
        "images_per_class": dict(zip(workshop.train.class_names, n_images, strict=True)),
        "frequent_from": FREQUENT,
        "settings": settings_of(workshop.geometry) | {"network_size": workshop.size},
    }
    to_do = ("way", "seed"), chosen.ways, chosen.seeds
    measure = in_a_fresh_process(learn_photographs, workshop)
    for run in measure_tables(chosen.output, about, measure, *to_do):
        row = run["rows"][0]
        print(f"{run['way']:<13} seed {run['seed']}: mean IoU {row['mean_iou']:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
