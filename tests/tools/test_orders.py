"""The orders, several seeds each: what is made, written and printed."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

from experiments import records
from experiments.claims.orders import learn
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
        return SimpleNamespace(value={"rows": [{"mean_iou": 0.25}, {"mean_iou": 0.5}]})

    monkeypatch.setattr(records, "measure_peak", measure_peak)
    return runs


def test_every_order_is_learnt_with_each_seed(made, tmp_path, capsys):
    output = tmp_path / "deeper" / "orders"
    assert orders.main(["--output", str(output), "--seeds", "0", "3"]) == 0
    assert made == [(learn, "tiny", order, seed) for seed in (0, 3) for order in orders.ORDERS]
    about = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    assert (about["data"], about["backbone"]) == ("tiny", "small")
    assert about["settings"]["window"] == 20 and "seed" not in about["settings"]
    table = pd.read_csv(output.with_suffix(".csv"))
    assert len(table) == 2 * len(made) and {*table.order} == {*orders.ORDERS}
    assert "small_sorted       seed 3: mean IoU 0.500" in capsys.readouterr().out


def test_runs_are_resumed(made, tmp_path):
    options = ["--output", str(tmp_path / "orders"), "--seeds", "0", "--orders"]
    orders.main([*options, "batch"])
    orders.main([*options, "article", "batch"])
    assert [order for _, _, order, _ in made] == ["batch", "article"]


def test_an_unknown_order_is_refused(made, capsys):
    with pytest.raises(SystemExit):
        orders.main(["--orders", "random"])
    assert "invalid choice: 'random'" in capsys.readouterr().err and not made


@pytest.mark.slow
def test_a_run_in_a_process_of_its_own_is_kept(tmp_path):
    output = tmp_path / "orders"
    assert orders.main(["--output", str(output), "--seeds", "1", "--orders", "everything"]) == 0
    table = pd.read_csv(output.with_suffix(".csv"))
    assert {*table.order} == {"everything"} and {*table.seed} == {1}
    assert {*table.decoded_images} == {58} and [*table.step] == [75, 150, 225, 300]
    assert table.mean_iou.between(0, 1, inclusive="neither").all()
