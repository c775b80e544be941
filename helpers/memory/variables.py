"""Which variables may go to a child process: small ones that JSON can write."""

import json
import keyword
from pathlib import PurePath

from helpers.memory.sizes import MIB

LARGEST_BYTES = MIB
ALLOWED = "int, float, str, bool, None, and lists, dicts with text keys and paths of these"


def json_like(variables: dict) -> dict:
    """Return a copy of ``variables`` as the child gets them; paths become text.

    ValueError, naming the variable, for anything else than JSON-like values, for names that are
    none, and for more than 1 MiB in all.
    """
    for name in variables:
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"{name!r} is not the name of a variable.")
    plain = {name: _plain(name, value) for name, value in variables.items()}
    text = json.dumps(plain)
    if len(text) > LARGEST_BYTES:
        raise ValueError(
            f"{', '.join(plain)}: {len(text):,} bytes are too many to pass; save them in a file "
            "and pass its path."
        )
    return json.loads(text)


def _plain(name: str, value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, list):
        return [_plain(f"{name}[{i}]", item) for i, item in enumerate(value)]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(f"{name}[{key!r}]", item) for key, item in value.items()}
    raise ValueError(
        f"{name} is of type {type(value).__name__}, which cannot be passed to the child. "
        f"Allowed: {ALLOWED}."
    )
