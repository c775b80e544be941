"""Errors as the parent hears of them."""

import errno

import pytest

from helpers.memory.errors import CELL, NO_WORDS, describe, is_out_of_memory

CHILD = "child.py"


def error_of(source, filename=CELL):
    """The exception that this source ends with, its traceback included."""
    try:
        exec(compile(source, filename, "exec"), {})
    except BaseException as error:
        return error
    raise AssertionError("there was no error")


def test_no_error_and_a_quiet_exit_are_a_finish():
    finished = {"outcome": "finished", "message": "", "line": None, "traceback": ""}
    assert describe(None, CHILD) == finished
    for source in ("raise SystemExit", "raise SystemExit(0)"):
        assert describe(error_of(source), CHILD) == finished
    told = describe(error_of("raise SystemExit(3)"), CHILD)
    assert (told["outcome"], told["message"]) == ("error", "SystemExit: 3")


def test_the_line_is_the_last_one_in_the_cell():
    source = "import json\ndef f():\n    json.loads('x')\n\nf()"
    told = describe(error_of(source), CHILD)
    assert (told["outcome"], told["line"]) == ("error", 3)
    assert told["message"].startswith("JSONDecodeError: Expecting value")
    assert describe(error_of("1 / 0", "elsewhere.py"), CHILD)["line"] is None


def test_a_syntax_error_has_a_line_but_not_twice():
    told = describe(error_of("x = 1\ny = ("), CHILD)
    assert (told["message"], told["line"]) == ("SyntaxError: '(' was never closed", 2)


def test_the_childs_own_frames_are_left_out():
    source = "exec(compile('1 / 0', '<cell>', 'exec'))"
    told = describe(error_of(source, CHILD), __file__)
    assert CHILD in told["traceback"]
    error = error_of(source, CHILD)
    error.__traceback__ = error.__traceback__.tb_next  # without the frame of this file
    told = describe(error, CHILD)
    assert CHILD not in told["traceback"] and f'File "{CELL}", line 1' in told["traceback"]
    assert told["line"] == 1


def test_a_memory_error_without_words_gets_some():
    told = describe(error_of("raise MemoryError"), CHILD)
    assert (told["outcome"], told["message"], told["line"]) == ("MemoryError", NO_WORDS, 1)
    told = describe(error_of("raise MemoryError('Unable to allocate')"), CHILD)
    assert told["message"] == "Unable to allocate"


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOENT, "failed to map segment"), False),
        (RuntimeError("can't start new thread"), True),
        (ImportError("x.so: failed to map segment from shared object"), True),
        (SystemError("error return without exception set"), True),
        (SystemError("returned NULL without setting an exception"), True),
        (RuntimeError("something else"), False),
        (ValueError("can't start new thread"), False),
    ],
)
def test_want_of_memory_has_other_names(error, answer):
    assert is_out_of_memory(error) is answer
