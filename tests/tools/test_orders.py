"""The orders, several seeds each: what is made, written and printed."""

import json
from types import SimpleNamespace

import pytest

from experiments import records
from experiments.claims.orders import learn
from experiments.records import recorded
from tools import orders


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")


@pytest.fixture
def made(monkeypatch):
    """The (function, source, order, seed) of each run that is made; none is trained."""
    runs = []

    def measure_peak(function, workshop, order, seed, **_):
        runs.append((function, workshop.settings.source, order, seed))
        value = {"order": order, "seed": seed, "scores": [{"mean_iou": 0.25}, {"mean_iou": 0.5}]}
        return SimpleNamespace(value=value)

    monkeypatch.setattr(records, "measure_peak", measure_peak)
    return runs


def test_every_order_is_learnt_with_each_seed(made, tmp_path, capsys):
    output = tmp_path / "deeper" / "learning.json"
    assert orders.main(["--output", str(output), "--seeds", "0", "3"]) == 0
    assert made == [(learn, "tiny", order, seed) for seed in (0, 3) for order in orders.ORDERS]
    written = json.loads(output.read_text(encoding="utf-8"))
    kept = recorded("learning")
    assert set(written) == set(kept) and set(written["settings"]) == set(kept["settings"])
    assert (written["data"], written["backbone"]) == ("tiny", "small")
    assert written["settings"]["window"] == 20 and len(written["runs"]) == len(made)
    assert "small_sorted       seed 3: mean IoU 0.500" in capsys.readouterr().out


def test_runs_are_resumed(made, tmp_path):
    options = ["--output", str(tmp_path / "learning.json"), "--seeds", "0", "--orders"]
    orders.main([*options, "batch"])
    orders.main([*options, "article", "batch"])
    assert [order for _, _, order, _ in made] == ["batch", "article"]


def test_an_unknown_order_is_refused(made, capsys):
    with pytest.raises(SystemExit):
        orders.main(["--orders", "random"])
    assert "invalid choice: 'random'" in capsys.readouterr().err and not made


@pytest.mark.slow
def test_a_run_in_a_process_of_its_own_is_kept(tmp_path):
    output = tmp_path / "learning.json"
    assert orders.main(["--output", str(output), "--seeds", "1", "--orders", "everything"]) == 0
    (run,) = json.loads(output.read_text(encoding="utf-8"))["runs"]
    assert (run["order"], run["seed"], run["decoded_images"]) == ("everything", 1, 58)
    assert [score["step"] for score in run["scores"]] == [75, 150, 225, 300]
    assert all(0 < score["mean_iou"] < 1 for score in run["scores"])
