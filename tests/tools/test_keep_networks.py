"""The networks that come with the tutorial: made by a recipe, and again only when it changes."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.files import read_json
from helpers.network import load_kept
from helpers.network.kept import LIST
from helpers.scoring import evaluate, scores
from helpers.settings import PROFILES, PROJECT
from helpers.windows import Geometry
from helpers.workshop import KEPT
from tests.support import tiny_workshop
from tools import keep_networks
from tools.keep_networks import recipe_of

NAMES = ["fcn8s", "fcn16s", "fcn32s"]


@pytest.fixture(scope="module")
def workshop():
    return tiny_workshop()


@pytest.fixture
def trained(monkeypatch):
    """The networks that are trained, by name; none really is."""
    names = []
    monkeypatch.setattr(
        keep_networks, "_train", lambda workshop, model, n: names.append(model.name)
    )
    return names


@pytest.mark.slow
def test_a_network_is_trained_and_its_score_is_that_of_the_kept_weights(
    workshop, tmp_path, monkeypatch
):
    monkeypatch.setattr(keep_networks, "STRIDES", (32,))
    assert keep_networks.keep_networks(workshop, tmp_path, rounds=2) == ["fcn32s"]
    model = workshop.network(stride=32)
    start = model.get_weights()
    about = load_kept(model, tmp_path / "fcn32s.npz")
    assert not np.array_equal(start[0], model.get_weights()[0]), "it has learned nothing"
    assert about["rounds"] == about["recipe"]["rounds"] == 2
    assert about["recipe"]["geometry"]["window"] == workshop.geometry.window
    with workshop.holdout_data() as holdout:
        found = scores(evaluate(model, holdout)).mean_iou
    assert found == pytest.approx(about["mean_iou"], abs=1e-4)


def test_what_fits_the_recipe_is_left_and_what_does_not_is_made_again(
    workshop, tmp_path, trained, monkeypatch
):
    monkeypatch.setattr(keep_networks, "_checked_score", lambda workshop, model: 0.5)
    assert keep_networks.keep_networks(workshop, tmp_path) == NAMES
    before = (tmp_path / LIST).read_bytes()
    assert keep_networks.keep_networks(workshop, tmp_path) == []
    assert (tmp_path / LIST).read_bytes() == before
    (tmp_path / "fcn16s.npz").unlink()
    assert keep_networks.keep_networks(workshop, tmp_path) == ["fcn16s"]
    assert keep_networks.keep_networks(workshop, tmp_path, rounds=3) == NAMES
    assert keep_networks.keep_networks(workshop, tmp_path, rounds=3, anew=True) == NAMES
    assert len(trained) == 10
    assert {entry["rounds"] for entry in read_json(tmp_path / LIST).values()} == {3}


def test_the_recipe_is_the_same_twice_and_another_for_anything_that_matters(workshop):
    def recipe(workshop, stride=32, rounds=8, **settings):
        model = workshop.network(stride=stride, n_steps=100, **settings)
        return recipe_of(workshop, model, rounds)

    usual = recipe(workshop)
    assert recipe(workshop) == usual
    other_order = replace(workshop, train=workshop.train[::-1])
    other_windows = replace(workshop, geometry=replace(workshop.geometry, passes=4))
    assert recipe(other_order) != usual and recipe(other_windows) != usual
    assert recipe(workshop, stride=16) != usual and recipe(workshop, rounds=7) != usual
    assert recipe(workshop, seed=1) != usual


def test_weights_that_half_precision_spoils_are_not_written(
    workshop, tmp_path, trained, monkeypatch
):
    found = iter([SimpleNamespace(mean_iou=0.8), SimpleNamespace(mean_iou=0.794)])
    monkeypatch.setattr(keep_networks, "scores", lambda matrix: next(found))
    with pytest.raises(ValueError, match=r"fcn8s_small: .*from 0\.8000 to 0\.7940"):
        keep_networks.keep_networks(workshop, tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_the_kept_ones_were_made_by_the_recipe_of_the_workshop():
    """As far as it can be told without drawing the data; `make outputs` looks at all of it."""
    profile = PROFILES["workshop"]
    for name, about in read_json(KEPT / LIST).items():
        recipe = about["recipe"]
        n_images = recipe["geometry"]["n_images"]
        geometry = Geometry.scaled(n_images, profile.size, profile.batch_size, seed=0)
        assert recipe["geometry"] == json.loads(json.dumps(asdict(geometry))), name
        assert recipe["rounds"] == about["rounds"] == keep_networks.ROUNDS
    assert sorted(read_json(KEPT / LIST)) == sorted(NAMES)


def test_notebook_4_trains_as_long_as_the_kept_ones_were_trained():
    text = (PROJECT / "notebooks" / "04_iou_visualisation.ipynb").read_text(encoding="utf-8")
    assert f'"ROUNDS = {keep_networks.ROUNDS}\\n"' in text
