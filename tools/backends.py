"""The same short training on the backend that KERAS_BACKEND names: score, speed, memory.

    for backend in tensorflow jax torch; do KERAS_BACKEND=$backend python -m tools.backends; done

All of them go into one table. Runs that it holds are not made again.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from helpers.quiet import keras

from experiments.backends import short, train_on_backend  # isort: skip
from experiments.records import NEW, measure_tables, settings_of
from helpers.workshop import open_workshop


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="0 1 2 by default")
    add("--output", type=Path, default=NEW / "backends", help="path without suffix")
    chosen = parser.parse_args(arguments)
    workshop = open_workshop().with_fcn()
    about = {"data": workshop.settings.source, "settings": settings_of(short(workshop.geometry))}
    measure = partial(train_on_backend, workshop)
    to_do = ("backend", "seed"), [keras.backend.backend()], chosen.seeds
    for run in measure_tables(chosen.output, about, measure, *to_do):
        row = run["rows"][0]
        print(
            f"{run['backend']:<11} seed {run['seed']}: mean IoU {row['mean_iou']:.3f}, peak "
            f"{row['peak_mib']:.0f} MiB, {row['images_per_s']:.0f} images/s",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
