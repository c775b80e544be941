"""Keras without TensorFlow's lines, and an environment that is changed only then.

Most children import a `keras` that is written here: it takes no seconds, and it says and does what
the test needs.
"""

import os
import subprocess
import sys

import pytest

from helpers.settings import PROJECT

NOISY = "import os\nos.write(2, b'noise of an import\\n')\n"
LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def run(code, **environ):
    """Run `code` in a fresh process that knows the project and has no log level of its own."""
    clean = {name: value for name, value in os.environ.items() if name != LEVEL}
    paths = os.pathsep.join(filter(None, [environ.pop("PYTHONPATH", None), str(PROJECT)]))
    return subprocess.run(
        [sys.executable, "-c", code],
        env=clean | environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def keras_that(tmp_path):
    """A function that writes a module `keras` and returns its folder, for PYTHONPATH."""

    def write(source):
        (tmp_path / "keras.py").write_text(source, encoding="utf-8")
        return str(tmp_path)

    return write


def test_importing_helpers_changes_no_environment():
    done = run(
        "import os\n"
        "before = dict(os.environ)\n"
        "import helpers, helpers.memory, helpers.settings, helpers.windows, helpers.workshop\n"
        "print(dict(os.environ) == before)"
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.slow
def test_the_real_keras_comes_without_a_word():
    done = run(
        "import os\n"
        f"print({LEVEL!r} in os.environ)\n"
        "from helpers.quiet import keras\n"
        f"print(os.environ[{LEVEL!r}], keras.Sequential.__name__)"
    )
    assert (done.stdout, done.stderr) == ("False\n3 Sequential\n", "")


def test_what_is_said_later_is_heard(keras_that):
    code = "import os, helpers.quiet\nos.write(2, b'later')"
    assert run(code, PYTHONPATH=keras_that(NOISY)).stderr == "later"


def test_a_level_that_is_set_already_wins(keras_that):
    code = f"import os, helpers.quiet\nprint(os.environ[{LEVEL!r}])"
    done = run(code, PYTHONPATH=keras_that(NOISY), TF_CPP_MIN_LOG_LEVEL="1")
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_an_import_that_fails_shows_all_that_was_written(keras_that):
    broken = NOISY + "raise ImportError('no TensorFlow here')"
    done = run("import helpers.quiet", PYTHONPATH=keras_that(broken))
    assert done.returncode == 1
    assert done.stderr.startswith("noise of an import\nTraceback")
    assert done.stderr.endswith("ImportError: no TensorFlow here\n")
