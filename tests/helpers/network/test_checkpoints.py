"""A run's folder: what resumes, what is refused, and what a crash leaves."""

from functools import partial

import numpy as np
import pytest

from helpers import files
from helpers.network import build_fcn, compile_fcn, load_history
from tests.support import BOX_SIZE, index_of_boxes, interrupt_at, train_on_boxes


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return index_of_boxes(tmp_path_factory.mktemp("boxes"))


def test_resume_believes_the_weights_not_the_newer_history(index, tmp_path):
    train_on_boxes(index, tmp_path, stop_after_round=1)
    older = (tmp_path / "last.keras").read_bytes()
    train_on_boxes(index, tmp_path, stop_after_round=2, resume=True)
    (tmp_path / "last.keras").write_bytes(older)  # killed between history.json and last.keras
    model, rounds = train_on_boxes(index, tmp_path, stop_after_round=3, resume=True)
    assert [row["round"] for row in rounds] == [1, 2, 3]
    assert int(model.optimizer.iterations) == 3 * 2 * 3


def test_without_resume_the_earlier_run_is_gone(index, tmp_path):
    train_on_boxes(index, tmp_path, stop_after_round=2)
    with pytest.raises(KeyboardInterrupt):
        train_on_boxes(index, tmp_path, callbacks=[interrupt_at(0)])
    assert not (tmp_path / "last.keras").exists()
    with pytest.raises(FileNotFoundError, match="no round was finished"):
        load_history(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 6}, "seed was 5, is 6"),
        ({"batch_size": 5}, "batch_size was 4, is 5"),
        ({"passes": 3}, "passes was 2, is 3"),
    ],
)
def test_resume_refuses_other_settings(index, tmp_path, changes, message):
    train_on_boxes(index, tmp_path, stop_after_round=1)
    with pytest.raises(ValueError, match=message):
        train_on_boxes(index, tmp_path, changes=changes, resume=True)


def test_resume_refuses_other_data_of_the_same_size(index, tmp_path):
    train_on_boxes(index, tmp_path, stop_after_round=1)
    shifted = np.roll(np.arange(16), 1)
    for rows, message in (
        (np.r_[shifted, 16:22], "image_ids was"),
        (np.r_[:16, 17:22, 16], "holdout_ids was"),
    ):
        other = index[rows]
        with pytest.raises(ValueError, match=message):
            train_on_boxes(other, tmp_path, resume=True)


def test_resume_refuses_another_network(index, tmp_path):
    fcn16, fcn8 = (compile_fcn(build_fcn(2, (*BOX_SIZE, 3), stride=stride)) for stride in (16, 8))
    train_on_boxes(index, tmp_path, fcn8, stop_after_round=1)
    with pytest.raises(ValueError, match="model was fcn8s_small, is fcn16s_small"):
        train_on_boxes(index, tmp_path, fcn16, resume=True)


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
        train_on_boxes(index, tmp_path / name, augment=one, stop_after_round=1)
        _, rounds = train_on_boxes(
            index, tmp_path / name, augment=same, stop_after_round=2, resume=True
        )
        assert len(rounds) == 2
    with pytest.raises(ValueError, match=r"augment was .*scale.* by=2\), is .* by=3\)"):
        other = partial(scale, by=3)
        train_on_boxes(index, tmp_path / "partial", augment=other, resume=True)


def test_resume_without_the_state_says_what_to_do(index, tmp_path):
    train_on_boxes(index, tmp_path, stop_after_round=1)
    (tmp_path / "state.json").unlink()
    with pytest.raises(ValueError, match=r"state\.json is missing.* train without resume"):
        train_on_boxes(index, tmp_path, resume=True)
    assert (tmp_path / "last.keras").is_file()


def test_resume_from_the_middle_of_a_round_says_what_to_do(index, tmp_path):
    model, _ = train_on_boxes(index, tmp_path, stop_after_round=1)
    model.optimizer.iterations.assign(7)
    model.save(tmp_path / "last.keras")
    with pytest.raises(ValueError, match=r"last\.keras was not saved .* train without resume"):
        train_on_boxes(index, tmp_path, resume=True)


def test_a_new_run_deletes_half_written_files(index, tmp_path):
    for name in (".last.12.partial.keras", ".history.7.partial.json", "notes.txt"):
        (tmp_path / name).write_text("half", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        train_on_boxes(index, tmp_path, callbacks=[interrupt_at(0)])
    assert {file.name for file in tmp_path.iterdir()} == {"state.json", "notes.txt"}


def test_a_crash_while_saving_leaves_a_run_that_can_be_resumed(index, tmp_path, monkeypatch):
    train_on_boxes(index, tmp_path, stop_after_round=1)
    whole = {name: (tmp_path / name).read_bytes() for name in ("last.keras", "best.keras")}
    really_replace = files.os.replace

    def crash(source, target):
        if target.suffix == ".keras":
            source.write_bytes(source.read_bytes()[:1000])  # half of it reached the disk
            raise OSError("the machine stopped")
        really_replace(source, target)

    monkeypatch.setattr(files.os, "replace", crash)
    with pytest.raises(OSError, match="the machine stopped"):
        train_on_boxes(index, tmp_path, resume=True)
    monkeypatch.undo()
    for name, content in whole.items():
        assert (tmp_path / name).read_bytes() == content
    _, rounds = train_on_boxes(index, tmp_path, resume=True)
    assert [row["round"] for row in rounds] == [1, 2, 3, 4]
