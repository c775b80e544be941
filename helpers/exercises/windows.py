"""Notebook 02: the windows, the slots of the ring buffer, and a window for a budget."""

import numpy as np

from helpers.exercises.judging import check, expect


@check
def check_count_rounds(count_rounds) -> None:
    """`count_rounds(n_images, window, stride)` -> how many whole windows fit."""
    cases = (
        (2913, 1000, 100),
        (2900, 1000, 100),
        (1000, 1000, 100),
        (1099, 1000, 100),
        (58, 20, 3),
    )
    for n_images, window, stride in cases:
        expected = sum(1 for start in range(0, n_images, stride) if start + window <= n_images)
        found = count_rounds(n_images, window, stride)
        expect(
            found == expected,
            f"{n_images} images, window {window}, stride {stride}: {expected} windows fit, "
            f"your function says {found!r}.",
        )


@check
def check_slots_to_fill(slots_to_fill) -> None:
    """`slots_to_fill(round_, window, stride)` -> the slots that change from round_ to the next."""
    for window, stride in ((10, 2), (10, 3), (7, 5), (4, 4)):
        slots = np.arange(window)
        for round_ in range(12):
            new_rows = np.arange(round_ * stride + window, round_ * stride + window + stride)
            changed = slots.copy()
            changed[new_rows % window] = new_rows
            expected = sorted(int(slot) for slot in np.flatnonzero(changed != slots))
            found = sorted(int(slot) for slot in slots_to_fill(round_, window, stride))
            expect(
                found == expected,
                f"window {window}, stride {stride}, round_={round_}: slots {expected} change, "
                f"your function says {found}.",
            )
            slots = changed


@check
def check_largest_window(largest_window) -> None:
    """`largest_window(budget_bytes, height, width)` -> window of ten strides that fits in it.

    The ring buffer holds the window and one stride more, as uint8 images and masks.
    """
    for budget, height, width in ((512 * 2**20, 224, 224), (64 * 2**20, 96, 96), (10**7, 100, 60)):
        row = height * width * 4
        expected = 10 * (budget // (11 * row))
        found = largest_window(budget, height, width)
        expect(
            found == expected,
            f"{budget:,} bytes at {height}×{width}: a window of {expected} is the largest that is "
            f"ten strides long and fits with its spare stride; your function says {found!r}.",
        )
