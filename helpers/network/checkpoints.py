"""The folder of a training run: written after every round, read to go on from there.

    last.keras      the model after the last finished round, with the optimizer's state
    best.keras      the model of the round with the best monitored score, if there is one
    history.json    {"rounds": [one dict a round]}
    state.json      how the run was set up; written once, at its start

Every file is written under another name and renamed when it is complete: whenever a run is
killed, each of these files is whole.
"""

import hashlib
import re
import time
import zipfile
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from helpers.files import read_json, remove, replacing, write_json
from helpers.network import fcn  # noqa: F401 (a saved model names its metric: it must be known)

FILES = ("last.keras", "best.keras", "history.json", "state.json")
FORMAT = 2


class SaveRounds(keras.callbacks.Callback):
    """Saves the model, its optimizer and the history after every round, so that a run can go on.

        model.fit(subset, steps_per_epoch=subset.steps_per_round, epochs=subset.n_rounds,
                  shuffle=False, callbacks=[ScoreHoldout(holdout), SaveRounds(folder, subset)])

    and after an interrupt, a crash or a kill, with a new model of the same kind:

        done = resume(model, folder, subset)
        model.fit(subset.from_round(done), initial_epoch=done, ...)  # the rest as before

    On one type of processor the result is the same, bit for bit, as without the stop. Dropout
    included: every seed generator of the model is set anew at the start of each round, from the
    geometry's seed, the round and its number in the model.

    `monitor` is the name in the logs by which best.keras is chosen, `mode` "max" or "min". With
    `patience` the training ends after so many rounds without a better one, counted from the
    history, so that a resumed run stops where an uninterrupted one does.

    A `fit` whose first epoch is 0 begins the folder afresh; a printed line says so if a run lies
    there. Raises ValueError for a `fit` whose epochs are not rounds of `subset`, and for a folder
    whose history or set-up does not fit.

    Keras' own `ModelCheckpoint` writes over the file it replaces, so that a crash leaves half of
    one. `EarlyStopping` forgets in a resumed run how long it has waited, and `BackupAndRestore`
    would have to move the data set to the round that it restores.

    Notebook 03, "Train, 20 rounds, one window in memory".
    """

    def __init__(self, folder, subset, monitor="val_mean_iou", mode="max", patience=None):
        super().__init__()
        if mode not in ("max", "min"):
            raise ValueError(f'mode must be "max" or "min", not {mode!r}')
        if patience is not None and patience < 1:
            raise ValueError(f"patience must be None or at least 1, not {patience}")
        self.folder, self.subset, self.patience = Path(folder), subset, patience
        self.seed = subset.geometry.seed  # the model's seed generators are set from it
        self.monitor, self.mode = monitor, mode
        self.rounds = None

    def on_train_begin(self, logs=None):
        if self.params["steps"] != self.subset.steps_per_round:
            raise ValueError(
                "An epoch must be a round: fit with steps_per_epoch=subset.steps_per_round, "
                f"here {self.subset.steps_per_round}; it is {self.params['steps']}."
            )
        self.rounds = None  # the folder is opened when Keras has said its first epoch
        self.asked_before = self.subset.steps_asked.copy()

    def on_epoch_begin(self, epoch, logs=None):
        if self.rounds is None:
            self._open(epoch)
        if self._out_of_patience():
            # Keras looks at this after a step. `on_train_end` takes that one step back.
            self.model.stop_training = True
        states = [v for v in self.model.variables if v.name == "seed_generator_state"]
        for number, state in enumerate(states):
            rng = np.random.default_rng((self.seed, epoch, number))
            state.assign(rng.integers(0, 2**32, state.shape, np.uint32))
        self.steps_before = int(self.model.optimizer.iterations)
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        steps = int(self.model.optimizer.iterations) - self.steps_before
        if steps < self.subset.steps_per_round or self._out_of_patience():
            return  # stopped within the round, or at its first step: only a finished one is saved
        self._refuse_other_steps(epoch)
        row = {"round": epoch + 1} | {name: float(value) for name, value in (logs or {}).items()}
        self.rounds.append(row | {"seconds": time.perf_counter() - self.began})
        if self.monitor in row and self._rounds_since_best() == 0:
            self._save("best.keras")
        # last.keras decides which rounds are finished, so the history must be there before it.
        write_json(self.folder / "history.json", {"rounds": self.rounds})
        self._save("last.keras")
        if self._out_of_patience():
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.rounds and self._out_of_patience():
            _load(self.model, self.folder / "last.keras")

    def _out_of_patience(self) -> bool:
        return self.patience is not None and self._rounds_since_best() >= self.patience

    def _rounds_since_best(self) -> int:
        sign = 1 if self.mode == "max" else -1
        found = [sign * row[self.monitor] for row in self.rounds if self.monitor in row]
        found = [-np.inf if np.isnan(score) else score for score in found]
        return len(found) - 1 - found.index(max(found)) if found else 0

    def _open(self, epoch: int) -> None:
        """Begin the folder afresh, or take up its history."""
        plan, self.first = _plan_of(self.model, self.subset), epoch
        if epoch == 0:
            self.folder.mkdir(parents=True, exist_ok=True)
            if (self.folder / "last.keras").is_file():
                print(f"The run in {self.folder.name} begins afresh; its files are replaced.")
            for name in FILES:
                remove(self.folder / name)
            self.rounds = []
            start = {"format": FORMAT, "iterations": int(self.model.optimizer.iterations)}
            write_json(self.folder / "state.json", start | plan)
            return
        _refuse_other_plan(_state_of(self.folder), plan, self.folder)
        rounds = _rounds_of(self.folder)
        if len(rounds) < epoch:
            raise ValueError(
                f"{self.folder / 'history.json'} holds {len(rounds)} rounds, so a fit cannot begin "
                f"with initial_epoch={epoch}: take what resume(model, folder, subset) returns."
            )
        self.rounds = rounds[:epoch]

    def _refuse_other_steps(self, epoch: int) -> None:
        """Was the data set asked for this round's steps, or did Keras begin at step 0 again?"""
        if epoch >= self.subset.n_rounds:
            raise ValueError(
                f"There is no round {epoch + 1}: fit with epochs=subset.n_rounds, "
                f"here {self.subset.n_rounds}."
            )
        asked = self.subset.steps_asked - self.asked_before
        if asked[epoch] < self.subset.steps_per_round or asked[: self.first].any():
            raise ValueError(
                f"Round {epoch + 1} was trained on other steps than its own: fit with "
                f"subset.from_round({epoch}) and initial_epoch={epoch}, or both from 0."
            )

    def _save(self, name: str) -> None:
        with replacing(self.folder / name) as file:
            self.model.save(file)


def resume(model: keras.Model, folder, subset) -> int:
    """Load the last finished round into a compiled model; returns the round to go on from.

    0 where no round was finished. Weights and optimizer come from last.keras. Raises ValueError,
    in words, if the run was set up differently (images, geometry, augmentation, network), or if a
    file is damaged, missing or of another format.

    Notebook 03, "Train, 20 rounds, one window in memory".
    """
    folder = Path(folder)
    last = folder / "last.keras"
    if not model.compiled:
        raise ValueError("The model is not compiled: compile it before resume.")
    if not last.is_file():
        return 0
    state = _state_of(folder)
    _refuse_other_plan(state, _plan_of(model, subset), folder)
    _load(model, last)
    # The optimizer counts its steps in the same file as the weights. A number in a second file
    # could be one round behind, if the run was killed between the two.
    steps = int(model.optimizer.iterations) - state["iterations"]
    done, more = divmod(steps, subset.steps_per_round)
    if more or done < 1:
        raise ValueError(
            f"{last} was not saved at the end of a round: put back the file that SaveRounds "
            "wrote, or start afresh in another folder."
        )
    if len(_rounds_of(folder)) < done:
        raise ValueError(
            f"{folder / 'history.json'} holds fewer rounds than {last.name}: put back the file "
            "that SaveRounds wrote, or start afresh in another folder."
        )
    return done


def _load(model: keras.Model, file: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile:
        damaged = "it is no .keras file"
    if damaged:
        raise ValueError(f"{file} is damaged ({damaged}). Start afresh in another folder.")
    model.optimizer.build(model.trainable_variables)
    model.load_weights(file)


def _rounds_of(folder: Path) -> list[dict]:
    history = _read(folder / "history.json")
    if not isinstance(history.get("rounds"), list):
        raise ValueError(
            f"{folder / 'history.json'} holds no rounds: put back the file that SaveRounds wrote, "
            "or start afresh in another folder."
        )
    return history["rounds"]


def _state_of(folder: Path) -> dict:
    state = _read(folder / "state.json")
    if state.get("format") != FORMAT:
        raise ValueError(
            f"{folder / 'state.json'} has the format {state.get('format')}, this code writes "
            f"{FORMAT}: finish that run with the code that began it, or start afresh."
        )
    return state


def _read(file: Path) -> dict:
    try:
        content = read_json(file)
    except FileNotFoundError:
        raise ValueError(f"{file} is missing: put it back, or start afresh.") from None
    except ValueError as error:
        raise ValueError(f"{file} is damaged ({error}): put it back, or start afresh.") from None
    if not isinstance(content, dict):
        raise ValueError(f"{file} is not a file of SaveRounds: put it back, or start afresh.")
    return content


def _plan_of(model: keras.Model, subset) -> dict:
    """What must be the same for a run to be resumed."""
    layers = [type(layer).__name__ for layer in model.layers]
    shapes = [list(weight.shape) for weight in model.weights]
    return {
        "network": _digest(f"{layers} {shapes}"),
        "images": _digest(b"\n".join(subset.index.images.tolist())),
        "class_names": list(subset.index.class_names),
        **asdict(subset.geometry),
        "size": list(subset.geometry.size),
        "augment": subset.augment and _name_of(subset.augment),
    }


def _digest(text) -> str:
    text = text.encode() if isinstance(text, str) else text
    return hashlib.sha256(text).hexdigest()[:16]


def _name_of(function) -> str:
    # A functools.partial has no name, and its repr holds an address that changes from run to run.
    return getattr(function, "__qualname__", re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(function)))


DIGESTS = ("network", "images")  # which differ in a way that no number shows


def _refuse_other_plan(state: dict, plan: dict, folder: Path) -> None:
    wrong = [
        f"other {name}" if name in DIGESTS else f"{name} was {state.get(name)}, is {value}"
        for name, value in plan.items()
        if state.get(name) != value
    ]
    if wrong:
        raise ValueError(
            f"The run in {folder} cannot go on with another set-up ({'; '.join(wrong)}): restore "
            "it, or start afresh in another folder."
        )
