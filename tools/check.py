"""`make test`: lint, layers, unit tests, then every notebook under nbval on the tiny data.

Plain Python, so that it runs the same where there is no make (Windows).
"""

import argparse
import os
import subprocess
import sys
import time

from helpers.settings import PROJECT

STEPS = {
    "lint": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "layers": ["-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
    "unit tests": ["-m", "pytest", "-m", "not torture", "tests"],
    "notebooks": ["-m", "pytest", "--nbval-lax", "--nbval-current-env",
                  "--nbval-cell-timeout=600", "--timeout=900", "notebooks"],
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    environ = dict(os.environ)
    environ.setdefault("TUTORIAL_PROFILE", "tiny")
    for name, command in STEPS.items():
        print(f"== {name}: {' '.join(command)}", flush=True)
        started = time.monotonic()
        code = subprocess.run([sys.executable, *command], cwd=PROJECT, env=environ).returncode
        print(f"== {name}: {time.monotonic() - started:.0f} s, exit code {code}", flush=True)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
