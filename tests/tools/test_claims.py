"""`make claims`: runs that can be stopped and resumed, and a report that says what was measured."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

from experiments import records
from experiments.claims.variants import run_variant
from helpers.workshop import open_workshop
from tools import claims


@pytest.fixture
def made(monkeypatch):
    """The (variant, seed) of each run that is made; none is trained."""
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    runs = []

    def measure_peak(function, workshop, variant, seed, **_):
        assert function is run_variant and workshop.settings.source == "tiny"
        runs.append((variant, seed))
        names = ("split", "holdout", "holdout_parts", "first_window")
        return SimpleNamespace(value={"rows": [{f"{name}_mean_iou": 0.5 for name in names}]})

    monkeypatch.setattr(records, "measure_peak", measure_peak)
    return runs


def test_runs_are_resumed_and_say_what_was_measured(made, tmp_path, capsys):
    output = tmp_path / "claims"
    options = ["--output", str(output), "--seeds"]
    assert claims.main(["--variants", "article", *options, "0"]) == 0
    assert claims.main([*options, "0", "1"]) == 0
    assert made == [("article", 0)] + [
        (variant, seed)
        for seed in (0, 1)
        for variant in claims.VARIANTS
        if (variant, seed) != ("article", 0)
    ]
    about = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    assert (about["n_train"], about["n_holdout"], about["backbone"]) == (58, 20, "small")
    assert about["settings"]["window"] == 20 and about["settings"]["validation_share"] == 0.1
    assert "seed" not in about["settings"]
    assert len(pd.read_csv(output.with_suffix(".csv"))) == len(made)
    assert "sorted       seed 1: mean IoU split 0.500, hold" in capsys.readouterr().out


def test_runs_of_other_settings_are_not_mixed(made, tmp_path):
    output = tmp_path / "claims"
    claims.main(["--output", str(output), "--seeds", "0"])
    kept = output.with_suffix(".csv").read_bytes()
    with pytest.raises(ValueError, match="holds runs with data tiny, now it is mine"):
        claims.main(["--output", str(output), "--label", "mine"])
    assert output.with_suffix(".csv").read_bytes() == kept


def test_the_sizes_are_of_every_photograph_that_the_holdout_does_not_need(
    tmp_path, monkeypatch, voc_folder
):
    names = [f"2007_{number:06}" for number in range(170)]
    root = voc_folder(170, splits={"train": names[:100], "val": names[100:]})
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    monkeypatch.setenv("TUTORIAL_DATA", str(root))
    workshop = open_workshop()
    pool = claims.with_the_rest(workshop)
    assert len(workshop.holdout) == 20 and len(pool.train) == 150
    assert not {pair.id for pair in pool.train} & {pair.id for pair in workshop.holdout}
    asked = []
    monkeypatch.setattr(claims, "measure_tables", lambda *given: asked.append(given) or iter([]))
    claims.main(["--sizes", "--seeds", "0"])
    ((_, about, _, _, names, _),) = asked
    assert names == ["size_110"] and about["n_train"] == 150


@pytest.mark.parametrize("option", ["--voc", "--sizes"])
def test_the_photographs_must_be_given(option, made, capsys):
    with pytest.raises(SystemExit):
        claims.main([option])
    assert "TUTORIAL_DATA" in capsys.readouterr().err and not made
