"""Notebook 06: a training loop that leaks one window after another, and its repair."""

from collections.abc import Callable
from types import SimpleNamespace
from unittest.mock import patch

from helpers.dataset import Index
from helpers.exercises.judging import check, expect

N_IMAGES, WINDOW, STRIDE, SIZE, EPOCHS_PER_ROUND = 12, 6, 2, (4, 4), 2


@check
def check_repaired_loop(train_on_windows) -> None:
    """`train_on_windows(model, index, window, stride, size, **options)` trains on all windows.

    One data set object, one `fit`. The check trains a tiny network and counts; it measures no
    memory, because what a leak costs differs from one version of TensorFlow to the next.
    """
    seen = _observe(train_on_windows)
    expect(
        len(seen.data_sets) > 0,
        "no data set was built: give `fit` a SlidingSubset, which holds one window at a time.",
    )
    expect(
        len(seen.data_sets) == 1,
        f"{len(seen.data_sets)} data sets were built. TensorFlow may hold on to each of them, and "
        "each reads its whole window anew: one SlidingSubset goes through all windows.",
    )
    expect(
        len(seen.epochs) == 1,
        f"`fit` was called {len(seen.epochs)} times; call it once, for all windows.",
    )
    rounds = (N_IMAGES - WINDOW) // STRIDE + 1
    expect(
        seen.largest_block <= WINDOW,
        f"{seen.largest_block} images were decoded at once; the window is {WINDOW}.",
    )
    expect(
        seen.epochs == [rounds * EPOCHS_PER_ROUND] and seen.decoded == N_IMAGES,
        f"`fit` ran {seen.epochs[0]} epochs and {seen.decoded} of {N_IMAGES} images were decoded; "
        f"{rounds} windows of {EPOCHS_PER_ROUND} epochs are {rounds * EPOCHS_PER_ROUND} epochs.",
    )
    expect(
        seen.closed,
        "all windows were trained, but the last one still lies in memory: close the data set, or "
        "build it in a `with`.",
    )


def _observe(train_on_windows: Callable) -> SimpleNamespace:
    """Run the function; the data sets it built, the epochs of each `fit`, what it decoded."""
    import keras  # not above: notebook 1 has no use for TensorFlow and measures memory

    data_sets, epochs, blocks = [], [], []
    model, index = _tiny_network(keras), _index()
    begin, fit = keras.utils.PyDataset.__init__, model.fit

    def counting_begin(self, *args, **options):
        data_sets.append(self)
        begin(self, *args, **options)

    def counting_fit(*args, **options):
        history = fit(*args, **options)
        epochs.append(len(history.epoch))
        return history

    def read(index, rows, size, images, masks, threads):
        blocks.append(len(rows))
        images[:], masks[:] = 0, 0

    options = {"epochs_per_round": EPOCHS_PER_ROUND, "batch_size": 2, "reader": read}
    with (
        patch.object(keras.utils.PyDataset, "__init__", counting_begin),
        patch.object(model, "fit", counting_fit),
    ):
        train_on_windows(model, index, WINDOW, STRIDE, SIZE, **options)
    return SimpleNamespace(
        data_sets=data_sets,
        epochs=epochs,
        decoded=sum(blocks),
        largest_block=max(blocks, default=0),
        closed=all(getattr(data_set, "closed", True) for data_set in data_sets),
    )


def _index() -> Index:
    return Index.build("images", "masks", ("background", "thing"), list(map(str, range(N_IMAGES))))


def _tiny_network(keras):
    model = keras.Sequential([keras.layers.Input((*SIZE, 3)), keras.layers.Conv2D(2, 1)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model
