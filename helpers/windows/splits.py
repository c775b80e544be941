"""The leakage in the article's validation: how many of its images have been trained on before.

Each window is split anew, 90 % for training, 10 % for validation, and neighbouring windows share
nine tenths of their images. So most of a round's validation images were training images of
an earlier round.
"""

import numpy as np


def split_windows(windows, validation_share=0.1, seed=0):
    """The article's fresh random split of each window: a list of (train, validation), int arrays.

    They hold rows of the index. `article_loop` with the same share and seed trains on these.

    Notebook 05, "Claim 6: the validation shows a mean IoU of 0.737".
    """
    rng = np.random.default_rng(seed)
    splits = []
    for window in windows:
        order = window.start + rng.permutation(window.stop - window.start)
        n_train = len(order) - round(validation_share * len(order))
        splits.append((order[:n_train], order[n_train:]))
    return splits


def split_windows_once(windows, validation_share=0.1, seed=0):
    """The repaired split: what an image is for is decided once, and every window keeps to it.

    Of every `1 / validation_share` rows of the list one, drawn at random, is for validation; so all
    windows have nearly the same share. Returns a list of (train, validation), int arrays of rows,
    as `split_windows` does. Raises ValueError unless 1 / validation_share is a whole number.

    Notebook 05, "Claim 6: the validation shows a mean IoU of 0.737".
    """
    every = round(1 / validation_share)
    if abs(every * validation_share - 1) > 1e-9:
        raise ValueError(f"1 / {validation_share} is not a whole number: one image of how many?")
    n_images = max(window.stop for window in windows)
    first_of_each = np.arange(0, n_images, every)
    rng = np.random.default_rng(seed)
    held = first_of_each + rng.integers(every, size=len(first_of_each))
    splits = []
    for window in windows:
        rows = np.arange(window.start, window.stop)
        is_held = np.isin(rows, held)
        splits.append((rng.permutation(rows[~is_held]), rows[is_held]))
    return splits


def leaked_shares(splits) -> list[float]:
    """For each round, the share of its validation rows that an earlier round has trained on.

    `splits` is a list of (train, validation), arrays of rows, as `split_windows` gives them.
    This counts; `expected_leaked_shares` computes. Raises ValueError for an empty validation set.

    Notebook 05, "Claim 6: the validation shows a mean IoU of 0.737".
    """
    trained, shares = set(), []
    for number, (train, validation) in enumerate(splits, start=1):
        if not len(validation):
            raise ValueError(f"round {number} has no validation images: nothing to count")
        shares.append(sum(int(row) in trained for row in validation) / len(validation))
        trained.update(int(row) for row in train)
    return shares


def expected_leaked_shares(windows, validation_share: float = 0.1) -> list[float]:
    """The same share as arithmetic, in the mean over all random splits.

    An image that k earlier windows held was trained on in at least one of them with the
    probability 1 - validation_share ** k.

    Notebook 05, "Claim 6: the validation shows a mean IoU of 0.737".
    """
    if not 0 < validation_share < 1:
        raise ValueError(f"validation_share must lie between 0 and 1, got {validation_share}")
    held = np.zeros(max(window.stop for window in windows), int)
    shares = []
    for window in windows:
        rows = slice(window.start, window.stop)
        shares.append(float(np.mean(1 - validation_share ** held[rows])))
        held[rows] += 1
    return shares
