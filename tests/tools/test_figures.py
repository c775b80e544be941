"""`make figures`: the moving picture, one frame for each round."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from helpers.windows import Geometry
from tools import figures

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def frames(path):
    """What each frame of a GIF shows, and for how many milliseconds."""
    with Image.open(path) as gif:
        for k in range(gif.n_frames):
            gif.seek(k)
            yield np.asarray(gif.convert("RGB")), gif.info["duration"]


def test_there_is_one_frame_for_each_round_and_the_last_one_stays(tmp_path):
    geometry = Geometry(n_images=12, window=4, stride=2, size=(8, 8))
    figures.animate(tmp_path / "a.gif", geometry)
    shown, durations = zip(*frames(tmp_path / "a.gif"), strict=True)
    assert len(shown) == geometry.n_rounds == 5
    assert durations == (*[figures.MS_A_FRAME] * 4, figures.MS_OF_THE_LAST)
    assert all((a != b).any() for a, b in pairwise(shown))
    assert all((frame[0, 0] == 255).all() for frame in shown)  # white is white


def test_the_stored_picture_has_all_rounds_in_less_than_a_megabyte():
    assert figures.FILE.stat().st_size < 1_000_000
    assert len(list(frames(figures.FILE))) == figures.GEOMETRY.n_rounds == 20


def test_the_command_draws_the_file_of_the_readme(monkeypatch, tmp_path, capsys):
    path = tmp_path / "notebooks" / "figures" / figures.FILE.name
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(figures, "PROJECT", tmp_path)
    monkeypatch.setattr(figures, "FILE", path)
    monkeypatch.setattr(figures, "GEOMETRY", Geometry(6, window=2, stride=2, size=(8, 8)))
    figures.main()
    assert len(list(frames(path))) == 3
    assert f"{path.relative_to(tmp_path)}: {path.stat().st_size / 1024:.0f} KiB" in (
        capsys.readouterr().out
    )
