"""The bytes of an array, predicted before anything is allocated."""

import operator
import sys
from collections.abc import Sequence
from math import prod

import numpy as np

POINTER_BYTES = 8


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

    Notebook 01, "From a file to an array".
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
