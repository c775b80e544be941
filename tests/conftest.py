"""Fixtures for all tests: small data sets drawn into `tmp_path`."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from helpers.data import VOC_CLASSES, VOID, voc_palette
from tests.support import descendants, gone, pack_voc


@pytest.fixture
def voc_folder(tmp_path):
    """A function that draws `n` random pairs in VOC's layout and returns the folder.

    The sizes differ from image to image. A fifth of each mask is void.
    """

    def draw(n=6, classes=VOC_CLASSES, name="VOC2012", splits=None):
        root = tmp_path / name
        lists = root / "ImageSets" / "Segmentation"
        for folder in (root / "JPEGImages", root / "SegmentationClass", lists):
            folder.mkdir(parents=True)
        stems = [f"2007_{i:06}" for i in range(n)]
        for i, stem in enumerate(stems):
            rng = np.random.default_rng(i)
            height, width = 12 + i % 5, 10 + i % 7
            pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
            ids = rng.integers(0, len(classes), (height, width)).astype(np.uint8)
            ids[: height // 5] = VOID
            mask = Image.fromarray(ids)
            mask.putpalette(voc_palette().tobytes())
            Image.fromarray(pixels).save(root / "JPEGImages" / f"{stem}.jpg")
            mask.save(root / "SegmentationClass" / f"{stem}.png")
        for split, members in (splits or {"train": stems, "val": stems[:2]}).items():
            (lists / f"{split}.txt").write_text("\n".join(members) + "\n", encoding="utf-8")
        if tuple(classes) != VOC_CLASSES:
            (root / "classes.txt").write_text("\n".join(classes) + "\n", encoding="utf-8")
        return root

    return draw


@pytest.fixture
def nothing_is_left_running():
    """After the test, no process that it started is alive."""
    before = descendants()
    yield
    assert not {pid for pid in descendants() - before if not gone(pid, 2)}


@pytest.fixture
def server():
    """A server at `url` that sends `content` for /good; knobs make it misbehave.

    /page is a web page, /other another file, anything else is missing. `hits` records the paths,
    `ranges` and `sent` each request for /good.
    """
    state = SimpleNamespace(
        content=b"", hits=[], ranges=[], sent=[], knows_ranges=True, cut_after=None
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.hits.append(self.path)
            if self.path == "/page":
                return self.answer(200, b"<html>blocked</html>", {"Content-Type": "text/html"})
            if self.path == "/other":
                return self.answer(200, b"another file " * 100, {})
            if self.path != "/good":
                return self.answer(404, b"", {})
            content, asked = state.content, self.headers.get("Range")
            state.ranges.append(asked)
            start = int(asked[6:-1]) if asked and state.knows_ranges else 0
            if start >= len(content):
                return self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            code = 206 if asked and state.knows_ranges else 200
            self.answer(code, content[start:], {}, state.cut_after)

        def answer(self, code, payload, headers, cut_after=None):
            self.send_response(code)
            for key, value in ({"Content-Length": str(len(payload))} | headers).items():
                self.send_header(key, value)
            self.end_headers()
            payload = payload[:cut_after]
            state.sent.append(len(payload))  # before: the client may be done before we go on
            self.wfile.write(payload)
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


@pytest.fixture
def voc_archive(tmp_path, server):
    """A small archive like VOC's: `path`, `md5` and `content`; the server has it too."""
    path, md5 = pack_voc(tmp_path / "fake.tar")
    server.content = path.read_bytes()
    return SimpleNamespace(path=path, md5=md5, content=server.content)


@pytest.fixture
def no_figure_is_left():
    """Figures are drawn without a screen, closed after the test, and change no global style."""
    # Only here: most tests, and the processes that they start, draw nothing.
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("Agg")
    before = dict(plt.rcParams)
    yield
    plt.close("all")
    assert dict(plt.rcParams) == before, "a figure changed the global style"
