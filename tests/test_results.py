"""Results are plain JSON, replaced in one step."""

import json

import numpy as np
import pytest

from helpers.results import load_results, recorded, save_results


def test_numpy_numbers_come_back_as_plain_ones(tmp_path):
    path = save_results("05_x", tmp_path, a=np.float32(0.5), b=np.array([1, 2]), c={"d": 3})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 0.5, "b": [1, 2], "c": {"d": 3}}
    assert load_results("05_x", tmp_path) == {"a": 0.5, "b": [1, 2], "c": {"d": 3}}


def test_a_failed_write_leaves_the_old_file(tmp_path):
    save_results("05_x", tmp_path, a=1)
    with pytest.raises(TypeError, match="not set"):
        save_results("05_x", tmp_path, a={1, 2})
    assert load_results("05_x", tmp_path) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["05_x.json"]


def test_missing_results_name_the_notebook(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run notebooks/05_x\.ipynb"):
        load_results("05_x", tmp_path)


def test_an_unknown_recording_names_those_that_there_are():
    with pytest.raises(FileNotFoundError, match=r"results/magic\.json does not exist; there are: "):
        recorded("magic")
