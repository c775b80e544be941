"""The downloader, against a small archive in VOC's layout and a local server."""

import hashlib
import inspect
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import download, voc2012
from helpers.settings import DATA_FOLDERS
from helpers.voc2012 import fetch_voc2012, main

IDS = ("2007_000032", "2007_000039", "2007_000063")
PREFIX = "VOCdevkit/VOC2012"


def pack(path, extra=(), leave_out=()):
    """A tar like VOC's: three listed pictures, and things that segmentation does not need."""
    noise = np.random.default_rng(0)
    files = {f"{PREFIX}/JPEGImages/{name}.jpg": noise.bytes(60_000) for name in IDS}
    files |= {f"{PREFIX}/SegmentationClass/{name}.png": noise.bytes(900) for name in IDS}
    files |= {f"{PREFIX}/JPEGImages/2008_000001.jpg": b"not listed"}
    files |= {"VOCdevkit/notes.txt": b"not below VOC2012"}
    files |= {f"{PREFIX}/Annotations/2007_000032.xml": b"<not needed/>"}
    for split, names in (("train", IDS[:2]), ("val", IDS[2:]), ("trainval", IDS)):
        text = "".join(f"{name}\n" for name in names)
        files[f"{PREFIX}/ImageSets/Segmentation/{split}.txt"] = text.encode()
    files |= dict(extra)
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            if name not in leave_out:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path, hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def fake(tmp_path):
    path, md5 = pack(tmp_path / "fake.tar")
    return SimpleNamespace(path=path, md5=md5, content=path.read_bytes())


@pytest.fixture
def server(fake):
    """Serves the archive. `ranges` and `sent` record each request; knobs make it misbehave."""
    state = SimpleNamespace(ranges=[], sent=[], hits=[], knows_ranges=True, cut_after=None)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.hits.append(self.path)
            if self.path == "/page":
                return self.answer(200, b"<html>blocked</html>", {"Content-Type": "text/html"})
            if self.path == "/other":
                return self.answer(200, b"another file " * 100, {})
            if self.path != "/good":
                return self.answer(404, b"", {})
            content, asked = fake.content, self.headers.get("Range")
            state.ranges.append(asked)
            start = int(asked[6:-1]) if asked and state.knows_ranges else 0
            if start >= len(content):
                return self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            code = 206 if asked and state.knows_ranges else 200
            self.answer(code, content[start:], {}, state.cut_after)

        def answer(self, code, body, headers, cut_after=None):
            self.send_response(code)
            for key, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(key, value)
            self.end_headers()
            body = body[:cut_after]
            self.wfile.write(body)
            state.sent.append(len(body))
            self.close_connection = True

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_port}"
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def names_below(root):
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


EXPECTED = (
    {f"JPEGImages/{name}.jpg" for name in IDS}
    | {f"SegmentationClass/{name}.png" for name in IDS}
    | {f"ImageSets/Segmentation/{split}.txt" for split in ("train", "val", "trainval")}
)


def test_downloads_and_unpacks_only_what_segmentation_needs(tmp_path, fake, server):
    root = fetch_voc2012(tmp_path / "data", urls=[f"{server.url}/good"], md5=fake.md5)
    assert root == tmp_path / "data" / "VOCdevkit" / "VOC2012"
    assert names_below(root) == EXPECTED
    with tarfile.open(fake.path) as tar:
        for name in EXPECTED:
            assert (root / name).read_bytes() == tar.extractfile(f"{PREFIX}/{name}").read()
    assert {p.name for p in root.parent.iterdir()} == {"VOC2012"}
    assert sum(server.sent) == len(fake.content)


def test_a_second_call_asks_for_nothing(tmp_path, fake, server):
    urls = [f"{server.url}/good"]
    first = fetch_voc2012(tmp_path, urls=urls, md5=fake.md5)
    assert fetch_voc2012(tmp_path, urls=urls, md5=fake.md5) == first
    assert len(server.hits) == 1


def test_a_kept_archive_is_not_downloaded_again(tmp_path, fake, server):
    (tmp_path / voc2012.ARCHIVE).write_bytes(fake.content)
    root = fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=fake.md5)
    assert names_below(root) == EXPECTED and server.hits == []


def test_resumes_from_a_part_without_sending_bytes_twice(tmp_path, fake, server):
    half = len(fake.content) // 2
    (tmp_path / f"{voc2012.ARCHIVE}.part").write_bytes(fake.content[:half])
    fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=fake.md5)
    assert server.ranges == [f"bytes={half}-"]
    assert sum(server.sent) == len(fake.content) - half


def test_goes_on_after_a_broken_connection(tmp_path, fake, server):
    server.cut_after = 5 * download.CHUNK
    assert 2 * server.cut_after < len(fake.content) < 3 * server.cut_after
    fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=fake.md5)
    assert server.ranges == [None, f"bytes={server.cut_after}-", f"bytes={2 * server.cut_after}-"]
    assert sum(server.sent) == len(fake.content)


def test_a_connection_that_brings_nothing_is_given_up_and_the_part_is_kept(tmp_path, fake, server):
    part = tmp_path / f"{voc2012.ARCHIVE}.part"
    part.write_bytes(fake.content[:1000])
    server.cut_after = 0
    with pytest.raises(ConnectionError, match="broke at byte 1,000"):
        fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=fake.md5)
    assert part.read_bytes() == fake.content[:1000]


def test_a_server_without_ranges_sends_it_from_the_start(tmp_path, fake, server):
    server.knows_ranges = False
    (tmp_path / f"{voc2012.ARCHIVE}.part").write_bytes(fake.content[:1000])
    root = fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=fake.md5)
    assert names_below(root) == EXPECTED and len(server.hits) == 1


@pytest.mark.parametrize("extra", [0, 10])
def test_a_part_as_long_as_the_file_or_longer(tmp_path, fake, server, extra):
    (tmp_path / f"{voc2012.ARCHIVE}.part").write_bytes(fake.content + b"x" * extra)
    root = fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=fake.md5)
    assert names_below(root) == EXPECTED
    assert sum(server.sent) == (len(fake.content) if extra else 0)


def test_a_part_of_another_file_is_thrown_away(tmp_path, fake, server):
    (tmp_path / f"{voc2012.ARCHIVE}.part").write_bytes(b"x" * 1000)
    root = fetch_voc2012(tmp_path, urls=[f"{server.url}/good"], md5=fake.md5)
    assert names_below(root) == EXPECTED
    assert server.ranges == ["bytes=1000-", None]


def test_the_next_address_is_tried(tmp_path, fake, server):
    urls = [f"{server.url}/{path}" for path in ("dead", "page", "other", "good")]
    root = fetch_voc2012(tmp_path, urls=urls, md5=fake.md5)
    assert names_below(root) == EXPECTED
    assert server.hits == ["/dead", "/page", "/other", "/good"]


def test_all_addresses_dead_gives_one_error_with_every_reason(tmp_path, fake, server):
    urls = [f"{server.url}/dead", f"{server.url}/page", f"{server.url}/other", "http://127.0.0.1:9"]
    with pytest.raises(ConnectionError) as caught:
        fetch_voc2012(tmp_path, urls=urls, md5=fake.md5)
    message = str(caught.value)
    for words in (*urls, "404", "web page", "hash", "--archive", "TUTORIAL_VOC_URLS"):
        assert words in message
    assert not (tmp_path / "VOCdevkit").exists()


def test_the_environment_names_the_addresses(tmp_path, fake, server, monkeypatch):
    monkeypatch.setenv("TUTORIAL_VOC_URLS", f"{server.url}/dead {server.url}/good")
    fetch_voc2012(tmp_path, md5=fake.md5)
    assert server.hits == ["/dead", "/good"]
    monkeypatch.setenv("TUTORIAL_VOC_URLS", " ")
    with pytest.raises(ValueError, match="TUTORIAL_VOC_URLS"):
        fetch_voc2012(tmp_path / "new", md5=fake.md5)


def test_a_local_archive(tmp_path, fake):
    root = fetch_voc2012(tmp_path / "data", archive=fake.path, md5=fake.md5)
    assert names_below(root) == EXPECTED
    assert fake.path.read_bytes() == fake.content
    with pytest.raises(FileNotFoundError, match=r"missing\.tar"):
        fetch_voc2012(tmp_path / "other", archive=tmp_path / "missing.tar")


def test_a_local_archive_with_a_wrong_checksum(tmp_path, fake):
    fake.path.write_bytes(fake.content[:-1])
    with pytest.raises(ValueError, match=r"fake\.tar has the MD5 sum"):
        fetch_voc2012(tmp_path / "data", archive=fake.path, md5=fake.md5)
    assert not (tmp_path / "data" / "VOCdevkit").exists()


@pytest.mark.parametrize("name", [f"{PREFIX}/../../../evil.txt", "/evil.txt", "C:\\evil.txt"])
def test_a_member_that_leaves_the_folder_is_refused(tmp_path, name):
    path, md5 = pack(tmp_path / "evil.tar", extra=[(name, b"evil")])
    with pytest.raises(ValueError, match=r"evil\.txt.* would leave the folder"):
        fetch_voc2012(tmp_path / "a" / "b", archive=path, md5=md5)
    assert names_below(tmp_path) == {"evil.tar"}


@pytest.mark.parametrize(
    "name", ["JPEGImages/2007_000039.jpg", "ImageSets/Segmentation/trainval.txt"]
)
def test_an_archive_that_lacks_a_file_leaves_nothing_behind(tmp_path, name):
    path, md5 = pack(tmp_path / "short.tar", leave_out=[f"{PREFIX}/{name}"])
    with pytest.raises(ValueError, match=name):
        fetch_voc2012(tmp_path / "data", archive=path, md5=md5)
    assert names_below(tmp_path / "data") == set()


def test_an_interrupted_unpacking_leaves_no_data_set(tmp_path, fake, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(voc2012.shutil, "copyfileobj", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch_voc2012(tmp_path / "data", archive=fake.path, md5=fake.md5)
    assert names_below(tmp_path / "data") == set()
    assert names_below(fetch_voc2012(tmp_path / "data", archive=fake.path, md5=fake.md5))


def test_a_data_set_with_holes_is_not_used(tmp_path, fake):
    root = fetch_voc2012(tmp_path / "data", archive=fake.path, md5=fake.md5)
    (root / "SegmentationClass" / "2007_000063.png").unlink()
    with pytest.raises(FileExistsError, match=r"lacks 1 files.*2007_000063\.png"):
        fetch_voc2012(tmp_path / "data", archive=fake.path, md5=fake.md5)


def test_a_full_disk_is_noticed_before_anything_is_written(tmp_path, fake, server, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
    with pytest.raises(OSError, match="1 MiB are free"):
        fetch_voc2012(tmp_path / "a", archive=fake.path, md5=fake.md5)
    with pytest.raises(OSError, match="1 MiB are free"):
        fetch_voc2012(tmp_path / "b", urls=[f"{server.url}/good"], md5=fake.md5)
    assert names_below(tmp_path / "a") == names_below(tmp_path / "b") == set()


def test_the_default_folder_is_the_projects_own():
    default = inspect.signature(fetch_voc2012).parameters["folder"].default
    assert default / "VOCdevkit" / "VOC2012" == DATA_FOLDERS["voc2012"]


def test_the_command_line_says_how_to_use_it(tmp_path, fake, monkeypatch, capsys):
    monkeypatch.setattr(fetch_voc2012, "__defaults__", ("data", None, None, fake.md5))
    main(["--archive", str(fake.path), "--out", str(tmp_path / "data")])
    root = tmp_path / "data" / "VOCdevkit" / "VOC2012"
    assert f"TUTORIAL_DATA={root}" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        main(["--archive", str(tmp_path / "no.tar"), "--out", str(tmp_path / "new")])
    assert end.value.code == 1 and "no.tar" in capsys.readouterr().err
