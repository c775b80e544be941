"""Training over windows: history, files, resuming bit by bit, stopping, interrupts."""

import dataclasses
import json
from functools import partial

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import run_folder, training
from helpers.dataset import index_folder
from helpers.fcn import build_fcn, compile_fcn
from helpers.iou import evaluate, scores
from helpers.run_folder import replacing
from helpers.subsets import SlidingSubset
from helpers.training import Holdout, load_history, train

SIZE = (32, 32)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """22 pictures with a bright box; rows 0 to 15 are for training, the rest is held out."""
    folder = tmp_path_factory.mktemp("boxes")
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for i in range(22):
        image = rng.integers(0, 80, (*SIZE, 3), dtype=np.uint8)
        mask = np.zeros(SIZE, np.uint8)
        top, left = rng.integers(0, 16, 2)
        mask[top : top + 16, left : left + 16] = 1
        image[mask == 1] += 120
        mask[0] = 255
        Image.fromarray(image).save(folder / "images" / f"{i:02}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{i:02}.png")
    return index_folder(folder / "images", folder / "masks", ["background", "box"])


@pytest.fixture
def deterministic():
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    yield
    from tensorflow.python.framework import config

    config.disable_op_determinism()


def new_model(learning_rate=1e-3, seed=1, name="two_convolutions"):
    """Two convolutions: what is tested is the training around the network."""
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, padding="same", kernel_initializer=initial(seed)),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Conv2D(2, 3, padding="same", kernel_initializer=initial(seed)),
        ],
        name=name,
    )
    return compile_fcn(model, learning_rate)


def initial(seed):
    return keras.initializers.GlorotUniform(seed)


def new_subset(index, **changes):
    """Four rounds of two epochs: windows 0-10, 2-12, 4-14 and 6-16, in batches of 4, 4 and 2."""
    arguments = {"batch_size": 4, "epochs_per_round": 2, "seed": 5} | changes
    return SlidingSubset(index[:16], 10, 2, SIZE, **arguments)


def run(index, folder, model=None, subset_changes=None, **arguments):
    model = model or new_model()
    with new_subset(index, **(subset_changes or {})) as subset:
        rounds = train(model, subset, index[16:], folder, progress=False, **arguments)
    return model, rounds


def state_of(model):
    return [np.asarray(v) for v in (*model.variables, *model.optimizer.variables)]


def assert_same_state(one, other):
    for ours, theirs in zip(state_of(one), state_of(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def epochs_of(folder):
    return json.loads((folder / "history.json").read_text(encoding="utf-8"))["epochs"]


class InterruptAt(keras.callbacks.Callback):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.at, self.now = epoch, None

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.at and batch == 1:
            raise KeyboardInterrupt


def test_history_has_every_round_and_every_epoch(index, tmp_path):
    model, rounds = run(index, tmp_path)
    assert [(row["round"], row["epoch"]) for row in rounds] == [(1, 2), (2, 4), (3, 6), (4, 8)]
    scored = {"holdout_pixel_accuracy", "holdout_mean_iou"}
    keys = {"round", "epoch", "loss", "accuracy", "seconds", "peak_rss_bytes"} | scored
    assert all(set(row) == keys for row in rounds)
    assert load_history(tmp_path) == rounds
    epochs = epochs_of(tmp_path)
    assert [(row["round"], row["epoch"]) for row in epochs] == [
        (1, 1), (1, 2), (2, 3), (2, 4), (3, 5), (3, 6), (4, 7), (4, 8)
    ]  # fmt: skip
    assert [row["loss"] for row in epochs[1::2]] == [row["loss"] for row in rounds]
    assert epochs[-1]["loss"] < epochs[0]["loss"]
    assert int(model.optimizer.iterations) == 4 * 2 * 3


def test_scores_and_files_are_those_of_the_hold_out(index, tmp_path):
    model, rounds = run(index, tmp_path)
    found = scores(evaluate(model, index[16:], SIZE))
    assert rounds[-1]["holdout_mean_iou"] == found.mean_iou
    assert rounds[-1]["holdout_pixel_accuracy"] == found.pixel_accuracy
    best = keras.saving.load_model(tmp_path / "best.keras")
    best_iou = scores(evaluate(best, index[16:], SIZE)).mean_iou
    assert best_iou == max(row["holdout_mean_iou"] for row in rounds)
    assert_same_state(keras.saving.load_model(tmp_path / "last.keras"), model)


def test_a_hold_out_read_again_each_time_scores_the_same(index, monkeypatch):
    model = new_model()
    kept = Holdout(index[16:], SIZE)
    monkeypatch.setattr(training, "HOLDOUT_BYTES", 0)
    streamed = Holdout(index[16:], SIZE)
    assert kept.arrays is not None
    assert streamed.arrays is None
    assert kept.scores(model, 4).mean_iou == streamed.scores(model, 4).mean_iou


def test_stop_and_resume_end_bit_equal(index, tmp_path, deterministic):
    # The real network here. The last model has other first weights: all comes from the folder.
    one, two, other = (compile_fcn(build_fcn(2, (*SIZE, 3), seed=seed)) for seed in (1, 1, 9))
    whole, rounds = run(index, tmp_path / "whole", one)
    _, first = run(index, tmp_path / "parts", two, stop_after_round=1)
    assert len(first) == 1
    resumed, rest = run(index, tmp_path / "parts", other, resume=True)
    assert_same_state(whole, resumed)
    for ours, theirs in zip(rounds, rest, strict=True):
        for key in ("round", "epoch", "loss", "accuracy", "holdout_mean_iou"):
            assert ours[key] == theirs[key]


def test_interrupt_keeps_the_finished_rounds_and_resume_goes_on(index, tmp_path, deterministic):
    whole, _ = run(index, tmp_path / "whole")
    folder = tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):
        run(index, folder, callbacks=[InterruptAt(epoch=5)])
    assert [row["round"] for row in load_history(folder)] == [1, 2]
    resumed, rounds = run(index, folder, new_model(seed=9), resume=True)
    assert [row["round"] for row in rounds] == [1, 2, 3, 4]
    assert [row["epoch"] for row in epochs_of(folder)] == list(range(1, 9))
    assert_same_state(whole, resumed)


def test_resume_believes_the_weights_not_the_newer_history(index, tmp_path):
    run(index, tmp_path, stop_after_round=1)
    older = (tmp_path / "last.keras").read_bytes()
    run(index, tmp_path, stop_after_round=2, resume=True)
    (tmp_path / "last.keras").write_bytes(older)  # killed between history.json and last.keras
    model, rounds = run(index, tmp_path, stop_after_round=3, resume=True)
    assert [row["round"] for row in rounds] == [1, 2, 3]
    assert int(model.optimizer.iterations) == 3 * 2 * 3


def test_resume_of_nothing_starts_and_of_a_finished_run_does_nothing(index, tmp_path):
    _, rounds = run(index, tmp_path, resume=True)
    assert len(rounds) == 4
    before = (tmp_path / "last.keras").read_bytes()
    model, again = run(index, tmp_path, resume=True)
    assert again == rounds
    assert (tmp_path / "last.keras").read_bytes() == before
    assert int(model.optimizer.iterations) == 4 * 2 * 3


def test_without_resume_the_earlier_run_is_gone(index, tmp_path):
    run(index, tmp_path, stop_after_round=2)
    with pytest.raises(KeyboardInterrupt):
        run(index, tmp_path, callbacks=[InterruptAt(epoch=0)])
    assert not (tmp_path / "last.keras").exists()
    with pytest.raises(FileNotFoundError, match="no round was finished"):
        load_history(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"seed": 6}, "seed was 5, is 6"), ({"batch_size": 5}, "batch_size was 4, is 5")],
)
def test_resume_refuses_other_settings(index, tmp_path, changes, message):
    run(index, tmp_path, stop_after_round=1)
    with pytest.raises(ValueError, match=message):
        run(index, tmp_path, subset_changes=changes, resume=True)


def test_resume_refuses_other_data_of_the_same_size(index, tmp_path):
    run(index, tmp_path, stop_after_round=1)
    shifted = np.roll(np.arange(16), 1)
    for rows, message in (
        (np.r_[shifted, 16:22], "image_ids was"),
        (np.r_[:16, 17:22, 16], "holdout_ids was"),
    ):
        other = index[rows]
        with pytest.raises(ValueError, match=message):
            run(other, tmp_path, resume=True)


def test_resume_refuses_another_network(index, tmp_path):
    fcn16, fcn8 = (compile_fcn(build_fcn(2, (*SIZE, 3), stride=stride)) for stride in (16, 8))
    run(index, tmp_path, fcn8, stop_after_round=1)
    with pytest.raises(ValueError, match="model was fcn8s_small, is fcn16s_small"):
        run(index, tmp_path, fcn16, resume=True)


class Scaled:
    """An augmentation with neither a name nor a `repr` of its own."""

    def __call__(self, images, masks, rng):
        return images, masks


def scale(images, masks, rng, by):
    return images // by, masks


def test_resume_with_an_augmentation_without_a_name(index, tmp_path):
    for name, one, same in (
        ("partial", partial(scale, by=2), partial(scale, by=2)),
        ("object", Scaled(), Scaled()),
    ):
        run(index, tmp_path / name, subset_changes={"augment": one}, stop_after_round=1)
        changes = {"augment": same}
        _, rounds = run(
            index, tmp_path / name, subset_changes=changes, stop_after_round=2, resume=True
        )
        assert len(rounds) == 2
    with pytest.raises(ValueError, match=r"augment was .*scale.* by=2\), is .* by=3\)"):
        other = {"augment": partial(scale, by=3)}
        run(index, tmp_path / "partial", subset_changes=other, resume=True)


def test_resume_without_the_state_says_what_to_do(index, tmp_path):
    run(index, tmp_path, stop_after_round=1)
    (tmp_path / "state.json").unlink()
    with pytest.raises(ValueError, match=r"state\.json is missing.* train without resume"):
        run(index, tmp_path, resume=True)
    assert (tmp_path / "last.keras").is_file()


def test_resume_from_the_middle_of_a_round_says_what_to_do(index, tmp_path):
    model, _ = run(index, tmp_path, stop_after_round=1)
    model.optimizer.iterations.assign(7)
    model.save(tmp_path / "last.keras")
    with pytest.raises(ValueError, match=r"last\.keras was not saved .* train without resume"):
        run(index, tmp_path, resume=True)


def test_a_new_run_deletes_half_written_files(index, tmp_path):
    for name in ("last.partial.keras", "history.partial.json", "notes.txt"):
        (tmp_path / name).write_text("half", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        run(index, tmp_path, callbacks=[InterruptAt(epoch=0)])
    assert {file.name for file in tmp_path.iterdir()} == {"state.json", "notes.txt"}


def test_patience_counts_rounds_without_a_better_score(index, tmp_path, monkeypatch):
    ious = iter([0.5, 0.4, 0.5, 0.6])
    anything = scores(np.eye(2))

    def next_score(*_):
        return dataclasses.replace(anything, mean_iou=next(ious))

    monkeypatch.setattr(Holdout, "scores", next_score)
    _, rounds = run(index, tmp_path, patience=2)
    assert [row["holdout_mean_iou"] for row in rounds] == [0.5, 0.4, 0.5]
    _, again = run(index, tmp_path, patience=2, resume=True)
    assert again == rounds
    _, more = run(index, tmp_path, patience=3, resume=True)
    assert len(more) == 4


def test_bad_arguments_are_refused(index, tmp_path):
    with pytest.raises(ValueError, match="compile_fcn"):
        run(index, tmp_path, keras.Sequential([keras.Input((*SIZE, 3))]))
    for wrong in ({"patience": 0}, {"stop_after_round": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            run(index, tmp_path, **wrong)


def test_callbacks_find_the_hold_out_in_the_logs(index, tmp_path):
    seen = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(logs.get("holdout_mean_iou"))
    )
    _, rounds = run(index, tmp_path, stop_after_round=2, callbacks=[note])
    assert seen == [None, rounds[0]["holdout_mean_iou"], None, rounds[1]["holdout_mean_iou"]]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    file = tmp_path / "history.json"
    file.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), replacing(file) as temporary:
        temporary.write_text("ne", encoding="utf-8")
        raise RuntimeError
    assert file.read_text(encoding="utf-8") == "old"
    with replacing(file) as temporary:
        temporary.write_text("new", encoding="utf-8")
    assert file.read_text(encoding="utf-8") == "new"


def test_a_crash_while_saving_leaves_a_run_that_can_be_resumed(index, tmp_path, monkeypatch):
    run(index, tmp_path, stop_after_round=1)
    whole = {name: (tmp_path / name).read_bytes() for name in ("last.keras", "best.keras")}
    really_replace = run_folder.os.replace

    def crash(source, target):
        if target.suffix == ".keras":
            source.write_bytes(source.read_bytes()[:1000])  # half of it reached the disk
            raise OSError("the machine stopped")
        really_replace(source, target)

    monkeypatch.setattr(run_folder.os, "replace", crash)
    with pytest.raises(OSError, match="the machine stopped"):
        run(index, tmp_path, resume=True)
    monkeypatch.undo()
    for name, content in whole.items():
        assert (tmp_path / name).read_bytes() == content
    _, rounds = run(index, tmp_path, resume=True)
    assert [row["round"] for row in rounds] == [1, 2, 3, 4]
