"""`make plan`: what it prints, and a budget that is too small."""

import pytest

from helpers.planning import Speeds
from helpers.units import MIB
from tools import plan


@pytest.fixture(autouse=True)
def known_speeds(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    speeds = Speeds(step_s=0.1, decode_s=0.001, other_bytes=500 * MIB)
    monkeypatch.setattr("helpers.planning.measure_speeds", lambda workshop: speeds)


def test_it_plans_for_all_images_and_compares_with_known_sets(capsys):
    assert plan.main(["--budget", "600 MiB", "--passes", "2"]) == 0
    printed = capsys.readouterr().out
    assert "58 pairs" in printed and "A window of 20 images" in printed
    assert "2 passes over each window" in printed and "Cityscapes" in printed


def test_a_budget_that_is_too_small_ends_with_1(capsys):
    with pytest.raises(SystemExit) as end:
        plan.main(["--budget", "400 MiB"])
    assert end.value.code == 1 and "is too small" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        plan.main(["--passes", "0"])
    assert end.value.code == 2
