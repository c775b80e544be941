"""The article's training loop, as written."""

import keras
import numpy as np
import pytest

from helpers.data import index_voc, read_block
from helpers.windows import article_loop, compile_as_article, sliding_windows


def small_fcn(n_classes):
    return keras.Sequential(
        [keras.Input((8, 6, 3)), keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(n_classes, 1)]
    )


@pytest.mark.parametrize("one_hot", [True, False])
def test_the_articles_loop_runs_as_written(voc_folder, tmp_path, one_hot):
    index = index_voc(voc_folder(14))
    model, compiled, done = small_fcn(21), [], []

    def compile_model(model):
        compile_as_article(model, one_hot)
        model.run_eagerly = True  # here quicker than to trace it
        compiled.append(model.optimizer)

    histories = article_loop(
        model, index, sliding_windows(14, 10, 2), (8, 6), epochs=2, batch_size=4,
        compile_model=compile_model, checkpoint=tmp_path / "FCN_8.keras", one_hot=one_hot,
        after_round=done.append,
    )  # fmt: skip
    assert len(histories) == 3 and [window.round for window in done] == [0, 1, 2]
    for history in histories:
        assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(history)
        assert 1 <= len(history["loss"]) <= 2 and np.isfinite(history["loss"]).all()
    assert len({id(optimizer) for optimizer in compiled}) == 3
    assert int(compiled[0].iterations) == len(histories[0]["loss"]) * 3  # 9 images by fours
    assert (tmp_path / "FCN_8.keras").is_file()


def test_the_articles_checkpoint_lives_through_all_rounds(voc_folder, tmp_path, monkeypatch):
    made = []
    checkpoint = keras.callbacks.ModelCheckpoint

    def counted(*args, **options):
        made.append(checkpoint(*args, **options))
        return made[-1]

    monkeypatch.setattr(keras.callbacks, "ModelCheckpoint", counted)
    histories = article_loop(
        small_fcn(21), index_voc(voc_folder(14)), sliding_windows(14, 10, 4), (8, 6), epochs=2,
        checkpoint=tmp_path / "best.keras", one_hot=False,
    )  # fmt: skip
    (only,) = made
    accuracies = [value for history in histories for value in history["val_accuracy"]]
    assert only.best == pytest.approx(max(accuracies)) and len(accuracies) == 4


def compile_plainly(model):
    model.compile("sgd", "mse", metrics=["accuracy"], run_eagerly=True)


def test_the_articles_loop_can_compile_once(voc_folder):
    index, compiled = index_voc(voc_folder(12)), []

    def compile_model(model):
        compiled.append(model)
        compile_plainly(model)

    windows = sliding_windows(12, 10, 2)
    article_loop(
        small_fcn(21), index, windows, (8, 6), epochs=1, compile_each_round=False,
        compile_model=compile_model,
    )  # fmt: skip
    assert len(windows) == 2 and len(compiled) == 1


@pytest.mark.parametrize("keep_all_images", [False, True])
def test_what_the_articles_loop_reads(voc_folder, keep_all_images):
    asked = []

    def read(index, rows, size):
        asked.append(list(rows))
        return read_block(index, rows, size)

    article_loop(
        small_fcn(21), index_voc(voc_folder(12)), sliding_windows(12, 10, 2), (8, 6), epochs=1,
        compile_model=compile_plainly, keep_all_images=keep_all_images, read=read,
    )  # fmt: skip
    by_window = [list(range(10)), list(range(2, 12))]
    assert asked == ([list(range(12))] if keep_all_images else by_window)


def test_without_a_validation_share_there_is_no_split(voc_folder):
    (history,) = article_loop(
        small_fcn(21), index_voc(voc_folder(4)), sliding_windows(4, 4, 4), (8, 6), epochs=2,
        compile_model=compile_plainly, validation_share=0,
    )  # fmt: skip
    assert set(history) == {"loss", "accuracy"} and len(history["loss"]) == 2


def test_one_hot_void_gives_no_loss(voc_folder):
    """Nor do class ids; but the accuracy counts it only in one of them."""
    images, masks = np.zeros((1, 8, 6, 3), np.uint8), np.full((1, 8, 6), 255, np.uint8)
    for one_hot, target in ((True, np.zeros((1, 8, 6, 21))), (False, masks)):
        model = small_fcn(21)
        compile_as_article(model, one_hot)
        assert model.evaluate(images, target, verbose=0)[0] == 0
        assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
