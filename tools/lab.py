"""`make lab`: open JupyterLab on notebook 01.

As root, which is usual in containers and cloud shells, JupyterLab wants to be told so.
"""

import os
import sys

from helpers.settings import PROJECT

FIRST = "notebooks/01_the_oom_problem.ipynb"


def command(is_root: bool) -> list[str]:
    """The command line that starts JupyterLab."""
    allowed = ["--allow-root"] if is_root else []
    return [sys.executable, "-m", "jupyter", "lab", *allowed, FIRST]


def main() -> None:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        print("You are root, as in most containers: so JupyterLab gets --allow-root.", flush=True)
    os.chdir(PROJECT)
    os.execv(sys.executable, command(is_root))


if __name__ == "__main__":
    main()
