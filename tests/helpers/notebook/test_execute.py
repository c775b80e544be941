"""One notebook executed: its copies, its cells told as they start, and how it fails."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.notebook.execute import execute

HELD = "import time; time.sleep(1); print(len(x))"  # long enough for the samples to see it


@pytest.fixture
def run(tmp_path):
    """Execute a notebook of these cells; returns its outcome, the executed copy and the lines."""

    def run(*sources):
        cells = [new_markdown_cell("# 9 · A test"), *map(new_code_cell, sources)]
        nbformat.write(new_notebook(cells=cells), tmp_path / "09_test.ipynb")
        lines = []
        outcome = execute(tmp_path / "09_test.ipynb", tmp_path / "out", lines.append)
        return outcome, nbformat.read(tmp_path / "out" / "09_test.ipynb", as_version=4), lines

    return run


def test_a_good_one_leaves_its_copy_and_its_page(run, tmp_path):
    outcome, executed, lines = run("x = b'1' * (80 * 2**20)", HELD)
    assert outcome.ok and outcome.seconds > 0 and outcome.peak_mib > 80
    assert executed.cells[2].outputs[0].text == f"{80 * 2**20}\n"
    assert "83886080" in (tmp_path / "out" / "09_test.html").read_text(encoding="utf-8")
    assert [line.rsplit("  ", 1)[0] for line in lines] == [
        f"09_test  cell {number} of 3" for number in (1, 2, 3)
    ]


def test_a_bad_one_keeps_what_came_before_and_says_the_line(run):
    outcome, executed, _ = run("print('before')", "width = 0\n1 / width", "never = 1")
    assert not outcome.ok and outcome.cell == 3
    assert outcome.error == "ZeroDivisionError: division by zero  at: 1 / width"
    assert executed.cells[1].outputs[0].text == "before\n"


def test_a_kernel_that_dies_is_a_failure_with_its_cell(run):
    outcome, _, _ = run("import os", "os._exit(3)")
    assert not outcome.ok and outcome.cell == 3 and outcome.error.startswith("DeadKernelError")
