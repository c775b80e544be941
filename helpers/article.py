"""The article's training loop as written, to be measured beside `SlidingSubset`."""

import gc

import keras
import numpy as np

from helpers.images import read_block


def compile_as_article(model, one_hot=True):
    """Adam(1e-3, 0.9, 0.999), cross-entropy on logits, accuracy. One-hot void pixels, all zero,
    give no loss but do count in this accuracy; so does the article's."""
    if one_hot:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    optimizer = keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.9, beta_2=0.999)
    model.compile(optimizer, loss, metrics=["accuracy"])


def article_loop(model, index, windows, size, *, epochs=5, batch_size=32, seed=0,
                 compile_each_round=True, compile_model=None, checkpoint=None, one_hot=True,
                 patience=3, after_round=None, verbose=0, threads=None):  # fmt: skip
    """Read a window, train on it, delete it, read the next: https://becominghuman.ai, "How
    Dataset size and RAM choke your Deep Learning for Computer Vision".

    Each round has a fresh random 90/10 split of its window, a fresh compile, which forgets Adam's
    state (`compile_model(model)`, by default `compile_as_article`), EarlyStopping on val_loss
    and, given a path in `checkpoint`, ModelCheckpoint on val_accuracy (the article's val_acc is
    its Keras 2 name). Both callbacks start anew each round. `after_round(window)` is called when a
    round's arrays are deleted. Returns the histories, a dict of lists per round.

    What costs memory and time is kept, so that it can be measured: the whole window decoded anew,
    the copies that the split makes, masks as float64 one-hot arrays (class ids, uint8, with
    `one_hot=False`), a compile in each round. Images are uint8 (n, h, w, 3), as `read_block` gives
    them; `size` is (height, width).
    """
    rng = np.random.default_rng(seed)
    histories = []
    for window in windows:
        images, masks = read_block(index, range(window.start, window.stop), size, threads=threads)
        if one_hot:
            masks = _one_hot(masks, index.n_classes)
        order = rng.permutation(len(images))
        train, validation = np.split(order, [int(0.9 * len(order))])
        if compile_each_round or not histories:
            if compile_model is None:
                compile_as_article(model, one_hot)
            else:
                compile_model(model)
        callbacks = [keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)]
        if checkpoint is not None:
            callbacks.append(
                keras.callbacks.ModelCheckpoint(
                    str(checkpoint), monitor="val_accuracy", save_best_only=True
                )
            )
        history = model.fit(
            images[train],
            masks[train],
            validation_data=(images[validation], masks[validation]),
            batch_size=batch_size,
            epochs=epochs,
            callbacks=callbacks,
            verbose=verbose,
        )
        histories.append(history.history)
        del images, masks
        gc.collect()
        if after_round is not None:
            after_round(window)
    return histories


def _one_hot(masks, n_classes):
    """Class ids (n, h, w) as float64 (n, h, w, n_classes); void is zero in every class."""
    table = np.zeros((256, n_classes))
    table[:n_classes] = np.eye(n_classes)
    return table[masks]
