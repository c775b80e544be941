"""`make claims`: runs that can be stopped and resumed, and a report that says what was measured."""

import json
from types import SimpleNamespace

import pytest

from experiments import records
from experiments.claims.variants import run_variant
from experiments.records import recorded
from tools import claims

SCORE = {"mean_iou": 0.5, "pixel_accuracy": 0.9}


@pytest.fixture
def made(monkeypatch):
    """The (variant, seed) of each run that is made; none is trained."""
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    runs = []

    def measure_peak(function, workshop, variant, seed, **_):
        assert function is run_variant and workshop.settings.source == "tiny"
        runs.append((variant, seed))
        names = ("split", "holdout", "holdout_parts", "first_window")
        last = {name: SCORE for name in names}
        return SimpleNamespace(value={"variant": variant, "seed": seed, "rounds": [last]})

    monkeypatch.setattr(records, "measure_peak", measure_peak)
    return runs


def test_runs_are_resumed_and_say_what_was_measured(made, tmp_path, capsys):
    output = tmp_path / "claims.json"
    options = ["--output", str(output), "--seeds"]
    assert claims.main(["--variants", "article", *options, "0"]) == 0
    assert claims.main([*options, "0", "1"]) == 0
    assert made == [("article", 0)] + [
        (variant, seed)
        for seed in (0, 1)
        for variant in claims.VARIANTS
        if (variant, seed) != ("article", 0)
    ]
    written = json.loads(output.read_text(encoding="utf-8"))
    kept = recorded("claims")
    assert set(written) == set(kept) and set(written["settings"]) == set(kept["settings"])
    assert (written["n_train"], written["n_holdout"], written["backbone"]) == (58, 20, "small")
    assert written["settings"]["window"] == 20 and written["settings"]["validation_share"] == 0.1
    assert "seed" not in written["settings"] and len(written["runs"]) == len(made)
    assert "sorted       seed 1: mean IoU split 0.500, hold" in capsys.readouterr().out


def test_runs_of_other_settings_are_not_mixed(made, tmp_path):
    output = tmp_path / "claims.json"
    claims.main(["--output", str(output), "--seeds", "0"])
    kept = output.read_bytes()
    with pytest.raises(ValueError, match="holds runs with data tiny, now it is mine"):
        claims.main(["--output", str(output), "--label", "mine"])
    assert output.read_bytes() == kept


def test_the_photographs_must_be_given(made, capsys):
    with pytest.raises(SystemExit):
        claims.main(["--voc"])
    assert "TUTORIAL_DATA" in capsys.readouterr().err and not made
