"""The article's training loop as written, to be measured beside `SlidingSubset`."""

import gc

import keras
import numpy as np

from ..data.read import read_block, read_mask
from .splits import split_windows


def compile_as_article(model, one_hot=True):
    """Adam(1e-3, 0.9, 0.999), cross-entropy on logits, accuracy. One-hot void pixels, all zero,
    give no loss but do count in this accuracy; so does the article's.

    Notebook 05, "Claim 9: the best model is saved".
    """
    if one_hot:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    optimizer = keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.9, beta_2=0.999)
    model.compile(optimizer, loss, metrics=["accuracy"])


def article_loop(model, index, windows, size, *, epochs=5, batch_size=32, seed=0,
                 compile_each_round=True, compile_model=None, checkpoint=None, one_hot=True,
                 validation_share=0.1, patience=3, keep_all_images=False, after_round=None,
                 callbacks=(), verbose=0, read=read_block):  # fmt: skip
    """Read a window, train on it, delete it, read the next: https://becominghuman.ai, "How
    Dataset size and RAM choke your Deep Learning for Computer Vision".

    Each round has a fresh random 90/10 split of its window, a fresh compile, which forgets Adam's
    state (`compile_model(model)`, by default `compile_as_article`), EarlyStopping on val_loss
    and, given a path in `checkpoint`, ModelCheckpoint on val_accuracy (the article's val_acc is
    its Keras 2 name). The checkpoint lives through all rounds and keeps the best of them, the
    patience starts anew in each; with `validation_share=0` there is no split and neither of them.
    `after_round(window)` is called when a round's arrays are deleted. Returns the histories, a
    dict of lists per round.

    What costs memory and time is kept, so that it can be measured: the whole window decoded anew,
    the copies that the split makes, masks as float64 one-hot arrays (class ids, uint8, with
    `one_hot=False`), a compile in each round. With `keep_all_images=True` it does what the
    article's code does and its text does not say: all images are read first and stay, and a round
    reads only its masks. Images are uint8 (n, h, w, 3); `size` is (height, width).

    Notebook 02, "The loop, by hand".
    """
    every_image = None
    if keep_all_images:
        every_image = read(index, range(len(index)), size)[0]
    histories = []
    splits = split_windows(windows, validation_share, seed)
    watching = _callbacks(patience, checkpoint)
    for window, split in zip(windows, splits, strict=True):
        rows = range(window.start, window.stop)
        if every_image is None:
            images, masks = read(index, rows, size)
        else:
            images = every_image[window.start : window.stop]
            masks = np.stack([read_mask(index[row].mask, size, index.n_classes) for row in rows])
        if one_hot:
            masks = _one_hot(masks, index.n_classes)
        if compile_each_round or not histories:
            if compile_model is None:
                compile_as_article(model, one_hot)
            else:
                compile_model(model)
        train, validation = (rows - window.start for rows in split)
        held = {}
        if len(validation):
            held = {"validation_data": (images[validation], masks[validation])}
        history = model.fit(
            images[train],
            masks[train],
            batch_size=batch_size,
            epochs=epochs,
            callbacks=[*(watching if held else []), *callbacks],
            verbose=verbose,
            **held,
        )
        histories.append(history.history)
        del images, masks, held
        gc.collect()
        if after_round is not None:
            after_round(window)
    return histories


def _callbacks(patience, checkpoint):
    callbacks = [keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)]
    if checkpoint is not None:
        callbacks.append(
            keras.callbacks.ModelCheckpoint(
                str(checkpoint), monitor="val_accuracy", save_best_only=True
            )
        )
    return callbacks


def _one_hot(masks, n_classes):
    """Class ids (n, h, w) as float64 (n, h, w, n_classes); void is zero in every class."""
    table = np.zeros((256, n_classes))
    table[:n_classes] = np.eye(n_classes)
    return table[masks]
