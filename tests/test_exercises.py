"""Every check accepts the right answer and turns down the mistakes that people make."""

import functools
import subprocess
import sys

import numpy as np
import pytest

from helpers import exercises
from helpers.dataset import VOID
from helpers.leak import split_windows
from helpers.subsets import SlidingSubset


def keep_all_in_a_list(readers, height, width):
    return np.asarray([read() for read in readers])


def stack_in_place(readers, height, width):
    pictures = np.empty((len(readers), height, width, 3), np.uint8)
    for k, read in enumerate(readers):
        pictures[k] = read()
    return pictures


def in_place_on_the_input(images):
    images //= 2
    return images.astype(np.float32)


def interpolate_at_pixel_corners(values):
    places = np.linspace(0, len(values) - 1, 2 * len(values))
    return np.interp(places, np.arange(len(values)), values)


def spread_bilinearly(values):
    result = np.zeros(2 * len(values) + 2)
    for k, value in enumerate(values):
        result[2 * k : 2 * k + 4] += value * np.array([0.25, 0.75, 0.75, 0.25])
    return result[1:-1]


def iou(matrix, k):
    return matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum() - matrix[k, k])


def geometry_for(ram_bytes, height, width):
    rows = ram_bytes // (height * width * 4)
    if rows < 11:
        raise ValueError(f"{ram_bytes:,} bytes are too few.")
    return rows - (rows + 1) // 11, (rows - (rows + 1) // 11) // 10


def geometry_of_rows(window_of, bytes_a_pixel=4):
    """The answer in which `window_of(rows)` is wrong, or the number of bytes."""

    def answer(ram_bytes, height, width):
        window = window_of(ram_bytes // (height * width * bytes_a_pixel))
        return window, window // 10

    return answer


def geometry_where_nothing_fits(do):
    """The right answer, but for `do(ram_bytes)` where ten pictures and one are too many."""
    return lambda ram, h, w: do(ram) if ram < 11 * h * w * 4 else geometry_for(ram, h, w)


def refuse_without_a_name(ram_bytes):
    raise ValueError("too few bytes")


def one_fit(model, index, window, stride, size, epochs=None, **options):
    with SlidingSubset(index, window, stride, size, **options) as subset:
        model.fit(subset, epochs=epochs or subset.n_epochs, shuffle=False, verbose=0)


def one_fit_left_open(model, index, window, stride, size, **options):
    subset = SlidingSubset(index, window, stride, size, **options)
    model.fit(subset, epochs=subset.n_epochs, shuffle=False, verbose=0)


def a_data_set_per_window(model, index, window, stride, size, **options):
    for start in range(0, len(index) - window + 1, stride):
        subset = SlidingSubset(index[start : start + window], window, stride, size, **options)
        model.fit(subset, epochs=subset.n_epochs, shuffle=False, verbose=0)


def a_fit_per_window(model, index, window, stride, size, epochs_per_round, **options):
    with SlidingSubset(
        index, window, stride, size, epochs_per_round=epochs_per_round, **options
    ) as subset:
        for _ in range(subset.n_rounds):
            model.fit(subset, epochs=epochs_per_round, shuffle=False, verbose=0)


def everything_at_once(model, index, window, stride, size, epochs_per_round, **options):
    options["epochs_per_round"] = 4 * epochs_per_round
    one_fit(model, index, len(index), stride, size, **options)


def arrays(model, index, window, stride, size, **options):
    model.fit(np.zeros((2, *size, 3)), np.zeros((2, *size)), verbose=0)


def count_leaked(splits):
    trained, counts = set(), []
    for train, validation in splits:
        counts.append(sum(row in trained for row in validation))
        trained |= set(train)
    return counts


def count_leaked_from_the_last_round(splits):
    pairs = zip([((), ()), *splits[:-1]], splits, strict=True)
    return [sum(row in set(last[0]) for row in now[1]) for last, now in pairs]


def split_without_leak(n_images, windows, share, seed):
    held = np.random.default_rng(seed).random(n_images) < share
    rows = [np.arange(window.start, window.stop) for window in windows]
    return [(these[~held[these]], these[held[these]]) for these in rows]


def split_each_window(n_images, windows, share, seed):
    return split_windows(windows, share, seed)


def hold_out_the_first(n_images, windows, share, seed):
    rows = [np.arange(window.start, window.stop) for window in windows]
    first = share * n_images
    return [(these[these >= first], these[these < first]) for these in rows]


CASES = {
    exercises.check_count_leaked: (
        count_leaked,
        [
            (count_leaked_from_the_last_round, "you look one round back"),
            (lambda splits: [len(validation) for _, validation in splits], "that is all of them"),
            (lambda splits: [0 for _ in splits[1:]], "rounds need"),
            lambda splits: [0 for _ in splits],
        ],
    ),
    exercises.check_split_without_leak: (
        split_without_leak,
        [
            (split_each_window, "Decide once for each row"),
            (hold_out_the_first, "nothing to validate on"),
            (lambda n, w, share, seed: split_without_leak(n, w, share, 0), "another seed"),
            (lambda n, w, share, seed: split_without_leak(n, w, 0.9, seed), "rows are held out"),
            (lambda n, w, share, seed: split_without_leak(n, w, share, seed)[1:], "as many"),
        ],
    ),
    exercises.check_leaky_snippets: (
        {"A", "C"},
        [{"A"}, ({"A", "B"}, "B does not leak"), {"A", "B", "C"}, "D", set()],
    ),
    exercises.check_bytes_needed: (
        lambda n, h, w, c, t: n * h * w * c * np.dtype(t).itemsize,
        [
            lambda n, h, w, c, t: n * h * w * c,
            lambda n, h, w, c, t: n * h * w * 3 * np.dtype(t).itemsize,
            lambda n, h, w, c, t: 8 * n * h * w * c,
            lambda n, h, w, c, t: None,
        ],
    ),
    exercises.check_to_unit_range: (
        lambda images: images / np.float32(255),
        [
            lambda images: images / 255.0,
            lambda images: (images / 255.0).astype(np.float32),
            lambda images: images.astype(np.float32),
            lambda images: (images // 255).astype(np.float32),
            in_place_on_the_input,
        ],
    ),
    exercises.check_stack: (
        stack_in_place,
        [
            keep_all_in_a_list,
            lambda readers, h, w: [read() for read in readers],
            lambda readers, h, w: np.zeros((len(readers), h, w, 3), np.uint8),
            lambda readers, h, w: stack_in_place(readers, h, w).astype(np.float32),
        ],
    ),
    exercises.check_count_rounds: (
        lambda n, window, stride: (n - window) // stride + 1,
        [
            lambda n, window, stride: n // stride,
            lambda n, window, stride: (n - window) // stride,
            lambda n, window, stride: -(-(n - window) // stride) + 1,
        ],
    ),
    exercises.check_slots_to_fill: (
        lambda r, window, stride: [(r * stride + window + k) % window for k in range(stride)],
        [
            lambda r, window, stride: range(stride),
            lambda r, window, stride: [r * stride + k for k in range(stride)],
            lambda r, window, stride: [(r * stride + k + 1) % window for k in range(stride)],
        ],
    ),
    exercises.check_largest_window: (
        lambda budget, h, w: 10 * (budget // (11 * h * w * 4)),
        [
            lambda budget, h, w: budget // (h * w * 4),
            lambda budget, h, w: 10 * (budget // (10 * h * w * 4)),
            lambda budget, h, w: 10 * (budget // (11 * h * w * 3)),
        ],
    ),
    exercises.check_score_map_sides: (
        lambda side: [side // 8, side // 16, side // 32],
        [lambda side: [side // 32, side // 16, side // 8], lambda side: [12, 6, 3]],
    ),
    exercises.check_valid_accuracy: (
        lambda truth, found: (truth == found)[truth != VOID].mean(),
        [
            lambda truth, found: (truth == found).mean(),
            lambda truth, found: ((truth == found) | (truth == VOID)).mean(),
            lambda truth, found: 0.75,
        ],
    ),
    exercises.check_double: (
        spread_bilinearly,
        [functools.partial(np.repeat, repeats=2), interpolate_at_pixel_corners],
    ),
    exercises.check_iou_of_class: (
        iou,
        [
            lambda matrix, k: matrix[k, k] / matrix[k].sum(),
            lambda matrix, k: matrix[k, k] / matrix[:, k].sum(),
            lambda matrix, k: matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum()),
        ],
    ),
    exercises.check_mean_iou: (
        lambda matrix: np.mean([iou(matrix, k) for k in range(4)]),
        [
            lambda matrix: np.sum([iou(matrix, k) for k in range(4)]) / 5,
            lambda matrix: np.mean([iou(matrix, k) for k in range(3)]),
            lambda matrix: np.trace(matrix) / matrix.sum(),
            lambda matrix: np.mean([matrix[k, k] / matrix[k].sum() for k in range(3)]),
        ],
    ),
    exercises.check_fool_accuracy: (
        np.zeros_like,
        [lambda truth: truth, np.ones_like, lambda truth: np.zeros(3)],
    ),
    exercises.check_geometry_for: (
        geometry_for,
        [
            (geometry_of_rows(lambda rows: rows), "holds one stride of rows more"),
            (geometry_of_rows(lambda rows: rows - (rows + 1) // 11, 3), "a mask takes one byte"),
            (lambda ram, h, w: geometry_for(ram, h, h), "need not be a square"),
            (lambda ram, h, w: geometry_for(ram, h, w)[::-1], "the window comes first"),
            (lambda ram, h, w: tuple(map(float, geometry_for(ram, h, w))), "whole numbers"),
            (lambda ram, h, w: geometry_for(ram, h, w)[0], "return the pair"),
            (lambda ram, h, w: (geometry_for(ram, h, w)[0], 100), "should be window // 10"),
            (geometry_of_rows(lambda rows: 10 * (rows // 11)), "a larger window fits"),
            (geometry_of_rows(lambda rows: rows * 10 // 11), "a larger window fits"),
            (geometry_of_rows(lambda rows: -(-rows * 10 // 11)), "rows take"),
            (geometry_of_rows(lambda rows: rows, 3), "rows take"),
            (lambda ram, h, w: geometry_for(ram - 1, h, w), "stopped with ValueError"),
            (geometry_where_nothing_fits(lambda ram: (10, 1)), "raise a ValueError; your"),
            (geometry_where_nothing_fits(refuse_without_a_name), "should name the RAM, 1576959"),
        ],
    ),
    exercises.check_hidden_copies: (
        {5, 7, 8, 9},
        [
            (set(), "you found 0 of the 4"),
            ({5, 8, 9}, "you found 3 of the 4"),
            ({2, 5, 7, 8, 9}, "line 2 is innocent"),
            ({3, 5, 7, 8, 9}, "line 3 is innocent"),
            ({5, 6, 8, 9}, "line 6 is innocent"),
            ([5, 7, 8, 9, 10], "line 10 is innocent"),
            ({5, 7, 8, 9, 12}, "line 12 is innocent"),
            (set(range(1, 15)), "line 1 is innocent"),
            ({5, 7, 8, 9, 15}, "line numbers from 1 to 14"),
            ("5, 7, 8, 9", "answer with a set"),
        ],
    ),
    exercises.check_repaired_loop: (
        one_fit,
        [
            (a_data_set_per_window, "4 data sets were built"),
            (a_fit_per_window, "`fit` was called 4 times"),
            (arrays, "no data set was built"),
            (lambda *geometry, **options: SlidingSubset(*geometry[1:], **options), "called 0"),
            (functools.partial(one_fit, epochs=2), "`fit` ran 2 epochs and 8 of 12"),
            (lambda m, i, w, s, *rest, **o: one_fit(m, i, w, w, *rest, **o), "ran 4 epochs"),
            (everything_at_once, "12 images were decoded at once"),
            (functools.partial(one_fit, epochs=9), "There is no epoch 8"),
            (one_fit_left_open, "still lies in memory"),
        ],
    ),
}


def test_every_check_has_its_case():
    checks = {getattr(exercises, name) for name in dir(exercises) if name.startswith("check_")}
    assert set(CASES) == checks


@pytest.mark.parametrize("check", CASES, ids=lambda check: check.__name__)
def test_the_right_answer_passes(check, capsys):
    assert check(CASES[check][0]) is True
    assert capsys.readouterr().out == "Right!\n"


def mistakes_and_hints():
    """(check, wrong answer, words of the hint) of each mistake; some are listed without words."""
    for check, (_, mistakes) in CASES.items():
        for mistake in mistakes:
            yield (check, *mistake) if isinstance(mistake, tuple) else (check, mistake, "")


MISTAKES = list(mistakes_and_hints())


@pytest.mark.parametrize(
    ("check", "wrong", "words"),
    MISTAKES,
    ids=[f"{check.__name__}-{k}" for k, (check, _, _) in enumerate(MISTAKES)],
)
def test_a_mistake_is_turned_down_with_a_hint(check, wrong, words, capsys):
    assert check(wrong) is False
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ") and len(said) > 30
    assert words in said


def test_an_answer_that_raises_is_reported_not_raised(capsys):
    def broken(*_):
        raise RuntimeError("boom")

    assert exercises.check_count_rounds(broken) is False
    assert "RuntimeError: boom" in capsys.readouterr().out


def test_the_checks_do_without_tensorflow_until_one_trains():
    # Notebook 1 measures the memory of its own process, and imports the checks.
    code = "import sys, helpers.exercises; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
