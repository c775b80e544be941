"""Key figures are plain JSON, replaced in one step."""

import json

import numpy as np
import pytest

from helpers.files import read_json
from helpers.notebook import save_results


def test_numpy_numbers_come_back_as_plain_ones(tmp_path):
    path = save_results("05_x", tmp_path, a=np.float32(0.5), b=np.array([1, 2]), c={"d": 3})
    assert path == tmp_path / "05_x.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 0.5, "b": [1, 2], "c": {"d": 3}}
    assert read_json(path) == {"a": 0.5, "b": [1, 2], "c": {"d": 3}}


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = save_results("05_x", tmp_path, a=1)
    with pytest.raises(TypeError, match="not set"):
        save_results("05_x", tmp_path, a={1, 2})
    assert read_json(path) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["05_x.json"]
