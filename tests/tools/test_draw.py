"""`python -m tools.draw`: the sets it draws, what it is told, and a run that is killed."""

import json
import subprocess
import sys
import time

import psutil
import pytest
from PIL import Image

from helpers.data.shapes import is_complete
from helpers.settings import DATA_FOLDERS, PROJECT
from tools import draw
from tools.draw import main


def test_a_set_is_drawn_as_told(tmp_path, capsys):
    out = tmp_path / "set"
    main(["--out", str(out), "--train", "2", "--val", "1", "--size", "64x48"])
    assert is_complete(out) and f"{out} is complete" in capsys.readouterr().out
    assert json.loads((out / "settings.json").read_text(encoding="utf-8"))["size"] == [48, 64]
    with pytest.raises(SystemExit) as end:
        main(["--out", str(out), "--train", "3", "--val", "1", "--size", "64x48"])
    assert end.value.code == 1 and "delete that folder" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["big", "64", "64x48x3"])
def test_a_size_that_is_none_is_told_how_to_write_one(tmp_path, capsys, size):
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path / "set"), "--size", size])
    assert "500x375" in capsys.readouterr().err


def test_the_default_folders_are_the_projects_own(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(draw, "draw_set", lambda out, **settings: asked.append((out, settings)))
    main([])
    main(["--tiny"])
    assert asked == [
        (DATA_FOLDERS["shapes"], {}),
        (DATA_FOLDERS["tiny"], {"n_train": 60, "n_val": 20, "size": (120, 160)}),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_killed_run_leaves_whole_files_and_no_lists(tmp_path):
    out = tmp_path / "set"
    command = [sys.executable, "-m", "tools.draw", "--out", str(out), "--train", "200"]
    process = psutil.Popen(command, cwd=PROJECT, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while len(list(out.glob("JPEGImages/shapes_*.jpg"))) < 4:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        assert process.children(recursive=True) == []
    finally:
        process.kill()
        process.wait()
    assert not is_complete(out) and not list(out.rglob("train*.txt"))
    for path in out.rglob("shapes_*.*"):
        if ".partial." not in path.name:
            with Image.open(path) as image:
                image.load()
