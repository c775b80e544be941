"""Sizes in bytes: read, written, and predicted before anything is allocated."""

import operator
import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from math import prod

import numpy as np

MIB = 2**20

UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": MIB,
    "GiB": 2**30,
    "TiB": 2**40,
}
POINTER_BYTES = 8


def parse_bytes(size: str | int) -> int:
    """Return the number of bytes that ``size`` says: ``"512 MiB"``, ``"1.5 GiB"``, ``"64 MB"``.

    Units: B, kB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024). An ``int``
    already counts bytes and is returned as it is. ValueError for text without a number, without
    a unit, or with a unit written in another way (the message says which one was probably meant).
    """
    if isinstance(size, int) and not isinstance(size, bool):
        return size
    if not isinstance(size, str):
        raise ValueError(f"{size!r} is not a size: write a number and a unit, such as '512 MiB'.")
    match = re.fullmatch(r"\s*([+-]?\d+(?:\.\d+)?)\s*([^\W\d]*)\s*", size, flags=re.ASCII)
    if not match:
        raise ValueError(f"{size!r} is not a size: write a number and a unit, such as '512 MiB'.")
    number, unit = match.groups()
    if not unit:
        raise ValueError(f"{size!r} has no unit: write one of {', '.join(UNITS)}.")
    if unit not in UNITS:
        meant = [name for name in UNITS if name.lower() == unit.lower()]
        hint = f"did you mean {meant[0]}?" if meant else f"use one of {', '.join(UNITS)}."
        raise ValueError(f"{size!r}: there is no unit {unit!r}, {hint}")
    return int(Decimal(number) * UNITS[unit])


def format_bytes(n_bytes: int | float) -> str:
    """Return ``n_bytes`` for people: ``"512.0 MiB"``, ``"1.50 GiB"``, ``"-3.0 MiB"``."""
    for unit, decimals in (("B", 0), ("KiB", 1), ("MiB", 1), ("GiB", 2), ("TiB", 2)):
        text = f"{n_bytes / UNITS[unit]:,.{decimals}f} {unit}"
        if round(abs(n_bytes) / UNITS[unit], decimals) < 1024:
            break
    return text


def predict_bytes(
    shape: int | Sequence[int],
    dtype: str | type | np.dtype = "uint8",
    *,
    one_hot: int | None = None,
    as_list: bool = False,
) -> int:
    """Return how many bytes an array of ``shape`` and ``dtype`` will take, without making it.

    ``one_hot=n`` is a mask of class ids of this shape written as ``n`` planes, one per class, of
    the given dtype. ``as_list=True`` is a Python list of ``shape[0]`` separate arrays: each costs
    an array object (``sys.getsizeof`` on this interpreter) and a pointer of 8 bytes in the list.
    ValueError for sizes that are not whole numbers of 0 or more and for dtypes that NumPy does
    not know or whose elements have no fixed size.
    """
    sizes = _whole_sizes(shape)
    itemsize = _fixed_itemsize(dtype)
    if one_hot is not None:
        (n_classes,) = _whole_sizes((one_hot,))
        if n_classes == 0:
            raise ValueError("one_hot=0: give the number of classes, 1 or more.")
        sizes = (*sizes, n_classes)
    total = prod(sizes) * itemsize
    if as_list:
        if not sizes:
            raise ValueError("as_list=True needs a shape whose first number counts the arrays.")
        one_byte = np.empty((1,) * (len(sizes) - 1), dtype="uint8")
        total += sizes[0] * (sys.getsizeof(one_byte) - one_byte.nbytes + POINTER_BYTES)
    return total


def _whole_sizes(shape: int | Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(shape) if np.iterable(shape) else (shape,)
    try:
        whole = tuple(operator.index(size) for size in sizes)
    except TypeError:
        raise ValueError(f"shape {shape!r}: sizes are whole numbers.") from None
    if any(size < 0 for size in whole) or any(isinstance(size, bool) for size in sizes):
        raise ValueError(f"shape {shape!r}: sizes are whole numbers of 0 or more.")
    return whole


def _fixed_itemsize(dtype: str | type | np.dtype) -> int:
    if dtype is None:
        raise ValueError("dtype None: name one, such as 'uint8' or 'float32'.")
    try:
        known = np.dtype(dtype)
    except TypeError:
        raise ValueError(f"NumPy knows no dtype {dtype!r}; try 'uint8' or 'float32'.") from None
    if known.hasobject or known.itemsize == 0:
        raise ValueError(f"dtype {dtype!r}: its elements have no fixed size in bytes.")
    return known.itemsize
