"""Notebook 01: bytes predicted, and arrays without a second copy."""

import functools

import numpy as np

from helpers.exercises.judging import check, expect, traced


@check
def check_bytes_needed(bytes_needed) -> None:
    """`bytes_needed(n_images, height, width, channels, dtype, one_hot=None)` -> bytes with masks.

    Masks are uint8, one number per pixel, or float32 with `one_hot` numbers per pixel.
    """
    for shape, dtype, one_hot in (
        ((7, 30, 50, 3), "uint8", None),
        ((5, 20, 10, 3), "uint16", None),
        ((2, 9, 11, 4), "float64", None),
        ((3, 8, 6, 3), "uint8", 5),
    ):
        images, pixels = np.empty(shape, dtype).nbytes, int(np.prod(shape[:3]))
        masks = pixels if one_hot is None else 4 * one_hot * pixels
        found = bytes_needed(*shape, dtype, one_hot)
        what = f"{shape} of {dtype} with {'class numbers' if one_hot is None else 'one-hot masks'}"
        expect(found != images, f"{what}: {found!r} bytes are the images alone; add the masks.")
        n_bytes = np.dtype(dtype).itemsize
        expect(
            n_bytes == 1 or found != images // n_bytes + masks,
            f"{what}: {found!r} counts one byte a number; a number of {dtype} has {n_bytes}.",
        )
        expect(
            found == images + masks,
            f"{what} takes {images:,} + {masks:,} bytes, your function says {found!r}.",
        )


@check
def check_to_unit_range(to_unit_range) -> None:
    """`to_unit_range(stack)` -> float32 between 0 and 1, the input (uint8 or uint16) unchanged."""
    rng = np.random.default_rng(0)
    for dtype in ("uint8", "uint16"):
        largest = np.iinfo(dtype).max
        stack = rng.integers(0, largest, (16, 64, 64, 3), dtype=dtype, endpoint=True)
        before = stack.copy()
        scaled, peak = traced(to_unit_range, stack)
        expect(np.array_equal(stack, before), "the stack that came in has changed.")
        expect(isinstance(scaled, np.ndarray), "return a NumPy array.")
        right = scaled.shape == stack.shape and np.allclose(scaled, before / largest, atol=1e-6)
        expect(right, f"for {dtype}, the values should be those of stack / {largest:,}.")
        expect(
            scaled.dtype == np.float32,
            f"the result is {scaled.dtype}, {scaled.itemsize} bytes a number; float32 needs 4.",
        )
        held = peak / scaled.nbytes
        expect(
            held < 2.5, f"the result is right, but on the way you held {held:.1f} times its size."
        )


@check
def check_stack(stack) -> None:
    """`stack(readers, height, width)` -> uint8 (n, height, width, 3), never two copies of it."""
    n, height, width = 64, 64, 96
    readers = [functools.partial(np.full, (height, width, 3), k, dtype=np.uint8) for k in range(n)]
    stacked, peak = traced(stack, readers, height, width)
    shape, expected = (n, height, width, 3), np.arange(n, dtype=np.uint8)
    kind = type(stacked).__name__
    expect(isinstance(stacked, np.ndarray), f"return one NumPy array; this is a {kind}.")
    expect(stacked.shape == shape, f"its shape should be {shape}; yours is {stacked.shape}.")
    expect(stacked.dtype == np.uint8, f"the images are uint8; yours is {stacked.dtype}.")
    right = bool((stacked == expected[:, None, None, None]).all())
    expect(right, "the images in it are not those that the functions return, in their order.")
    expect(
        peak < 1.5 * stacked.nbytes,
        f"at its peak your function held {peak / stacked.nbytes:.1f} times the array's own size.",
    )
