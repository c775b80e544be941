"""Files that are whole or not there: written under another name, then renamed."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename that file to `path` once it is complete.

    A crash or an error before that leaves the old file as it was. The temporary name is hidden,
    keeps the suffix, which tells Keras the format, and holds the process's number, so that two
    processes cannot write the same file.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Delete a file, and what a killed process left of it half-written; neither need be there."""
    path.unlink(missing_ok=True)
    for partial in path.parent.glob(f".{path.stem}.*.partial{path.suffix}"):
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` in one step."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def write_json(path: Path, content: dict | list) -> None:
    """Write `content` as JSON in one step, NumPy numbers as plain ones; makes the folder."""
    text = json.dumps(content, indent=2, default=_plain) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, text.encode())


def read_json(path: Path) -> dict:
    """Read what `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def _plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"JSON holds numbers, texts, lists and dicts, not {type(value).__name__}")
