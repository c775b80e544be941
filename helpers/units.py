"""Numbers of bytes: units, read from text and written for people."""

import re
from decimal import Decimal

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
