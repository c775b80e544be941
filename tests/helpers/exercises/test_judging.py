"""A check prints and returns, whatever the answer does; what all checks share."""

import tracemalloc

import pytest

import helpers.exercises
from helpers.exercises import claims, data, distributed, memory, network, race, scoring, windows
from helpers.exercises.judging import check, expect, traced
from tests.support import checks_of, fresh_python

MODULES = [memory, windows, network, scoring, claims, race, data, distributed]


@check
def check_seven(answer):
    """`answer`: the number seven."""
    expect(answer() == 7, "think of the days of a week.")


def test_a_check_prints_its_verdict_and_returns_it(capsys):
    assert check_seven(lambda: 7) is True
    assert capsys.readouterr().out == "Right!\n"
    assert check_seven(lambda: 8) is False
    assert capsys.readouterr().out == "Not yet: think of the days of a week.\n"


def test_a_check_keeps_the_name_and_the_words_of_its_judge():
    assert check_seven.__name__ == "check_seven"
    assert check_seven.__doc__ == "`answer`: the number seven."


def test_an_answer_that_raises_is_reported_not_raised(capsys):
    def broken(*_):
        raise RuntimeError("boom")

    assert helpers.exercises.check_count_rounds(broken) is False
    assert "RuntimeError: boom" in capsys.readouterr().out


def test_an_interrupt_is_not_an_answer():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_seven(interrupted)


def test_traced_gives_the_answer_and_the_peak():
    answer, peak = traced(lambda n: len(bytearray(n)), 10**6)
    assert answer == 10**6
    assert 10**6 <= peak < 1.1 * 10**6


def test_traced_ends_its_tracing_with_an_error_too():
    with pytest.raises(ZeroDivisionError):
        traced(lambda: 1 / 0)
    assert not tracemalloc.is_tracing()


def test_every_check_can_be_had_from_the_package():
    offered = {name for name in helpers.exercises.__all__ if name.startswith("check_")}
    assert offered == {check.__name__ for module in MODULES for check in checks_of(module)}
    assert all(module.__doc__.startswith("Notebook 0") for module in MODULES)


def test_the_checks_do_without_tensorflow_until_one_trains():
    # Notebook 1 measures the memory of its own process, and imports the checks.
    code = "import sys, helpers.exercises; print('keras' in sys.modules)"
    assert fresh_python(code) == "False"
