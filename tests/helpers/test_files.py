"""A file is whole or not there."""

import json
import os

import numpy as np
import pytest

from helpers import files
from helpers.files import read_json, remove, replacing, write_bytes, write_json


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    file = tmp_path / "history.json"
    file.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), replacing(file) as temporary:
        temporary.write_text("ne", encoding="utf-8")
        raise RuntimeError
    assert file.read_text(encoding="utf-8") == "old"
    with replacing(file) as temporary:
        temporary.write_text("new", encoding="utf-8")
        assert file.read_text(encoding="utf-8") == "old"
    assert file.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_the_temporary_name_keeps_the_suffix_and_holds_the_process_number(tmp_path):
    with replacing(tmp_path / "last.keras") as temporary:
        assert temporary == tmp_path / f".last.{os.getpid()}.partial.keras"
        temporary.write_bytes(b"1")


def test_a_file_that_was_never_begun_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "x.json"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_machine_that_stops_before_the_renaming_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "x.bin"
    write_bytes(file, b"old")

    def stop(source, target):
        raise OSError("the machine stopped")

    monkeypatch.setattr(files.os, "replace", stop)
    with pytest.raises(OSError, match="the machine stopped"):
        write_bytes(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_killed_process_left_is_removed_with_the_file(tmp_path):
    others = [tmp_path / name for name in ("last.json", "last2.keras", ".last.12.partial.json")]
    of_this = [tmp_path / name for name in ("last.keras", ".last.12.partial.keras")]
    for file in others + of_this:
        write_bytes(file, b"1")
    remove(tmp_path / "last.keras")
    assert set(tmp_path.iterdir()) == set(others)
    remove(tmp_path / "last.keras")
    assert set(tmp_path.iterdir()) == set(others)


def test_numpy_numbers_come_back_as_plain_ones(tmp_path):
    path = tmp_path / "a" / "new" / "folder" / "x.json"
    write_json(path, {"a": np.float32(0.5), "b": np.array([1, 2]), "c": {"d": 3}, "e": "é"})
    plain = {"a": 0.5, "b": [1, 2], "c": {"d": 3}, "e": "é"}
    assert json.loads(path.read_text(encoding="utf-8")) == plain
    assert path.read_bytes().endswith(b"}\n")
    assert read_json(path) == plain


def test_what_json_cannot_hold_is_refused_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError, match="not set"):
        write_json(path, {"a": {1, 2}})
    assert read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]
