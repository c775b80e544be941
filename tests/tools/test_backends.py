"""`python -m tools.backends`: each seed once, under the name of the backend that is there."""

import pandas as pd

from tools import backends


def test_each_seed_is_run_once(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    asked = []

    def measure(workshop, backend, seed):
        asked.append((backend, seed))
        return {"rows": [{"mean_iou": 0.5, "peak_mib": 900.0, "images_per_s": 70.0}]}

    monkeypatch.setattr(backends, "train_on_backend", measure)
    for _ in range(2):
        assert backends.main(["--output", str(tmp_path / "found"), "--seeds", "0", "3"]) == 0
    assert asked == [("tensorflow", 0), ("tensorflow", 3)]
    assert len(pd.read_csv(tmp_path / "found.csv")) == 2
    said = capsys.readouterr().out
    assert "tensorflow  seed 3: mean IoU 0.500, peak 900 MiB, 70 images/s" in said
