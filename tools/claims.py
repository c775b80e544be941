"""`make claims`, `make claims-voc`: the article's schedule put to the test, several seeds.

    python -m tools.claims                                   # the drawn set, over an hour
    TUTORIAL_DATA=... TUTORIAL_WEIGHTS=... python -m tools.claims --voc
    TUTORIAL_PROFILE=full TUTORIAL_WEIGHTS=imagenet python -m tools.claims --voc

Runs that the output file already holds are not made again: this can be stopped and resumed.
"""

import argparse
import sys
from pathlib import Path

import helpers.quiet  # noqa: F401  (before anything that imports Keras)
from experiments.claims.variants import VALIDATION_SHARE, VARIANTS, batch_size_of, run_variant
from experiments.records import NEW, measure_runs, settings_of
from helpers.workshop import Workshop, open_workshop


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--voc", action="store_true", help="photographs, and two of the variants")
    add("--variants", nargs="+", choices=VARIANTS, help="all by default, two with --voc")
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="0 1 2 by default")
    add("--label", help="what to call the data (where they are from)")
    add("--output", type=Path, help="in build/results by default")
    chosen = parser.parse_args(arguments)
    variants = chosen.variants or (["article", "honest"] if chosen.voc else VARIANTS)
    output = chosen.output or NEW / ("voc2012_claims.json" if chosen.voc else "claims.json")
    workshop = open_workshop()
    if chosen.voc and workshop.settings.source in ("shapes", "tiny"):
        parser.error(
            "--voc is for photographs: give your VOC2012 folder in TUTORIAL_DATA, or run "
            "`make voc` and set TUTORIAL_PROFILE=full"
        )
    about = about_claims(workshop, chosen.label or workshop.settings.source)
    to_do = workshop, "variant", variants, chosen.seeds
    for run in measure_runs(output, about, run_variant, *to_do):
        print(f"{run['variant']:<12} seed {run['seed']}: {last_round(run)}", flush=True)
    return 0


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
    last = run["rounds"][-1]
    names = ("split", "holdout_parts", "holdout", "first_window")
    return "mean IoU " + ", ".join(f"{name} {last[name]['mean_iou']:.3f}" for name in names)


if __name__ == "__main__":
    sys.exit(main())
