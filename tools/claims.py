"""`make claims`, `make claims-voc`: the article's schedule put to the test, several seeds.

    python -m tools.claims                                   # the drawn set
    TUTORIAL_DATA=... TUTORIAL_WEIGHTS=... python -m tools.claims --voc
    TUTORIAL_PROFILE=full TUTORIAL_WEIGHTS=imagenet python -m tools.claims --voc
    TUTORIAL_DATA=... TUTORIAL_WEIGHTS=... python -m tools.claims --sizes   # 110 … 689 photographs

A run takes five minutes on two cores with the drawn set, and ten with photographs. Runs that the
output already holds are not made again: this can be stopped and resumed. What is measured, and how
it will be judged, was written down before: experiments/plan.md.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import helpers.quiet  # noqa: F401  (before anything that imports Keras)
from experiments.claims.variants import (
    SIZES,
    VALIDATION_SHARE,
    VARIANTS,
    batch_size_of,
    run_variant,
)
from experiments.records import NEW, in_a_fresh_process, measure_tables, settings_of
from helpers.data import index_voc
from helpers.workshop import Workshop, open_workshop

VOC_VARIANTS = ("article", "split_once")


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--voc", action="store_true", help="photographs, and two of the variants")
    what.add_argument("--sizes", action="store_true", help="the article over more and more images")
    add("--variants", nargs="+", choices=VARIANTS, help="all by default, two with --voc")
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="0 1 2 by default")
    add("--label", help="what to call the data (where they are from)")
    add("--output", type=Path, help="path without suffix, in build/results by default")
    chosen = parser.parse_args(arguments)
    workshop = open_workshop().with_fcn()
    if (chosen.voc or chosen.sizes) and workshop.settings.source in ("shapes", "tiny"):
        parser.error(
            "--voc and --sizes are for photographs: give your VOC2012 folder in TUTORIAL_DATA, or "
            "run `make voc` and set TUTORIAL_PROFILE=full"
        )
    variants, name = chosen.variants or [*VARIANTS], "claims_drawn"
    if chosen.voc:
        variants, name = chosen.variants or VOC_VARIANTS, "claims_photographs"
    if chosen.sizes:
        workshop, name = with_the_rest(workshop), "claims_sizes"
        variants = [f"size_{n}" for n in SIZES if n <= len(workshop.train)]
    about = about_claims(workshop, chosen.label or workshop.settings.source)
    measure = in_a_fresh_process(run_variant, workshop)
    to_do = ("variant", "seed"), variants, chosen.seeds
    for run in measure_tables(chosen.output or NEW / name, about, measure, *to_do):
        print(f"{run['variant']:<12} seed {run['seed']}: {last_round(run)}", flush=True)
    return 0


def with_the_rest(workshop: Workshop) -> Workshop:
    """The workshop with every image in its training list that the hold-out does not need."""
    lists = [index_voc(workshop.settings.data, split) for split in ("train", "val")]
    held = {pair.id for pair in workshop.holdout}
    rest = lists[1][[row for row, pair in enumerate(lists[1]) if pair.id not in held]]
    return replace(workshop, train=lists[0] + rest)


def about_claims(workshop: Workshop, label: str) -> dict:
    """What must be the same for runs to stand in one file."""
    own = {"batch_size": batch_size_of(workshop), "validation_share": VALIDATION_SHARE}
    return {
        "data": label,
        "n_train": len(workshop.train),
        "n_holdout": len(workshop.holdout),
        "classes": list(workshop.train.class_names),
        "backbone": workshop.settings.backbone,
        "pretrained": workshop.settings.weights is not None,
        "settings": settings_of(workshop.geometry) | own,
    }


def last_round(run: dict) -> str:
    last = run["rows"][-1]
    names = ("split", "holdout_parts", "holdout", "first_window")
    return "mean IoU " + ", ".join(f"{name} {last[f'{name}_mean_iou']:.3f}" for name in names)


if __name__ == "__main__":
    sys.exit(main())
