"""The article's training loop as written, to be measured beside `SlidingSubset`."""

import gc

import keras
import numpy as np

from ..data.read import read_block
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


def article_loop(model, index, geometry, *, callbacks=(), read=read_block):
    """Read a window, train on it, delete it, read the next: https://becominghuman.ai, "How
    Dataset size and RAM choke your Deep Learning for Computer Vision".

    Each round reads its whole window, makes a fresh random 90/10 split of it, writes the masks
    one-hot as float64, and compiles anew, which forgets Adam's state. Early stopping on val_loss
    has a patience of 3. Returns the histories, a dict of lists per round.

    Its `ModelCheckpoint` lives through all rounds; give it in `callbacks`, with Keras' name of
    today: `ModelCheckpoint("FCN_8.keras", monitor="val_accuracy", save_best_only=True)`.
    """
    histories = []
    stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3)
    splits = split_windows(geometry.windows, 0.1, geometry.seed)
    for window, split in zip(geometry.windows, splits, strict=True):
        images, masks = read(index, range(window.start, window.stop), geometry.size)
        masks = one_hot(masks, index.n_classes)
        train, validation = (rows - window.start for rows in split)
        compile_as_article(model)
        history = model.fit(
            images[train],
            masks[train],
            batch_size=geometry.batch_size,
            epochs=geometry.passes,
            validation_data=(images[validation], masks[validation]),
            callbacks=[stopping, *callbacks],
            verbose=0,
        )
        histories.append(history.history)
        del images, masks
        gc.collect()
    return histories


def one_hot(masks, n_classes):
    """Class ids (n, h, w) as float64 (n, h, w, n_classes); void is zero in every class."""
    table = np.zeros((256, n_classes))
    table[:n_classes] = np.eye(n_classes)
    return table[masks]
