"""`make lab`: the first command works on a fresh machine, also for root and without a screen."""

import json
import os
import re
import socket
import subprocess
import sys

import psutil
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from helpers.settings import PROJECT
from tools import lab

# Every setting that Jupyter may keep for a user; each becomes a folder of the test's own.
JUPYTERS_OWN = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


def test_the_command_opens_the_first_notebook_in_the_projects_folder():
    assert (PROJECT / lab.FIRST).is_file()
    command = lab.command(is_root=False, opens_browser=True, options=[])
    assert command[:4] == [sys.executable, "-m", "jupyter", "lab"]
    assert command[4:6] == [
        f"--ServerApp.root_dir={PROJECT}",
        f"--LabApp.default_url=/lab/tree/{lab.FIRST}",
    ]


def test_root_is_allowed_only_for_root_and_a_browser_is_left_out_only_without_a_screen():
    usual = lab.command(is_root=False, opens_browser=True, options=[])
    assert lab.command(True, True, []) == [*usual, "--allow-root"]
    assert lab.command(False, False, ["--port=9000"]) == [*usual, "--no-browser", "--port=9000"]


def test_our_settings_come_first_and_those_of_the_user_stay():
    before = {"HOME": "/home/me", "JUPYTER_CONFIG_PATH": "/mine"}
    after = lab.environment(before)
    first, *others = after.pop("JUPYTER_CONFIG_PATH").split(os.pathsep)
    assert first == str(PROJECT / "tools" / "jupyter") and others == ["/mine"]
    assert after == {"HOME": "/home/me"} and before["JUPYTER_CONFIG_PATH"] == "/mine"
    assert lab.environment({}) == {"JUPYTER_CONFIG_PATH": first}


def test_a_layout_that_is_there_is_kept(tmp_path):
    folder = tmp_path / "new" / "jupyter"
    lab.arrange(folder)
    (path,) = folder.iterdir()
    assert json.loads(path.read_text(encoding="utf-8"))["metadata"]["id"] == "default"
    kept = '{"data": {"of": "mine"}, "metadata": {"id": "default"}}'
    path.write_text(kept, encoding="utf-8")
    lab.arrange(folder)
    assert [p.read_text(encoding="utf-8") for p in folder.iterdir()] == [kept]


@pytest.mark.parametrize(
    ("platform", "environ", "there"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_where_there_is_a_screen(platform, environ, there):
    assert lab.has_display(platform, environ) is there


def test_what_is_said_first():
    assert lab.notes(is_root=False, display=True, user="me", host="there") == []
    (root,) = lab.notes(is_root=True, display=True, user="me", host="there")
    assert "You are root" in root and "--allow-root" in root
    address, remote = lab.notes(is_root=False, display=False, user="me", host="there")
    assert "open the address" in address
    assert "ssh -L 8888:localhost:8888 me@there" in remote


@pytest.fixture
def started(tmp_path):
    """JupyterLab as `make lab` starts it, on a port that is taken; its lines, up to the address."""
    own = {name: str(tmp_path / name) for name in JUPYTERS_OWN}
    without = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "JUPYTER_CONFIG_PATH")
    environ = {name: value for name, value in os.environ.items() if name not in without} | own
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = psutil.Popen(
            [sys.executable, "-m", "tools.lab", f"--port={port}", "--no-browser"],
            cwd=PROJECT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        try:
            yield _up_to_the_address(process.stdout), port
        finally:
            for one in [*process.children(recursive=True), process]:
                one.kill()
            process.wait(30)
            process.stdout.close()


def _up_to_the_address(lines):
    said = []
    for line in lines:
        said.append(line)
        if re.search(r"^ +http://127\.0\.0\.1:\d+/\S+token=\w+", line):
            return said
    raise AssertionError("JupyterLab ended before it named its address:\n" + "".join(said))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no root")
def test_the_printed_address_leads_to_the_first_notebook(started, tmp_path):
    said, taken = started
    assert ("You are root" in said[0]) == (os.geteuid() == 0)
    assert any("ssh -L" in line for line in said[:3]) == (sys.platform == "linux")
    address = said[-1].strip()
    server, token = re.fullmatch(r"(http://[^/]+)/.*token=(\w+)", address).groups()
    assert not server.endswith(f":{taken}")
    with requests.Session() as browser:
        browser.trust_env = False  # no proxy between this computer and itself
        # Jupyter names its address a moment before it listens there.
        browser.mount("http://", HTTPAdapter(max_retries=Retry(connect=8, backoff_factor=0.1)))
        assert browser.get(f"{server}/api/contents/README.md").status_code == 403
        opened = browser.get(f"{server}/?token={token}")
        assert opened.status_code == 200
        assert opened.url == address == f"{server}/lab/tree/{lab.FIRST}?token={token}"
        # With the cookie that the token brought: the notebook, and what its links lead to.
        for path in (lab.FIRST, "README.md", "helpers/windows/ring.py"):
            there = browser.get(f"{server}/api/contents/{path}").json()
            assert there["path"] == path and there["content"]
        news = f"{server}/lab/api/settings/@jupyterlab/apputils-extension:notification"
        defaults = browser.get(news).json()["schema"]["properties"]
        assert defaults["fetchNews"]["default"] == "false"
        layout = browser.get(f"{server}/lab/api/workspaces/default").json()["data"]
        assert layout["layout-restorer:data"]["left"]
        assert browser.get(f"{server}/api/metrics/v1").json()["rss"] > 0
    assert not any((tmp_path / "JUPYTER_CONFIG_DIR").glob("**/*.json*"))
