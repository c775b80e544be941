"""Train the networks that come with the tutorial, FCN-32s, 16s and 8s, and keep their weights.

Notebook 4 compares the three, so that its readers need not wait for them. Each is trained for 8
rounds on the drawn set of the workshop profile, with the same images in the same order. One that
was made by today's recipe is left as it is. `make outputs` begins with this: a minute for each
network, seconds when there is nothing to do.

    python -m tools.keep_networks [--anew]
"""

import argparse
import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import helpers.quiet as quiet  # before anything that imports Keras
from experiments.records import commit
from helpers.files import read_json
from helpers.network.fcn import STRIDES
from helpers.network.kept import keep, load_kept
from helpers.scoring import evaluate, scores
from helpers.settings import load_settings
from helpers.windows import SlidingSubset, flip_horizontally
from helpers.workshop import Workshop, open_workshop

ROUNDS = 8
TOLERANCE = 0.005  # how far apart the mean IoU with float32 and with float16 weights may be


def keep_networks(workshop: Workshop, folder: Path, rounds: int = ROUNDS, anew=False) -> list[str]:
    """Write fcn32s.npz, fcn16s.npz, fcn8s.npz and networks.json to `folder`; returns those made.

    What is there already and was made by the same recipe stays, unless `anew`. Raises ValueError
    for a network whose scores the weights at half precision change, before it is written.
    """
    made, made_at = [], commit()  # before the first file is written: from then on files differ
    for stride in STRIDES:
        path = folder / f"fcn{stride}s.npz"
        model = _untrained(workshop, stride, rounds)
        recipe = recipe_of(workshop, model, rounds)
        if not anew and _fits(workshop.network(stride=stride), path, recipe):
            continue
        print(f"{path.name}: training for {rounds} rounds", flush=True)
        _train(workshop, model, rounds)
        keep(
            model,
            path,
            class_names=list(workshop.train.class_names),
            rounds=rounds,
            mean_iou=_checked_score(workshop, model),
            keras=f"{quiet.keras.__version__} on {quiet.keras.backend.backend()}",
            commit=made_at,
            recipe=recipe,
        )
        made.append(path.stem)
    return made


def recipe_of(workshop: Workshop, model, rounds: int) -> dict:
    """Everything that decides what comes out of a training, as JSON holds it.

    Digests stand for what is long: the names of the images in their order, and the layers, first
    weights, optimizer and loss as Keras writes them down.
    """
    drawn = workshop.settings.data / "settings.json"
    compiled = model.get_compile_config()
    del compiled["optimizer"]["config"]["name"]  # the second Adam of a process is called adam_1
    recipe = {
        "data": read_json(drawn) if drawn.is_file() else None,
        "images": _digest(b"\n".join(workshop.train.images.tolist())),
        "geometry": asdict(workshop.geometry),
        "rounds": rounds,
        "augment": flip_horizontally.__name__,
        "network": _digest(json.dumps([model.get_config(), compiled]).encode()),
    }
    return json.loads(json.dumps(recipe))


def _untrained(workshop: Workshop, stride: int, rounds: int):
    n_steps = rounds * workshop.geometry.steps_per_round
    return workshop.network(stride=stride, n_steps=n_steps)


def _train(workshop: Workshop, model, rounds: int) -> None:
    with SlidingSubset(workshop.train, workshop.geometry, flip_horizontally) as subset:
        model.fit(
            subset,
            steps_per_epoch=subset.steps_per_round,
            epochs=rounds,
            shuffle=False,
            verbose=2,
        )


def _fits(model, path: Path, recipe: dict) -> bool:
    try:
        return load_kept(model, path)["recipe"] == recipe
    except (FileNotFoundError, ValueError):
        return False


def _checked_score(workshop: Workshop, model) -> float:
    """The mean IoU on the hold-out with weights rounded to float16, which the model then holds."""
    with workshop.holdout_data() as holdout:
        exact = scores(evaluate(model, holdout)).mean_iou
        model.set_weights([weight.astype("float16") for weight in model.get_weights()])
        rounded = scores(evaluate(model, holdout)).mean_iou
    print(f"mean IoU {exact:.4f}, at half precision {rounded:.4f}", flush=True)
    if not abs(exact - rounded) <= TOLERANCE:
        raise ValueError(
            f"{model.name}: half precision changes the mean IoU from {exact:.4f} to {rounded:.4f}, "
            f"more than {TOLERANCE}. Nothing was written."
        )
    return round(rounded, 4)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--anew", action="store_true", help="train all three again")
    options = parser.parse_args(arguments)
    workshop = open_workshop(load_settings({}))
    made = keep_networks(workshop, workshop.kept_networks, anew=options.anew)
    print(f"kept networks: {', '.join(made) if made else 'none'} made anew")
    return 0


if __name__ == "__main__":
    sys.exit(main())
