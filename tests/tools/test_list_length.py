"""The lengths that are measured, and that a measurement is resumed."""

import pandas as pd
import pytest

from tools import list_length


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    calls = []

    def in_a_fresh_process(function, workshop):
        assert function is list_length.hold

        def measure(way, images):
            calls.append((way, images))
            return {"rows": [{"peak_mib": 12.0, "arrays_mib": 10, "decoded_images": images}]}

        return measure

    monkeypatch.setattr(list_length, "in_a_fresh_process", in_a_fresh_process)
    return calls


def test_both_ways_are_measured_at_every_length_once(made, tmp_path, capsys):
    options = ["--output", str(tmp_path / "lengths")]
    assert list_length.main([*options, "--lengths", "200"]) == 0
    list_length.main([*options, "--lengths", "200", "20000"])
    assert made == [(way, n) for n in (200, 20_000) for way in list_length.WAYS]
    table = pd.read_csv(tmp_path / "lengths.csv")
    assert table[["way", "images"]].apply(tuple, axis=1).tolist() == made
    assert " 20,000 images, a window of 200 over the list " in capsys.readouterr().out


def test_a_list_shorter_than_the_window_is_refused(made, capsys):
    with pytest.raises(SystemExit):
        list_length.main(["--lengths", "100"])
    assert "200 or more" in capsys.readouterr().err and not made
