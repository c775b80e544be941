"""The folder of a training run: what is written after every round, and read to go on from there.

    last.keras      the model after the last finished round, with the optimizer's state
    best.keras      the model of the round with the best hold-out mean IoU
    history.json    {"rounds": [one dict a round]}
    state.json      how the run was set up; written once, at its start

Every file is written under another name and renamed when it is complete: whenever a run is
killed, each of these files is whole.
"""

import hashlib
import re
from dataclasses import asdict
from pathlib import Path

from helpers.files import read_json, remove, replacing, write_json

FILES = ("last.keras", "best.keras", "history.json", "state.json")


def load_history(folder: str | Path) -> list[dict]:
    """The rounds finished so far in a run's folder, one dict each, as `train` returns them.

    Raises FileNotFoundError where no round was finished.

    Notebook 03, "Train, 20 rounds, one window in memory".
    """
    file = Path(folder) / "history.json"
    if not file.is_file():
        raise FileNotFoundError(f"no {file}: no round was finished there, call train first")
    return read_json(file)["rounds"]


def save_round(model, folder: Path, history: dict, best: bool) -> None:
    """Write a run's history and models at the end of a round; best.keras only if `best`."""
    if best:
        with replacing(folder / "best.keras") as file:
            model.save(file)
    # last.keras decides which rounds are finished, so the history must be there before it.
    write_json(folder / "history.json", history)
    with replacing(folder / "last.keras") as file:
        model.save(file)


def start_run(folder: Path, plan: dict) -> dict:
    """Empty the folder of an earlier run's files, half-written ones too; an empty history."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        remove(folder / name)
    write_json(folder / "state.json", plan)
    return {"rounds": []}


def resume_run(model, subset, folder: Path, plan: dict) -> dict:
    """Load the last finished round into `model`; returns the history up to there.

    Without one the run starts afresh. Raises ValueError if it was set up differently, or if the
    folder does not say how, or holds a model from the middle of a round.
    """
    if not (folder / "last.keras").is_file():
        return start_run(folder, plan)
    if not (folder / "state.json").is_file():
        raise ValueError(
            f"{folder / 'state.json'} is missing, so nothing says how the run was set up: put it "
            "back, or train without resume to start afresh"
        )
    _refuse_other_plan(read_json(folder / "state.json"), plan, folder)
    model.optimizer.build(model.trainable_variables)
    model.load_weights(folder / "last.keras")
    # The optimizer counts its steps in the same file as the weights. A number in a second file
    # could be one round behind, if the run was killed between the two.
    done, more = divmod(int(model.optimizer.iterations), subset.geometry.steps_per_round)
    if more:
        raise ValueError(
            f"{folder / 'last.keras'} was not saved at the end of a round: put back the file that "
            "train wrote, or train without resume to start afresh"
        )
    rounds = read_json(folder / "history.json")["rounds"]
    return {"rounds": [row for row in rounds if row["round"] <= done]}


def plan_of(model, subset, holdout) -> dict:
    """What must be the same for a run to be resumed."""
    index = subset.ring.index
    return {
        "model": model.name,
        "image_ids": _hash_of_ids(index),
        "class_names": list(index.class_names),
        "n_holdout": len(holdout),
        "holdout_ids": _hash_of_ids(holdout),
        **asdict(subset.geometry),
        "size": list(subset.geometry.size),
        "augment": subset.augment and _name_of(subset.augment),
    }


def _hash_of_ids(index) -> str:
    """The file names in their order, as 16 hexadecimal digits of a SHA-256."""
    return hashlib.sha256(b"\n".join(index.images.tolist())).hexdigest()[:16]


def _name_of(function) -> str:
    # A functools.partial has no name, and its repr holds an address that changes from run to run.
    return getattr(function, "__qualname__", re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(function)))


def _refuse_other_plan(state: dict, plan: dict, folder: Path) -> None:
    wrong = [f"{k} was {state.get(k)}, is {v}" for k, v in plan.items() if state.get(k) != v]
    if wrong:
        raise ValueError(
            f"the run in {folder} cannot be resumed with other settings ({'; '.join(wrong)}): "
            "restore them, or train without resume to start afresh"
        )
