"""`make lab`: open JupyterLab on notebook 01, with the whole project in its file browser.

    python -m tools.lab [any option of JupyterLab, such as --port=9000]

Your own Jupyter settings are not touched: what this project sets lies in `tools/jupyter`, and how
you arrange the window is kept in `build/jupyter`. Token and localhost are JupyterLab's own.
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from jupyterlab_server.workspaces_handler import WorkspacesManager

from helpers.settings import BUILD, PROJECT

FIRST = "notebooks/01_the_oom_problem.ipynb"
# JupyterLab reads `labconfig/` in there beside your own settings: no question about news.
SETTINGS = PROJECT / "tools" / "jupyter"
WORKSPACES = BUILD / "jupyter"


def command(is_root: bool, opens_browser: bool, options: list[str]) -> list[str]:
    """The command line that starts JupyterLab in the project's folder."""
    # An address, not the notebook's name: that would make its folder the root of the file browser,
    # and where no browser opens, the printed address would lead to an empty launcher.
    return [
        *(sys.executable, "-m", "jupyter", "lab"),
        f"--ServerApp.root_dir={PROJECT}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        f"--LabApp.workspaces_dir={WORKSPACES}",
        *(["--allow-root"] if is_root else []),
        *([] if opens_browser else ["--no-browser"]),
        *options,
    ]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, with this project's settings before those that Jupyter reads anyway."""
    paths = [str(SETTINGS), *filter(None, [environ.get("JUPYTER_CONFIG_PATH")])]
    return dict(environ) | {"JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}


def arrange(folder: Path) -> None:
    """Open the table of contents at the first start: no setting does that, only a stored layout.

    From then on JupyterLab stores in `folder` how you left the window, and that is what stays.
    """
    workspaces = WorkspacesManager(str(folder))
    if not workspaces.load("default")["data"]:
        workspaces.save("default", (SETTINGS / "workspace.json").read_text(encoding="utf-8"))


def has_display(platform: str, environ: Mapping[str, str]) -> bool:
    """Whether a browser can open a window here; macOS and Windows always have a screen."""
    if not platform.startswith("linux"):
        return True
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def notes(is_root: bool, display: bool, user: str, host: str) -> list[str]:
    """What to know before JupyterLab's own lines."""
    said = []
    if is_root:
        said.append("You are root, as in most containers: so JupyterLab gets --allow-root.")
    if not display:
        said.append("No screen here: open the address with ?token= that is printed below.")
        said.append(
            f"From another computer, run there first: ssh -L 8888:localhost:8888 {user}@{host}"
            "  (if the address has another port than 8888, that port, twice)"
        )
    return said


def main(options: list[str]) -> None:
    environ = environment(os.environ)
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    display = has_display(sys.platform, environ)
    user = environ.get("USER") or ("root" if is_root else "you")
    for line in notes(is_root, display, user, socket.gethostname()):
        print(line, flush=True)
    arrange(WORKSPACES)
    # Without a screen Jupyter would take a browser for terminals, such as lynx, and block this one.
    # BROWSER is what VS Code and others set who pass an address on to the screen in front of you.
    started = command(is_root, display or "BROWSER" in environ, options)
    os.chdir(PROJECT)
    if os.name == "posix":
        os.execve(started[0], started, environ)  # Ctrl-C then is JupyterLab's alone
    lab = subprocess.Popen(started, env=environ)
    while lab.poll() is None:
        with contextlib.suppress(KeyboardInterrupt):
            lab.wait()
    sys.exit(lab.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
