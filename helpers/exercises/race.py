"""Notebook 06: a window for the RAM at hand, copies that nobody asked for, a loop that leaks."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np

from helpers.data import Index
from helpers.exercises.judging import NotYetError, check, expect, traced
from helpers.units import format_bytes
from helpers.windows import Geometry


@check
def check_geometry_for(geometry_for) -> None:
    """`geometry_for(ram_bytes, height, width)` -> (window, stride), the largest window that fits.

    window + stride rows of uint8 image and mask take at most ram_bytes; stride is window // 10.
    ValueError that names ram_bytes if the smallest, ten images and one, does not fit.
    """
    # Rows that leave 0, 1 and 10 over when divided by 11: each way to round is wrong for one.
    for rows, height, width in ((2662, 224, 224), (1442, 96, 128), (1099, 256, 160), (11, 64, 48)):
        row = height * width * 4
        ram_bytes = rows * row + (row // 2 if rows > 11 else 0)
        _judge_geometry(geometry_for(ram_bytes, height, width), ram_bytes, height, width)
    ram_bytes = 11 * 224 * 160 * 4 - 1
    try:
        found = geometry_for(ram_bytes, 224, 160)
    except ValueError as error:
        said = re.sub("[,_]", "", str(error))
        expect(
            str(ram_bytes) in said,
            f"the text of your ValueError should name the RAM, {ram_bytes} bytes; it says: {error}",
        )
    else:
        raise NotYetError(
            f"{ram_bytes} bytes are too few for 10 images of 224×160 and a stride of one: raise "
            f"a ValueError; your function says {found!r}."
        )


def _judge_geometry(found, ram_bytes: int, height: int, width: int) -> None:
    case = f"{format_bytes(ram_bytes)} at {height}×{width}: your function says {found!r}"
    pair = tuple(found) if isinstance(found, tuple | list) else ()
    whole = [isinstance(n, int | np.integer) and not isinstance(n, bool) for n in pair]
    expect(len(pair) == 2, f"{case}; return the pair (window, stride).")
    expect(all(whole), f"{case}; return whole numbers: // divides and rounds down.")
    row = height * width * 4
    right = _largest_window(ram_bytes // row)
    if pair != (right, right // 10):
        hint = _usual_mistakes(ram_bytes, height, width).get(pair)
        window, stride = pair
        if hint is None and stride != window // 10:
            hint = f"the stride should be window // 10, here {window // 10}."
        if hint is None and window > right:
            hint = f"{window} + {stride} rows take {format_bytes((window + stride) * row)}."
        raise NotYetError(f"{case}; {hint or 'a larger window fits as well.'}")


def _largest_window(rows: int) -> int:
    return max(window for window in range(rows + 1) if window + window // 10 <= rows)


def _usual_mistakes(ram_bytes: int, height: int, width: int) -> dict[tuple, str]:
    """What each of the usual mistakes returns, and its hint."""
    rows = ram_bytes // (height * width * 4)
    without_masks = _largest_window(ram_bytes // (height * width * 3))
    square = _largest_window(ram_bytes // (height * height * 4))
    right = _largest_window(rows)
    return {
        (right // 10, right): "the window comes first, then the stride.",
        (rows, rows // 10): "the window fits, but the ring buffer holds one stride of rows more.",
        (without_masks, without_masks // 10): "a mask takes one byte a pixel, the image three.",
        (square, square // 10): "an image has height × width pixels, it need not be a square.",
    }


_LINES = """\
for start in range(0, 801, 20):
    window = archive[start : start + 200]
    window = np.asarray(window)
    order = rng.permutation(len(window))
    images = window[order]
    mirrored = [image[:, ::-1] for image in images]
    images = np.asarray(mirrored)
    images = images / 255.0
    images = images.astype("float32")
    images -= images.mean()
    for rows in np.split(np.arange(200), 20):
        batch = np.take(images, rows, axis=0)
        batch = np.moveaxis(batch, -1, 1)
        model.train_on_batch(batch)""".splitlines()

LOOP_WITH_COPIES = "\n".join(f"{number:2}  {line}" for number, line in enumerate(_LINES, start=1))
"""The loop of the exercise, lines numbered from 1, to be printed in the notebook."""

_SHAPE = (1000, 32, 32, 3)


@check
def check_hidden_copies(lines) -> None:
    """`lines`: the numbers of the lines of `LOOP_WITH_COPIES` that copy a window.

    Nothing here knows the answer: each line runs, and copies if it allocates half a window or more.
    """
    numbers = set(lines) if isinstance(lines, set | frozenset | list | tuple) else {lines}
    allocated = _allocated_by_line()
    known = numbers <= set(allocated)
    expect(known, f"answer with a set of line numbers from 1 to {len(_LINES)}, such as {{1, 2}}.")
    window_bytes = 200 * int(np.prod(_SHAPE[1:]))
    copies = {number for number, n_bytes in allocated.items() if n_bytes >= window_bytes / 2}
    if innocent := numbers - copies:
        number = min(innocent)
        raise NotYetError(
            f"line {number} is innocent: it allocates {format_bytes(allocated[number])}, "
            f"the window has {format_bytes(window_bytes)}."
        )
    expect(
        numbers == copies,
        f"you found {len(numbers)} of the {len(copies)} lines that allocate a window or more. "
        "Ask of each line: is this a view, one batch, or a new array of 200 images?",
    )


def _allocated_by_line() -> dict[int, int]:
    """The bytes that each line holds at its peak, in the first turn of the loops."""
    names = {
        "np": np,
        "rng": np.random.default_rng(0),
        "archive": np.zeros(_SHAPE, np.uint8),
        "model": SimpleNamespace(train_on_batch=lambda batch: None),
    }
    allocated = {}
    for number, line in enumerate(_LINES, start=1):
        # The head of a loop becomes its first turn, so that every line can run alone.
        line = re.sub(r"^for (\w+) in (.+):$", r"\1 = next(iter(\2))", line.strip())
        code = compile(line, f"line {number}", "exec")
        allocated[number] = traced(exec, code, names)[1]
    return allocated


GEOMETRY = Geometry(n_images=12, window=6, stride=2, size=(4, 4), batch_size=2, passes=2)


@check
def check_repaired_loop(train_on_windows) -> None:
    """`train_on_windows(model, index, geometry, **options)` trains on all windows.

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
    rounds, n_images = GEOMETRY.n_rounds, GEOMETRY.n_images
    expect(
        seen.largest_block <= GEOMETRY.window,
        f"{seen.largest_block} images were decoded at once; the window is {GEOMETRY.window}.",
    )
    expect(
        (seen.epochs, seen.steps, seen.decoded) == ([rounds], [GEOMETRY.steps_per_round], n_images),
        f"`fit` ran {seen.epochs[0]} epochs of {seen.steps[0]} steps, and {seen.decoded} of "
        f"{n_images} images were decoded; there are {rounds} windows, and an epoch is a round: "
        "steps_per_epoch says how long.",
    )
    expect(
        seen.closed,
        "all windows were trained, but the last one still lies in memory: close the data set, or "
        "build it in a `with`.",
    )


def _observe(train_on_windows: Callable) -> SimpleNamespace:
    """Run the function; what it built and decoded, the epochs of each `fit` and their steps."""
    import keras  # not above: notebook 1 has no use for TensorFlow and measures memory

    data_sets, epochs, steps, blocks = [], [], [], []
    model, index = _tiny_network(keras), _index()
    begin, fit = keras.utils.PyDataset.__init__, model.fit

    def counting_begin(self, *args, **options):
        data_sets.append(self)
        begin(self, *args, **options)

    def counting_fit(*args, **options):
        history = fit(*args, **options)
        epochs.append(len(history.epoch))
        steps.append(history.params["steps"])
        return history

    def read(index, rows, size, images, masks):
        blocks.append(len(rows))
        images[:], masks[:] = 0, 0

    with (
        patch.object(keras.utils.PyDataset, "__init__", counting_begin),
        patch.object(model, "fit", counting_fit),
    ):
        train_on_windows(model, index, GEOMETRY, read=read)
    return SimpleNamespace(
        data_sets=data_sets,
        epochs=epochs,
        steps=steps,
        decoded=sum(blocks),
        largest_block=max(blocks, default=0),
        closed=all(getattr(data_set, "closed", True) for data_set in data_sets),
    )


def _index() -> Index:
    names = [f"{row}.png" for row in range(GEOMETRY.n_images)]
    return Index.build("images", "masks", ("background", "thing"), names, names)


def _tiny_network(keras):
    model = keras.Sequential([keras.layers.Input((*GEOMETRY.size, 3)), keras.layers.Conv2D(2, 1)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model
