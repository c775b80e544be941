"""VOC 2012, against a small archive in its layout and a local server."""

import tarfile
from types import SimpleNamespace

import pytest

from helpers.data import download, voc2012
from helpers.data.voc2012 import fetch_voc2012
from tests.support import VOC_FILES, VOC_PREFIX, names_below, pack_voc


def test_downloads_and_unpacks_only_what_segmentation_needs(tmp_path, voc_archive, server):
    root = fetch_voc2012(tmp_path / "data", urls=[f"{server.url}/good"], md5=voc_archive.md5)
    assert root == tmp_path / "data" / "VOCdevkit" / "VOC2012"
    assert names_below(root) == VOC_FILES
    with tarfile.open(voc_archive.path) as tar:
        for name in VOC_FILES:
            assert (root / name).read_bytes() == tar.extractfile(f"{VOC_PREFIX}/{name}").read()
    assert {p.name for p in root.parent.iterdir()} == {"VOC2012"}
    assert sum(server.sent) == len(voc_archive.content)


def test_a_second_call_asks_for_nothing(tmp_path, voc_archive, server):
    urls = [f"{server.url}/good"]
    first = fetch_voc2012(tmp_path, urls=urls, md5=voc_archive.md5)
    assert fetch_voc2012(tmp_path, urls=urls, md5=voc_archive.md5) == first
    assert len(server.hits) == 1


def test_a_kept_archive_is_not_downloaded_again(tmp_path, voc_archive, server):
    (tmp_path / voc2012.ARCHIVE).write_bytes(voc_archive.content)
    root = fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=voc_archive.md5)
    assert names_below(root) == VOC_FILES and server.hits == []


def test_a_part_of_the_archive_is_completed(tmp_path, voc_archive, server):
    half = len(voc_archive.content) // 2
    (tmp_path / f"{voc2012.ARCHIVE}.part").write_bytes(voc_archive.content[:half])
    root = fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=voc_archive.md5)
    assert names_below(root) == VOC_FILES
    assert server.ranges == [f"bytes={half}-"]
    assert sum(server.sent) == len(voc_archive.content) - half


def test_a_part_of_another_file_is_thrown_away(tmp_path, voc_archive, server):
    (tmp_path / f"{voc2012.ARCHIVE}.part").write_bytes(b"x" * 1000)
    root = fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=voc_archive.md5)
    assert names_below(root) == VOC_FILES
    assert server.ranges == ["bytes=1000-", None]


def test_the_next_address_is_tried(tmp_path, voc_archive, server):
    urls = [f"{server.url}/{path}" for path in ("dead", "page", "other", "good")]
    root = fetch_voc2012(tmp_path, urls=urls, md5=voc_archive.md5)
    assert names_below(root) == VOC_FILES
    assert server.hits == ["/dead", "/page", "/other", "/good"]


def test_without_addresses_the_known_ones_are_tried(tmp_path, voc_archive, server, monkeypatch):
    monkeypatch.setattr(voc2012, "URLS", (f"{server.url}/dead", f"{server.url}/good"))
    fetch_voc2012(tmp_path, md5=voc_archive.md5)
    assert server.hits == ["/dead", "/good"]


def test_all_addresses_dead_gives_one_error_with_every_reason(tmp_path, voc_archive, server):
    urls = [f"{server.url}/dead", f"{server.url}/page", f"{server.url}/other", "http://127.0.0.1:9"]
    with pytest.raises(ConnectionError) as caught:
        fetch_voc2012(tmp_path, urls=urls, md5=voc_archive.md5)
    message = str(caught.value)
    for words in (*urls, "404", "web page", "hash", "--archive", "TUTORIAL_VOC_URLS"):
        assert words in message
    assert not (tmp_path / "VOCdevkit").exists()


def test_a_local_archive(tmp_path, voc_archive):
    root = fetch_voc2012(tmp_path / "data", archive=voc_archive.path, md5=voc_archive.md5)
    assert names_below(root) == VOC_FILES
    assert voc_archive.path.read_bytes() == voc_archive.content
    with pytest.raises(FileNotFoundError, match=r"missing\.tar"):
        fetch_voc2012(tmp_path / "other", archive=tmp_path / "missing.tar")


def test_a_local_archive_with_a_wrong_checksum(tmp_path, voc_archive):
    voc_archive.path.write_bytes(voc_archive.content[:-1])
    with pytest.raises(ValueError, match=r"fake\.tar has the MD5 sum"):
        fetch_voc2012(tmp_path / "data", archive=voc_archive.path, md5=voc_archive.md5)
    assert not (tmp_path / "data" / "VOCdevkit").exists()


@pytest.mark.parametrize("name", [f"{VOC_PREFIX}/../../../evil.txt", "/evil.txt", "C:\\evil.txt"])
def test_a_member_that_leaves_the_folder_is_refused(tmp_path, name):
    path, md5 = pack_voc(tmp_path / "evil.tar", extra=[(name, b"evil")])
    with pytest.raises(ValueError, match=r"evil\.txt.* would leave the folder"):
        fetch_voc2012(tmp_path / "a" / "b", archive=path, md5=md5)
    assert names_below(tmp_path) == {"evil.tar"}


@pytest.mark.parametrize(
    "name", ["JPEGImages/2007_000039.jpg", "ImageSets/Segmentation/trainval.txt"]
)
def test_an_archive_that_lacks_a_file_leaves_nothing_behind(tmp_path, name):
    path, md5 = pack_voc(tmp_path / "short.tar", leave_out=[f"{VOC_PREFIX}/{name}"])
    with pytest.raises(ValueError, match=name):
        fetch_voc2012(tmp_path / "data", archive=path, md5=md5)
    assert names_below(tmp_path / "data") == set()


def test_an_interrupted_unpacking_leaves_no_data_set(tmp_path, voc_archive, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(voc2012.shutil, "copyfileobj", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch_voc2012(tmp_path / "data", archive=voc_archive.path, md5=voc_archive.md5)
    assert names_below(tmp_path / "data") == set()
    root = fetch_voc2012(tmp_path / "data", archive=voc_archive.path, md5=voc_archive.md5)
    assert names_below(root) == VOC_FILES


def test_a_data_set_with_holes_is_not_used(tmp_path, voc_archive):
    root = fetch_voc2012(tmp_path / "data", archive=voc_archive.path, md5=voc_archive.md5)
    (root / "SegmentationClass" / "2007_000063.png").unlink()
    with pytest.raises(FileExistsError, match=r"lacks 1 files.*2007_000063\.png"):
        fetch_voc2012(tmp_path / "data", archive=voc_archive.path, md5=voc_archive.md5)


def test_a_full_disk_is_noticed_before_anything_is_written(
    tmp_path, voc_archive, server, monkeypatch
):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
    with pytest.raises(OSError, match="1 MiB are free"):
        fetch_voc2012(tmp_path / "a", archive=voc_archive.path, md5=voc_archive.md5)
    with pytest.raises(OSError, match="1 MiB are free"):
        fetch_voc2012(tmp_path / "b", urls=[f"{server.url}/good"], md5=voc_archive.md5)
    assert names_below(tmp_path / "a") == names_below(tmp_path / "b") == set()
