"""`python -m tools.head`: every way and seed once, and only with a backbone that has a head."""

import pandas as pd
import pytest

from helpers.files import read_json
from tools import head


def test_each_way_is_run_with_each_seed_once(monkeypatch, tmp_path, capsys):
    weights = tmp_path / "mobilenet.weights.h5"
    weights.touch()
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    monkeypatch.setenv("TUTORIAL_WEIGHTS", str(weights))
    asked = []

    def learn(workshop, way, seed):
        asked.append((way, seed))
        return {"rows": [{"mean_iou": 0.5}]}

    monkeypatch.setattr(head, "learn_photographs", learn)
    monkeypatch.setattr(
        head, "in_a_fresh_process", lambda f, workshop: lambda *of: f(workshop, *of)
    )
    output = ["--output", str(tmp_path / "head"), "--ways", "article", "everything"]
    for _ in range(2):
        assert head.main([*output, "--seeds", "0", "1"]) == 0
    assert asked == [("article", 0), ("everything", 0), ("article", 1), ("everything", 1)]
    assert len(pd.read_csv(tmp_path / "head.csv")) == 4
    n_images = read_json(tmp_path / "head.json")["images_per_class"]
    assert n_images["background"] == 58 > max(n_images[name] for name in [*n_images][1:])
    assert "everything    seed 1: mean IoU 0.500" in capsys.readouterr().out


def test_without_weights_it_says_what_is_missing(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    with pytest.raises(SystemExit):
        head.main(["--output", str(tmp_path / "head")])
    assert "set TUTORIAL_WEIGHTS" in capsys.readouterr().err
