"""Notebook 01: bytes predicted, and arrays without a second copy."""

import functools

import numpy as np

from helpers.exercises.judging import check, expect, traced


@check
def check_bytes_needed(bytes_needed) -> None:
    """`bytes_needed(n_images, height, width, channels, dtype)` -> bytes of the array."""
    for shape, dtype in (((7, 30, 50, 3), "uint8"), ((5, 20, 10, 4), "float32"),
                         ((2, 9, 11, 1), "float64")):  # fmt: skip
        expected = np.empty(shape, dtype).nbytes
        found = bytes_needed(*shape, dtype)
        expect(
            found == expected,
            f"{shape} of {dtype} takes {expected:,} bytes, your function says {found!r}.",
        )


@check
def check_to_unit_range(to_unit_range) -> None:
    """`to_unit_range(images)` -> float32 between 0 and 1, the input unchanged."""
    images = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
    before = images.copy()
    scaled, peak = traced(to_unit_range, images)
    expect(np.array_equal(images, before), "the images that came in have changed.")
    expect(isinstance(scaled, np.ndarray), "return a NumPy array.")
    right = scaled.shape == images.shape and np.allclose(scaled, before / 255.0, atol=1e-6)
    expect(right, "the values should be those of images / 255.")
    expect(
        scaled.dtype == np.float32,
        f"the result is {scaled.dtype}, {scaled.itemsize} bytes a number; float32 needs 4.",
    )
    expect(
        peak < 2.5 * scaled.nbytes,
        f"the result is right, but on the way you held {peak / scaled.nbytes:.1f} times its size.",
    )


@check
def check_stack(stack) -> None:
    """`stack(readers, height, width)` -> uint8 (n, height, width, 3), never two copies of it."""
    n, height, width = 64, 64, 96
    readers = [functools.partial(np.full, (height, width, 3), k, dtype=np.uint8) for k in range(n)]
    stacked, peak = traced(stack, readers, height, width)
    expected = np.arange(n, dtype=np.uint8)
    right = (
        isinstance(stacked, np.ndarray)
        and stacked.shape == (n, height, width, 3)
        and stacked.dtype == np.uint8
        and bool((stacked == expected[:, None, None, None]).all())
    )
    expect(right, f"return uint8 images in one array of shape ({n}, {height}, {width}, 3).")
    expect(
        peak < 1.5 * stacked.nbytes,
        f"at its peak your function held {peak / stacked.nbytes:.1f} times the array's own size.",
    )
