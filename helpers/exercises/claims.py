"""Notebook 05: count leaked images, split without a leak, find the leak in other code."""

import numpy as np

from helpers.exercises.judging import check, expect
from helpers.windows.geometry import sliding_windows
from helpers.windows.splits import split_windows


@check
def check_count_leaked(count_leaked) -> None:
    """`count_leaked(splits)` -> for each round, how many validation rows were trained on before.

    `splits` is a list of (train, validation), arrays of rows.
    """
    cases = {
        "no overlap": sliding_windows(60, 20, 20),
        "half of it shared": sliding_windows(60, 20, 10),
        "the article's tenth": sliding_windows(120, 40, 4),
    }
    for number, (name, windows) in enumerate(cases.items()):
        splits = split_windows(windows, 0.25, seed=number)
        found = [int(count) for count in count_leaked(splits)]
        expect(
            len(found) == len(splits),
            f"{len(splits)} rounds need {len(splits)} counts; your function gives {len(found)}.",
        )
        expected = _leaked(splits, before=True)
        hints = {
            tuple(_leaked(splits, before=False)): "you compare with all rounds, later ones too: an "
            "image leaks only if an *earlier* round has trained on it.",
            tuple(_leaked_from_last(splits)): "you look one round back; the rounds before that one "
            "have trained as well.",
            tuple(len(validation) for _, validation in splits): "that is all of them.",
        }
        hint = hints.get(tuple(found), f"it should be {expected}.")
        expect(found == expected, f"{name}: {found} is not right: {hint}")


def _leaked(splits, before: bool) -> list[int]:
    counts = []
    for k, (_, validation) in enumerate(splits):
        others = splits[:k] if before else splits[:k] + splits[k + 1 :]
        trained = {int(row) for train, _ in others for row in train}
        counts.append(sum(int(row) in trained for row in validation))
    return counts


def _leaked_from_last(splits) -> list[int]:
    pairs = zip([((), ()), *splits], splits, strict=False)
    return [sum(row in set(before[0]) for row in now[1]) for before, now in pairs]


@check
def check_split_without_leak(split_without_leak) -> None:
    """`split_without_leak(n_images, windows, share, seed)` -> a list of (train, validation).

    Together they are the window's rows; no row that any round validates on is ever trained on.
    """
    for n_images, size, stride, share in ((200, 80, 8, 0.1), (130, 50, 20, 0.2)):
        windows = sliding_windows(n_images, size, stride)
        splits = [
            tuple(np.asarray(rows, int).ravel() for rows in split)
            for split in split_without_leak(n_images, windows, share, 3)
        ]
        expect(len(splits) == len(windows), f"{len(windows)} windows need as many splits.")
        for window, split in zip(windows, splits, strict=True):
            rows = np.sort(np.concatenate(split))
            expect(
                np.array_equal(rows, np.arange(window.start, window.stop)),
                f"window {window.start}-{window.stop}: each of its rows belongs into training or "
                "validation, once.",
            )
        trained = {row for train, _ in splits for row in train.tolist()}
        leaked = [row for _, validation in splits for row in validation.tolist() if row in trained]
        expect(
            not leaked,
            f"row {min(leaked, default=0)} is validated on in one round and trained on in another. "
            "Decide once for each row, before any window is cut.",
        )
        validated = {row for _, validation in splits for row in validation.tolist()}
        part = len(validated) / windows[-1].stop
        expect(
            share / 2 < part < 2 * share,
            f"{100 * part:.0f} % of the rows are held out, not about {100 * share:.0f} %.",
        )
        smallest = min(len(validation) for _, validation in splits)
        expect(smallest > 0, "one window has nothing to validate on: spread the rows at random.")
    again = [split_without_leak(n_images, windows, share, seed)[0][1] for seed in (3, 4)]
    expect(
        not np.array_equal(np.sort(again[0]), np.sort(again[1])),
        "another seed gives the same split: draw the rows at random.",
    )


_SNIPPETS = {
    "A": """\
for start in range(0, 181, 20):
    window = rng.permutation(np.arange(start, start + 100))
    rounds.append((window[:90], window[90:]))""",
    "B": """\
held_out = np.arange(280) % 10 == 7
for start in range(0, 181, 20):
    window = rng.permutation(np.arange(start, start + 100))
    rounds.append((window[~held_out[window]], window[held_out[window]]))""",
    "C": """\
images = np.arange(100)
images = np.concatenate([images, images])  # the second half is mirrored later
images = rng.permutation(images)
rounds.append((images[:180], images[180:]))""",
}

SNIPPETS = "\n\n".join(f"# {name}\n{code}" for name, code in _SNIPPETS.items())
"""Three ways to split, to be printed in the notebook."""


@check
def check_leaky_snippets(names) -> None:
    """`names`: those of the `SNIPPETS` that train on an image which they validate on.

    Nothing here knows the answer: each snippet runs, and its images are compared.
    """
    chosen = set(names) if isinstance(names, set | frozenset | list | tuple | str) else {names}
    known = chosen <= set(_SNIPPETS)
    expect(known, f"answer with a set of letters from {', '.join(_SNIPPETS)}, such as {{'A'}}.")
    leaky = {name for name, code in _SNIPPETS.items() if _leaks(code)}
    if innocent := chosen - leaky:
        name = min(innocent)
        expect(False, f"{name} does not leak: no image that it validates on is trained on.")
    expect(
        chosen == leaky,
        "there is more to find. Follow one image through each of them: can it be in a training "
        "part and in a validation part?",
    )


def _leaks(code: str) -> bool:
    names = {"np": np, "rng": np.random.default_rng(0), "rounds": []}
    exec(code, names)
    trained = {int(row) for train, _ in names["rounds"] for row in train}
    return any(int(row) in trained for _, validation in names["rounds"] for row in validation)
