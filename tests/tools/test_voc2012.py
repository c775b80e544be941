"""`python -m tools.voc2012`: what it says, what it is told."""

import pytest

from helpers.data.voc2012 import ARCHIVE, fetch_voc2012
from helpers.settings import DATA_FOLDERS
from tests.support import VOC_FILES, names_below
from tools import voc2012
from tools.voc2012 import main


@pytest.fixture(autouse=True)
def small_archive(voc_archive, monkeypatch):
    """The command line knows no checksum but VOC's; here it is that of the small archive."""
    monkeypatch.setattr(fetch_voc2012, "__defaults__", (None, None, voc_archive.md5))
    monkeypatch.delenv("TUTORIAL_VOC_URLS", raising=False)


def test_it_says_how_to_use_what_it_has_unpacked(tmp_path, voc_archive, capsys):
    main(["--archive", str(voc_archive.path), "--out", str(tmp_path / "data")])
    root = tmp_path / "data" / "VOCdevkit" / "VOC2012"
    printed = capsys.readouterr().out
    assert f"TUTORIAL_DATA={root}" in printed and "no longer needed" not in printed
    assert names_below(root) == VOC_FILES


def test_a_missing_archive_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["--archive", str(tmp_path / "no.tar"), "--out", str(tmp_path / "new")])
    assert end.value.code == 1 and "no.tar" in capsys.readouterr().err


def test_the_environment_names_the_addresses(tmp_path, server, monkeypatch, capsys):
    monkeypatch.setenv("TUTORIAL_VOC_URLS", f"{server.url}/dead {server.url}/good")
    main(["--out", str(tmp_path)])
    assert server.hits == ["/dead", "/good"]
    assert f"{tmp_path / ARCHIVE} is no longer needed" in capsys.readouterr().out
    monkeypatch.setenv("TUTORIAL_VOC_URLS", " ")
    with pytest.raises(SystemExit) as end:
        main(["--out", str(tmp_path / "new")])
    assert end.value.code == 1 and "TUTORIAL_VOC_URLS" in capsys.readouterr().err


def test_the_default_folder_is_the_projects_own(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(voc2012, "fetch_voc2012", lambda *given: asked.append(given) or tmp_path)
    monkeypatch.chdir(tmp_path)
    main([])
    ((folder, archive, urls),) = asked
    assert folder / "VOCdevkit" / "VOC2012" == DATA_FOLDERS["voc2012"]
    assert archive is None and urls is None
