"""A download that goes on where it stopped, against a local server that misbehaves."""

from types import SimpleNamespace

import numpy as np
import pytest
import requests

from helpers.data import download
from helpers.data.download import CHUNK, ResumingDownloader, check_space
from helpers.units import MIB
from tests.support import names_below

CONTENT = np.random.default_rng(0).bytes(200_000)


@pytest.fixture
def part(tmp_path):
    return tmp_path / "file.part"


@pytest.fixture
def fetch(tmp_path, part, server):
    """Downloads a path of the server; the bytes that came."""
    server.content = CONTENT

    def bring(path="/good"):
        ResumingDownloader(part)(server.url + path, tmp_path / "file")
        assert names_below(tmp_path) == {"file"}
        return (tmp_path / "file").read_bytes()

    return bring


def test_a_download_brings_the_whole_file(fetch, server):
    assert fetch() == CONTENT
    assert server.ranges == [None] and server.sent == [len(CONTENT)]


def test_resumes_from_a_part_without_sending_bytes_twice(fetch, part, server):
    half = len(CONTENT) // 2
    part.write_bytes(CONTENT[:half])
    assert fetch() == CONTENT
    assert server.ranges == [f"bytes={half}-"]
    assert sum(server.sent) == len(CONTENT) - half


def test_goes_on_after_a_broken_connection(fetch, server):
    server.cut_after = 5 * CHUNK
    assert 2 * server.cut_after < len(CONTENT) < 3 * server.cut_after
    assert fetch() == CONTENT
    assert server.ranges == [None, f"bytes={server.cut_after}-", f"bytes={2 * server.cut_after}-"]
    assert sum(server.sent) == len(CONTENT)


def test_a_connection_that_brings_nothing_is_given_up_and_the_part_is_kept(fetch, part, server):
    part.write_bytes(CONTENT[:1000])
    server.cut_after = 0
    with pytest.raises(ConnectionError, match="broke at byte 1,000"):
        fetch()
    assert part.read_bytes() == CONTENT[:1000]


def test_a_server_without_ranges_sends_it_from_the_start(fetch, part, server):
    server.knows_ranges = False
    part.write_bytes(b"x" * 1000)
    assert fetch() == CONTENT
    assert len(server.hits) == 1 and server.sent == [len(CONTENT)]


@pytest.mark.parametrize("extra", [0, 10])
def test_a_part_as_long_as_the_file_or_longer(fetch, part, server, extra):
    part.write_bytes(CONTENT + b"x" * extra)
    assert fetch() == CONTENT
    assert sum(server.sent) == (len(CONTENT) if extra else 0)


def test_a_web_page_and_a_missing_file_are_errors_and_nothing_is_written(fetch, tmp_path):
    with pytest.raises(ConnectionError, match="web page instead of the archive"):
        fetch("/page")
    with pytest.raises(requests.HTTPError, match="404"):
        fetch("/dead")
    assert names_below(tmp_path) == set()


def test_a_full_disk_is_noticed_before_anything_is_written(fetch, tmp_path, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: SimpleNamespace(free=MIB))
    with pytest.raises(OSError, match=r"the download needs 64 MiB .* 1 MiB are free"):
        fetch()
    assert names_below(tmp_path) == set()


def test_some_space_is_spared(tmp_path, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: SimpleNamespace(free=65 * MIB))
    check_space(tmp_path, MIB, "the test")
    with pytest.raises(OSError, match="the test needs 65 MiB"):
        check_space(tmp_path, MIB + 1, "the test")
