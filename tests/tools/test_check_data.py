"""`make check-data`: what it prints, writes and ends with."""

import json

import pytest

from helpers.settings import DATA_FOLDERS
from tests.layouts import lay_out
from tools.check_data import main


@pytest.fixture
def root(tmp_path):
    return lay_out("own_grey", tmp_path / "own", 4, 2)


def test_a_sound_folder_ends_well(root, tmp_path, capsys):
    assert main([str(root), "--json", str(tmp_path / "check.json")]) == 0
    printed = capsys.readouterr().out
    assert "6 images, 6 masks, 0 problems" in printed and "No problem was found." in printed
    assert json.loads((tmp_path / "check.json").read_text())["problems"] == []


def test_a_problem_ends_with_1_and_can_be_left_out(root, tmp_path, capsys):
    masks = sorted((root / "masks").iterdir())
    masks[0].unlink()
    options = [str(root), "--json", str(tmp_path / "check.json")]
    assert main(options) == 1 and not (root / "leave_out.txt").exists()
    assert main([*options, "--leave-out"]) == 1
    assert "1 images are passed over from now on" in capsys.readouterr().out
    assert main(options) == 0
    masks[1].write_text("no picture")
    assert main([*options, "--leave-out"]) == 1
    assert (root / "leave_out.txt").read_text().split() == [masks[0].stem, masks[1].stem]


def test_without_a_folder_it_looks_at_the_tutorials(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TUTORIAL_DATA", str(DATA_FOLDERS["tiny"]))
    assert main(["--json", str(tmp_path / "check.json")]) == 0
    assert "80 images, 80 masks, 0 problems" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SystemExit) as end:
        main([str(tmp_path / "gone")])
    assert end.value.code == 2
