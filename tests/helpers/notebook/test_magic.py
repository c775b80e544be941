"""The cell magic: what it shows, and that neither an error nor an interrupt leaves a process."""

import asyncio
import sys

import matplotlib.pyplot as plt
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from helpers.memory import run_under_budget
from helpers.notebook import magic
from helpers.units import MIB
from tests.support import gone, printed, run_cells

pytestmark = pytest.mark.usefixtures("nothing_is_left_running")

LINUX = sys.platform.startswith("linux")
POSIX = sys.platform != "win32"


@pytest.mark.slow
def test_the_magic_in_a_notebook():
    notebook = run_cells(
        "%load_ext helpers.notebook\nfrom pathlib import Path\nn, folder = 2**28, Path('x')",
        "%%memory_budget 256 MiB --name outcome --with n,folder\n"
        "import numpy as np\nprint('in the child', folder)\nmark('now')\nnp.zeros((n, 2))",
        "print(outcome.outcome, outcome.budget_bytes, outcome.marks[0][1])",
        "%%memory_budget 64 MiB --imports numpy, PIL.Image --watch\nprint('watched')",
        "print(result.outcome, 'still alive')",
    )
    out_of_memory, facts, finished, alive = notebook.cells[1:]
    said = printed(out_of_memory)
    assert said.startswith("in the child x\n")
    assert "Finished within the budget of 64.0 MiB" in printed(finished)
    assert printed(alive) == "finished still alive\n"
    images = [out for out in out_of_memory.outputs if "image/png" in out.get("data", {})]
    assert len(images) == 1
    alt = images[0].metadata["image/png"]["alt"]
    assert alt == images[0].data["text/plain"]
    assert "256.0 MiB" in alt
    if LINUX:
        assert "Asked for at once: 4.00 GiB" in alt, "a timeline would be empty"
        assert "Unable to allocate 4.00 GiB for an array with shape (268435456, 2)" in said
        assert printed(facts) == f"MemoryError {256 * MIB} now\n"


@pytest.mark.slow
def test_errors_of_the_magic_fail_the_cell_and_spare_the_kernel():
    notebook = run_cells(
        "%load_ext helpers.notebook\nbad = object()",
        "%%memory_budget 64 MiB\nx = 1\nprint(undefined)",
        "%%memory_budget lots\nprint(1)",
        "%%memory_budget 64 MiB --with missing\nprint(1)",
        "%%memory_budget 64 MiB --with bad\nprint(1)",
        "%%memory_budget 64 MiB --nme x\nprint(1)",
        "%%memory_budget 64 MiB --name 1x\nprint(1)",
        "print('still alive')",
        allow_errors=True,
    )
    refused = ["'512 MiB'", "no such variable", "Allowed are int", "--nme", "1x"]
    hints = ["line 2 of the cell", *refused]
    for cell, hint in zip(notebook.cells[1:], hints, strict=False):
        (error,) = [out for out in cell.outputs if out.output_type == "error"]
        assert hint in "\n".join(error.traceback)
        assert "helpers/" not in "\n".join(error.traceback), "frames that help nobody"
    assert printed(notebook.cells[-1]) == "still alive\n"


@pytest.mark.slow
def test_an_error_stops_the_execution_of_a_notebook():
    with pytest.raises(CellExecutionError, match="undefined"):
        run_cells("%load_ext helpers.notebook", "%%memory_budget 64 MiB\nundefined")


@pytest.mark.slow
@pytest.mark.skipif(not POSIX, reason="the interrupt is sent as a signal")
def test_interrupting_the_kernel_ends_the_child(tmp_path):
    note = tmp_path / "pid"

    class Impatient(NotebookClient):
        """Interrupts the kernel as the stop button does, once the child has told its pid."""

        async def async_execute_cell(self, cell, index, **options):
            if "memory_budget" in cell.source:
                asyncio.get_running_loop().create_task(self.stop_soon())
            return await super().async_execute_cell(cell, index, **options)

        async def stop_soon(self):
            while not (note.exists() and note.read_text(encoding="utf-8")):
                await asyncio.sleep(0.05)
            await self.km.interrupt_kernel()

    notebook = run_cells(
        f"%load_ext helpers.notebook\nnote = {str(note)!r}",
        "%%memory_budget 64 MiB --with note\n"
        "import os, time\n"
        "open(note, 'w', encoding='utf-8').write(str(os.getpid()))\ntime.sleep(60)",
        "print('still alive')",
        client=Impatient,
        allow_errors=True,
    )
    assert notebook.cells[1].outputs[-1].ename == "KeyboardInterrupt"
    assert gone(int(note.read_text(encoding="utf-8")))
    assert printed(notebook.cells[2]) == "still alive\n"


def test_the_outcome_starts_a_line_of_its_own(capsys, monkeypatch):
    monkeypatch.setattr(magic, "show", lambda ax, alt: plt.close(ax.figure))
    magic.show_result(run_under_budget("print(1, end='')", "64 MiB"))
    assert capsys.readouterr().out.startswith("\nFinished")
    magic.show_result(run_under_budget("print(1)", "64 MiB"))
    assert capsys.readouterr().out.startswith("Finished")
