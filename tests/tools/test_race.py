"""The paired race: who runs in which turn, and that a stopped one goes on."""

import json

import pandas as pd
import pytest

from experiments.race.loaders import LOADERS
from experiments.race.schedule import Schedule
from tools import race


@pytest.fixture
def run(monkeypatch):
    """The methods in the order in which they are measured; none is trained."""
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    methods = []

    def measure_method(method, settings, workshop):
        methods.append(method)
        assert settings.train and not settings.load and not settings.score
        return {"method": method, "images_per_s": 100.0, "decoded_images": 272}

    monkeypatch.setattr(race, "measure_method", measure_method)
    return methods


def test_all_six_run_in_every_turn_in_another_order(run, tmp_path, capsys):
    assert race.main(["--turns", "2", "--output", str(tmp_path / "race"), "--label", "mine"]) == 0
    assert set(race.RUNNERS) <= set(LOADERS) and len(race.RUNNERS) == 6
    assert sorted(run[:6]) == sorted(run[6:]) == sorted(race.RUNNERS) and run[:6] != run[6:]
    table = pd.read_csv(tmp_path / "race.csv")
    assert table["turn"].tolist() == 6 * [1] + 6 * [2] and table["method"].tolist() == run
    assert {*table["images_per_s"]} == {100} and table["processor"].notna().all()
    about = json.loads((tmp_path / "race.json").read_text(encoding="utf-8"))
    assert about["data"] == "mine" and about["settings"]["n_rounds"] == 8
    assert "turn 2, " in capsys.readouterr().out


def test_turns_that_are_there_are_not_run_again(run, tmp_path):
    output = ["--output", str(tmp_path / "race")]
    race.main(["--turns", "1", *output])
    race.main(["--turns", "2", *output])
    assert len(run) == 12


def test_a_turn_is_as_many_steps_as_every_loader_can_take(tmp_path):
    schedule = Schedule(range(272), tmp_path, race.GEOMETRY)  # it looks at the length alone
    assert schedule.geometry.n_steps == 400


def test_no_turn_is_refused(run, capsys):
    with pytest.raises(SystemExit):
        race.main(["--turns", "0"])
    assert "--turns" in capsys.readouterr().err and not run


def test_the_peers_are_measured_alone_too(monkeypatch, tmp_path):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    asked = []

    def measure_method(method, settings, workshop):
        asked.append((method, settings.train, settings.load, settings.geometry.n_steps))
        return {"method": method, "images_per_s": 1.0}

    monkeypatch.setattr(race, "measure_method", measure_method)
    race.main(["--peers", "--turns", "1", "--output", str(tmp_path / "peers")])
    assert sorted(asked) == [(method, True, True, 200) for method in sorted(race.PEERS)]
