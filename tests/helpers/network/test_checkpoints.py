"""A run's folder: what is written when, what resumes, what is refused, and what a crash leaves."""

import shutil
from contextlib import suppress
from dataclasses import asdict
from functools import partial

import keras
import numpy as np
import pytest

from helpers import files
from helpers.files import read_json, write_json
from helpers.network import ScoreHoldout, build_fcn, compile_fcn, resume
from helpers.network.checkpoints import FILES, SaveRounds
from helpers.workshop import finite_data
from tests.support import (
    BOX_SIZE,
    assert_same_state,
    fit_rounds,
    index_of_boxes,
    subset_of_boxes,
    two_convolutions,
)

STEPS = 6  # of each round


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return index_of_boxes(tmp_path_factory.mktemp("boxes"))


@pytest.fixture(scope="module")
def model():
    """A network for all the tests to which its weights do not matter: it is traced once."""
    return with_optimizer(two_convolutions())


@pytest.fixture
def folder(one_round, tmp_path):
    """The folder of a run that was stopped after its first round, whose score was 0.1."""
    return shutil.copytree(one_round, tmp_path / "run")


@pytest.fixture(scope="module")
def one_round(index, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("one") / "round"
    train(index, folder, model, Told([0.1]), epochs=1)
    return folder


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    yield
    from tensorflow.python.framework import config

    config.disable_op_determinism()


def with_optimizer(model):
    """The same model; its optimizer has its variables, so that they can be saved and loaded."""
    model.optimizer.build(model.trainable_variables)
    return model


class Told(keras.callbacks.Callback):
    """Puts a score of each round into the logs; None puts none."""

    def __init__(self, scores, name="val_mean_iou"):
        super().__init__()
        self.told, self.name = scores, name

    def on_epoch_end(self, epoch, logs=None):
        if self.told[epoch] is not None:
            logs[self.name] = self.told[epoch]


class StopIn(keras.callbacks.Callback):
    """Ends `fit`, or raises `error`, in the second step of a round."""

    def __init__(self, round_, error=None):
        super().__init__()
        self.round, self.error, self.now = round_, error, None

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.round and batch == 1:
            if self.error:
                raise self.error
            self.model.stop_training = True


def train(index, folder, model, *callbacks, first=0, augment=None, changes=None, save=None,
          **options):  # fmt: skip
    """`fit` on the boxes with `SaveRounds`, last of the callbacks; returns the rounds on disk.

    `changes` are of the geometry, `save` is for `SaveRounds`, `options` for `fit`.
    """
    with subset_of_boxes(index, augment, **changes or {}) as subset:
        save_rounds = SaveRounds(folder, subset, **save or {})
        fit_rounds(model, subset, *callbacks, save_rounds, first=first, **options)
    return rounds_in(folder)


def resumed(index, folder, model, augment=None, **changes):
    with subset_of_boxes(index, augment, **changes) as subset:
        return resume(model, folder, subset)


def go_on(index, folder, model, *callbacks, **arguments):
    first = resumed(index, folder, model, **arguments.get("changes", {}))
    return train(index, folder, model, *callbacks, first=first, **arguments)


def rounds_in(folder):
    return read_json(folder / "history.json")["rounds"]


def numbers_of(rounds):
    return [row["round"] for row in rounds]


def content_of(folder):
    """Every file of a folder, with its time."""
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


def steps_in(file):
    """The steps that the optimizer of a saved model has counted."""
    return int(keras.saving.load_model(file).optimizer.iterations)


@pytest.mark.slow
def test_after_every_round_it_is_on_disk(index, model, tmp_path):
    seen = []

    def look(epoch, logs):
        rounds = rounds_in(tmp_path)
        assert {file.name for file in tmp_path.iterdir()} == set(FILES)
        assert rounds[-1] == {"round": epoch + 1, **logs, "seconds": rounds[-1]["seconds"]}
        assert set(logs) == {"loss", "accuracy", "val_mean_iou"}
        assert_same_state(keras.saving.load_model(tmp_path / "last.keras"), model)
        seen.append((numbers_of(rounds), (tmp_path / "state.json").stat().st_mtime_ns))

    with subset_of_boxes(index) as subset:
        look_in = keras.callbacks.LambdaCallback(on_epoch_end=look)
        save = SaveRounds(tmp_path, subset)
        fit_rounds(model, subset, Told([0.1, 0.2, 0.1]), save, look_in, epochs=3)
    assert [numbers for numbers, _ in seen] == [[1], [1, 2], [1, 2, 3]]
    assert len({time for _, time in seen}) == 1


NAN = float("nan")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "scores", "best"),
    [
        ("max", [0.2, 0.5, 0.5, 0.1], 2),
        ("min", [0.5, 0.2, 0.2, 0.3], 2),
        ("max", [NAN, 0.3, NAN], 2),
        ("min", [NAN, 0.3, NAN], 2),
        ("max", [NAN, NAN], 1),
        ("max", [None, 0.2, 0.1], 2),
        ("max", [None], None),
    ],
)
def test_best_is_the_first_round_with_the_best_score(index, model, tmp_path, mode, scores, best):
    before = int(model.optimizer.iterations)
    save = {"monitor": "val_own", "mode": mode}
    train(index, tmp_path, model, Told(scores, "val_own"), save=save, epochs=len(scores))
    file = tmp_path / "best.keras"
    found = (steps_in(file) - before) // STEPS if file.exists() else None
    assert found == best


def scored(index):
    return ScoreHoldout(finite_data(index[16:], BOX_SIZE, 4))


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """A file with the first weights of the runs that are compared."""
    file = tmp_path_factory.mktemp("first") / "first.keras"
    with_optimizer(two_convolutions()).save(file)
    return file


@pytest.fixture(scope="module")
def whole(index, model, untrained, tmp_path_factory):
    """The folder of a run without a stop."""
    folder = tmp_path_factory.mktemp("whole")
    model.load_weights(untrained)
    train(index, folder, model, scored(index))
    return folder


def assert_same_run(folder, other):
    for name in ("last.keras", "best.keras"):
        assert_same_state(*(keras.saving.load_model(f / name) for f in (folder, other)))
    one, same = ([{**row, "seconds": 0} for row in rounds_in(f)] for f in (folder, other))
    assert one == same


@pytest.mark.slow
@pytest.mark.parametrize(
    ("done", "stop"),
    [(1, None), (2, StopIn(2)), (2, StopIn(2, KeyboardInterrupt()))],
    ids=["after round 1", "stop_training", "interrupt"],
)
def test_a_stopped_and_resumed_run_ends_like_one_without_a_stop(
    index, model, untrained, whole, tmp_path, done, stop
):
    model.load_weights(untrained)
    callbacks = [scored(index), *([stop] if stop else [])]
    with suppress(KeyboardInterrupt):
        train(index, tmp_path, model, *callbacks, epochs=4 if stop else done)
    assert numbers_of(rounds_in(tmp_path)) == [*range(1, done + 1)]
    for variable in model.variables + model.optimizer.variables:
        variable.assign(variable + 1)  # all must come from the folder, Dropout's seeds too
    go_on(index, tmp_path, model, scored(index))
    assert_same_run(whole, tmp_path)


def test_every_round_has_seeds_of_its_own(index, model, tmp_path):
    seeds = []

    def look(epoch, logs):
        seeds.extend(v.numpy().tobytes() for v in model.variables if v.name.startswith("seed_"))

    with subset_of_boxes(index) as subset:
        look_in = keras.callbacks.LambdaCallback(on_epoch_begin=look)
        fit_rounds(model, subset, SaveRounds(tmp_path, subset), look_in)
    assert len(seeds) == len({*seeds}) == 4


@pytest.mark.slow
def test_the_real_network_resumes_bit_by_bit(index, tmp_path):
    one, two, other = (compile_fcn(build_fcn(2, (*BOX_SIZE, 3), seed=seed)) for seed in (1, 1, 9))
    train(index, tmp_path / "whole", one, scored(index))
    train(index, tmp_path / "parts", two, scored(index), epochs=2)
    go_on(index, tmp_path / "parts", other, scored(index))
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_resume_believes_the_weights_not_a_newer_history(index, model, folder):
    older, steps = (folder / "last.keras").read_bytes(), steps_in(folder / "last.keras")
    go_on(index, folder, model, epochs=2)
    (folder / "last.keras").write_bytes(older)  # killed between history.json and last.keras
    assert resumed(index, folder, model) == 1
    rounds = train(index, folder, model, first=1, epochs=3)
    assert numbers_of(rounds) == [1, 2, 3]
    assert steps_in(folder / "last.keras") == steps + 2 * STEPS


def test_a_network_that_was_trained_before_resumes(index, model, tmp_path):
    model.optimizer.iterations.assign(7)
    train(index, tmp_path, model, epochs=2)
    assert resumed(index, tmp_path, two_convolutions()) == 2
    assert numbers_of(train(index, tmp_path, model, first=2)) == [1, 2, 3, 4]
    assert steps_in(tmp_path / "last.keras") == 7 + 4 * STEPS
    assert resumed(index, tmp_path, model) == 4


def test_without_a_finished_round_there_is_nothing_to_resume(index, model, tmp_path):
    assert resumed(index, tmp_path / "none", model) == 0
    with pytest.raises(KeyboardInterrupt):
        train(index, tmp_path, model, StopIn(0, KeyboardInterrupt()))
    assert resumed(index, tmp_path, model) == 0


@pytest.mark.slow
@pytest.mark.parametrize("stopped_after", [None, 1, 2])
def test_patience_is_counted_from_the_history(index, model, tmp_path, stopped_after):
    told, patient = Told([0.5, 0.4, 0.5]), {"save": {"patience": 2}}
    if stopped_after:
        train(index, tmp_path, model, told, epochs=stopped_after, **patient)
        rounds = go_on(index, tmp_path, model, told, **patient)
    else:
        rounds = train(index, tmp_path, model, told, **patient)
    assert numbers_of(rounds) == [1, 2, 3]
    told.told.append(0.6)
    assert numbers_of(go_on(index, tmp_path, model, told, save={"patience": 3})) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "changes", [{}, {"batch_size": 10, "passes": 1}], ids=["six steps", "one step"]
)
def test_a_run_without_patience_left_stays_as_it_is(index, model, tmp_path, changes):
    told, patient = Told([0.5, 0.4, 0.6]), {"changes": changes, "save": {"patience": 1}}
    train(index, tmp_path, model, told, **patient)
    before = content_of(tmp_path)
    assert numbers_of(go_on(index, tmp_path, model, told, **patient)) == [1, 2]
    assert content_of(tmp_path) == before
    assert_same_state(keras.saving.load_model(tmp_path / "last.keras"), model)


def test_a_finished_run_stays_as_it_is(index, model, tmp_path):
    told, patient = Told([0.1, 0.2, 0.3, 0.4]), {"save": {"patience": 1}}
    train(index, tmp_path, model, told, **patient)
    before = content_of(tmp_path)
    assert numbers_of(go_on(index, tmp_path, model, told, **patient)) == [1, 2, 3, 4]
    assert content_of(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps_per_epoch": None}, "with steps_per_epoch=subset.steps_per_round, here 6; it is N"),
        ({"steps_per_epoch": 5}, "with steps_per_epoch=subset.steps_per_round, here 6; it is 5"),
        ({"first": 2}, r"holds 1 rounds, .*initial_epoch=2: take what resume\(model, folder, su"),
        ({"first": 1, "changes": {"seed": 6}}, "seed was 5, is 6"),
    ],
)
def test_a_fit_that_does_not_fit_is_refused_at_its_start(index, model, folder, options, message):
    before = content_of(folder)
    with pytest.raises(ValueError, match=message):
        train(index, folder, model, **options)
    assert content_of(folder) == before


def test_a_fit_that_begins_at_step_0_again_is_refused(index, model, folder):
    before = content_of(folder)
    with subset_of_boxes(index) as subset:
        fit_rounds(model, subset)  # what was asked before must not count
        done = resume(model, folder, subset)
        hint = r"Round 2 was .* other steps .* subset\.from_round\(1\) and initial_epoch=1"
        with pytest.raises(ValueError, match=hint):
            save = SaveRounds(folder, subset)
            fit_rounds(model, subset, save, x=subset, initial_epoch=done)
    assert content_of(folder) == before


def test_rounds_of_one_step_do_not_hide_a_fit_from_step_0(index, model, tmp_path):
    short = {"batch_size": 16, "passes": 1}
    train(index, tmp_path, model, epochs=1, changes=short)
    with subset_of_boxes(index, **short) as subset:
        assert subset.steps_per_round == 1 and resume(model, tmp_path, subset) == 1
        with pytest.raises(ValueError, match="other steps than its own"):
            save = SaveRounds(tmp_path, subset)
            fit_rounds(model, subset, save, x=subset, initial_epoch=1)


def test_more_epochs_than_rounds_are_refused(index, model, tmp_path):
    with pytest.raises(ValueError, match=r"no round 5: fit with epochs=subset\.n_rounds, here 4"):
        train(index, tmp_path, model, epochs=6)
    assert numbers_of(rounds_in(tmp_path)) == [1, 2, 3, 4]


def test_resume_refuses_another_geometry(index, model, folder):
    changes = {
        "n_images": 15, "window": 8, "stride": 3, "size": (16, 48), "batch_size": 5, "passes": 3,
        "seed": 6, "shuffle": False, "tail": True,
    }  # fmt: skip
    with subset_of_boxes(index) as subset:
        before = asdict(subset.geometry)
    with pytest.raises(ValueError, match="other images") as error:
        resumed(index, folder, model, **changes)
    for name, old in before.items():
        old, new = (list(n) if name == "size" else n for n in (old, changes[name]))
        assert f"{name} was {old}, is {new}" in str(error.value)


def test_resume_refuses_other_images_and_another_network(index, model, folder):
    with pytest.raises(ValueError, match=r"set-up \(other images\): restore it"):
        resumed(index[np.r_[1:16, 0]], folder, model)
    with pytest.raises(ValueError, match=r"set-up \(other network\): restore it"):
        resumed(index, folder, compile_fcn(build_fcn(2, (*BOX_SIZE, 3))))


class Scaled:
    """An augmentation with neither a name nor a `repr` of its own."""

    def __call__(self, images, masks, rng):
        return images, masks


def scale(images, masks, rng, by):
    return images // by, masks


def test_resume_refuses_another_augmentation(index, model, tmp_path):
    for name, one, same in (
        ("partial", partial(scale, by=2), partial(scale, by=2)),
        ("object", Scaled(), Scaled()),
    ):
        train(index, tmp_path / name, model, augment=one, epochs=1)
        assert resumed(index, tmp_path / name, model, same) == 1
    with pytest.raises(ValueError, match=r"augment was .*scale.* by=2\), is .* by=3\)"):
        resumed(index, tmp_path / "partial", model, partial(scale, by=3))
    with pytest.raises(ValueError, match=r"augment was .*Scaled.*, is None"):
        resumed(index, tmp_path / "object", model)


@pytest.mark.parametrize("name", ["state.json", "history.json", "last.keras"])
def test_resume_names_a_damaged_or_missing_file(index, model, folder, name):
    file = folder / name
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(ValueError, match=rf"{name} is damaged.*tart afresh"):
        resumed(index, folder, model)
    if name != "last.keras":  # without that one no round is finished
        file.unlink()
        with pytest.raises(ValueError, match=f"{name} is missing: put it back, or start afresh"):
            resumed(index, folder, model)


def test_a_file_with_a_broken_part_is_named(index, model, folder):
    file = folder / "last.keras"
    content = bytearray(file.read_bytes())
    middle = content.index(b"model.weights.h5") + len(content) // 2
    content[middle] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"last\.keras is damaged \(model\.weights\.h5\)"):
        resumed(index, folder, model)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("history.json", {}, r"history\.json holds no rounds: put back"),
        ("history.json", {"rounds": 2}, r"history\.json holds no rounds: put back"),
        ("history.json", [], r"history\.json is not a file of SaveRounds"),
        ("state.json", 7, r"state\.json is not a file of SaveRounds"),
    ],
)
def test_a_file_of_something_else_is_named(index, model, folder, name, content, message):
    write_json(folder / name, content)
    with pytest.raises(ValueError, match=message):
        resumed(index, folder, model)


def test_resume_refuses_another_format(index, model, folder):
    write_json(folder / "state.json", read_json(folder / "state.json") | {"format": 1})
    with pytest.raises(ValueError, match=r"state\.json has the format 1, this code writes 2"):
        resumed(index, folder, model)


def test_resume_refuses_a_history_that_is_behind(index, model, folder):
    write_json(folder / "history.json", {"rounds": []})
    with pytest.raises(ValueError, match=r"history\.json holds fewer rounds than last\.keras"):
        resumed(index, folder, model)


def test_resume_refuses_a_model_from_the_middle_of_a_round(index, model, folder):
    right = steps_in(folder / "last.keras")
    for steps in (right - STEPS, right + 1):
        model.optimizer.iterations.assign(steps)
        model.save(folder / "last.keras")
        with pytest.raises(ValueError, match=r"last\.keras was not saved at the end of a round"):
            resumed(index, folder, model)


def test_bad_arguments_are_refused(index, folder):
    with pytest.raises(ValueError, match="compile it before resume"):
        resumed(index, folder, keras.Sequential([keras.Input((*BOX_SIZE, 3))]))
    with pytest.raises(ValueError, match='mode must be "max" or "min", not \'auto\''):
        SaveRounds(folder, None, mode="auto")
    with pytest.raises(ValueError, match="patience must be None or at least 1, not 0"):
        SaveRounds(folder, None, patience=0)


def test_a_new_run_replaces_an_older_one_and_says_so(index, model, folder, capsys):
    for name in (".last.12.partial.keras", ".history.7.partial.json", "notes.txt"):
        (folder / name).write_text("half", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        train(index, folder, model, StopIn(0, KeyboardInterrupt()))
    assert capsys.readouterr().out == "The run in run begins afresh; its files are replaced.\n"
    assert {file.name for file in folder.iterdir()} == {"state.json", "notes.txt"}
    train(index, folder, model, epochs=1)
    assert capsys.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["best.keras", "history.json", "last.keras"])
def test_a_crash_while_writing_leaves_a_run_that_can_be_resumed(
    index, model, folder, monkeypatch, name
):
    whole = {name: (folder / name).read_bytes() for name in ("last.keras", "best.keras")}
    really_replace, told = files.os.replace, Told([0.1, 0.2, 0.3, 0.4])

    def crash(source, target):
        if target.name == name:
            source.write_bytes(source.read_bytes()[:1000])  # half of it reached the disk
            raise OSError("the machine stopped")
        really_replace(source, target)

    monkeypatch.setattr(files.os, "replace", crash)
    with pytest.raises(OSError, match="the machine stopped"):
        go_on(index, folder, model, told)
    monkeypatch.undo()
    assert (folder / "last.keras").read_bytes() == whole["last.keras"]
    assert ((folder / "best.keras").read_bytes() == whole["best.keras"]) == (name == "best.keras")
    assert numbers_of(go_on(index, folder, model, told)) == [1, 2, 3, 4]
    assert steps_in(folder / "best.keras") == steps_in(folder / "last.keras")
    assert {file.name for file in folder.iterdir()} == set(FILES)
