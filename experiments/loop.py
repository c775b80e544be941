"""One window after another as NumPy arrays: the article's loop, its parts to be chosen.

The claims and the race train with it. `helpers.windows.article_loop` is the same loop as the
article has it; a test holds that both end with the same weights.
"""

import gc

from helpers.data import read_block


def train_windows(
    model, index, size, windows, splits, *, epochs, batch_size, compile_model=None,
    as_targets=None, callbacks=(), read=read_block,
):  # fmt: skip
    """Train on each window's part of `splits`; returns the histories, a dict of lists a round.

    `splits` are (train, validation) rows for each window; no validation where that is empty.
    `compile_model(model, round)` is called before each round, `as_targets(masks)` makes of the
    class ids what the loss wants. `read(index, rows, size)` gives a window's images and masks.
    """
    histories = []
    for round_, (window, split) in enumerate(zip(windows, splits, strict=True)):
        images, masks = read(index, range(window.start, window.stop), size)
        targets = masks if as_targets is None else as_targets(masks)
        train, validation = (rows - window.start for rows in split)
        held = (images[validation], targets[validation]) if len(validation) else None
        if compile_model is not None:
            compile_model(model, round_)
        history = model.fit(
            images[train],
            targets[train],
            batch_size=batch_size,
            epochs=epochs,
            validation_data=held,
            callbacks=[*callbacks],
            verbose=0,
        )
        histories.append(history.history)
        del images, masks, targets, held
        gc.collect()
    return histories
