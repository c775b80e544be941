"""Code under a memory budget: the outcomes, the magic, and that nothing is left running."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from helpers.memory import MIB, available_memory, magics, run_under_budget

ROOT = Path(__file__).resolve().parents[1]
LINUX = sys.platform.startswith("linux")
POSIX = sys.platform != "win32"

ONE_BIG = "import numpy as np\narray = np.ones(budget // 8 + 2**18)"
FILLED = "import numpy as np\narray = np.full((budget, 2), 7, dtype='uint8')"
MANY_SMALL = """
import numpy as np
arrays = []
while True:
    arrays.append(np.ones(6000))
"""
MANY_BLOCKS = "import numpy as np\nblocks = []\nwhile True:\n    blocks.append(np.ones(2**17))"
PYTHON_OBJECTS = "names = []\nwhile True:\n    names.append(object())"
CASES = [
    *[(source, mib) for source in (ONE_BIG, FILLED) for mib in (64, 256, 777, 2048)],
    *[(MANY_BLOCKS, mib) for mib in (64, 100, 200, 400)],
    *[(MANY_SMALL, mib) for mib in (64, 100, 150, 256)],
    *[(PYTHON_OBJECTS, mib) for mib in (64, 70, 80, 96)],
]
CRASH_OR_ERROR = ["MemoryError", "ended by signal"]


def children() -> set[int]:
    """Return the live descendants of this process."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def gone(pid: int, seconds: float = 10) -> bool:
    """Wait until `pid` is no running process."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(autouse=True)
def nothing_is_left_running():
    before = children()
    yield
    left = {pid for pid in children() - before if not gone(pid, 2)}
    assert not left


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
@pytest.mark.parametrize(("source", "mib"), CASES)
def test_past_the_budget_comes_a_memory_error(source, mib):
    if mib * MIB > available_memory():
        pytest.skip("this machine has too little free memory")
    result = run_under_budget(source, f"{mib} MiB", {"budget": mib * MIB})
    assert result.outcome == "MemoryError", result.traceback
    assert result.message
    assert result.line == (5 if source == MANY_SMALL else len(source.splitlines()))
    assert result.increment_bytes <= mib * MIB * 1.02 + 4 * MIB


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
def test_the_error_is_in_numpys_own_words():
    result = run_under_budget("import numpy as np\nnp.zeros((16384, 16384))", "512 MiB")
    assert result.outcome == "MemoryError"
    assert result.message == (
        "Unable to allocate 2.00 GiB for an array with shape (16384, 16384) and data type float64"
    )
    assert result.increment_bytes < 5 * MIB, "refused before a byte was touched"
    assert "MemoryError in line 2" in str(result) and "512.0 MiB" in str(result)


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
@pytest.mark.parametrize(
    "source",
    [
        "import threading, time\ndef late():\n    time.sleep(0.3)\n    bytearray(2**30)\n"
        "threading.Thread(target=late).start()",
        "nest = []\nwhile True:\n    nest = [nest]",
        "try:\n    bytearray(2**30)\nexcept MemoryError:\n    held = bytearray(2**30)",
        "import threading, time\nwhile True:\n"
        "    threading.Thread(target=time.sleep, args=(1,)).start()",
    ],
    ids=["thread", "nested", "handler", "many threads"],
)
def test_a_memory_error_in_an_odd_place_is_recognised(source):
    assert run_under_budget(source, "48 MiB").outcome == "MemoryError"


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
def test_the_limit_is_lifted_afterwards():
    source = (
        "import atexit\natexit.register(lambda: print(len(bytearray(10**8))))\nbytearray(10**9)"
    )
    result = run_under_budget(source, "64 MiB")
    assert (result.outcome, result.output) == ("MemoryError", f"{10**8}\n")


def test_a_thread_does_not_eat_the_budget():
    source = """
import threading
import numpy as np
ended = threading.Event()
def work():
    small = [np.ones(1000) for _ in range(10)]
    ended.wait()
threading.Thread(target=work).start()
array = np.ones(80 * 2**20, "uint8")
ended.set()
"""
    assert run_under_budget(source + "print('fits')", "100 MiB").output == "fits\n"


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
def test_an_interpreter_out_of_memory_is_no_ordinary_error():
    # Python 3.11 and 3.12 fail to make the MemoryError here; 3.13.0 crashes.
    source = "import sys\nsys.setrecursionlimit(10**8)\ndef f():\n    f()\nf()"
    outcome = run_under_budget(source, "32 MiB").outcome
    assert outcome in (["MemoryError"] if sys.version_info < (3, 13) else CRASH_OR_ERROR)


@pytest.mark.parametrize("watch", [False, True])
def test_inside_the_budget_it_finishes(watch):
    source = "import numpy as np\narray = np.ones(95 * 2**20, 'uint8')\nprint(array.size)"
    result = run_under_budget(source, "100 MiB", watch=watch)
    assert (result.outcome, result.message, result.exit_code) == ("finished", "", 0)
    assert result.increment_bytes == pytest.approx(95 * MIB, rel=0.05)
    assert result.output == f"{95 * MIB}\n"
    assert result.times[0] == 0 and result.rss_bytes[0] == result.base_bytes


def test_a_memory_error_that_is_handled_is_none():
    source = """
import numpy as np
try:
    np.ones(2**40)
except MemoryError:
    print("handled")
"""
    result = run_under_budget(source, "100 MiB")
    assert (result.outcome, result.output) == ("finished", "handled\n")


def test_watching_ends_it_above_the_budget_with_all_it_started():
    source = """
import subprocess, sys, time
import numpy as np
apart = {"start_new_session": True} if sys.platform != "win32" else {}
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], **apart)
print(helper.pid)
blocks = []
while True:
    blocks.append(np.ones(2**17))
    time.sleep(0.002)
"""
    result = run_under_budget(source, "64 MiB", watch=True)
    assert result.outcome == "ended by signal"
    assert "watching parent" in result.message
    assert result.increment_bytes > 64 * MIB
    assert gone(int(result.output))


@pytest.mark.skipif(not POSIX, reason="the launcher is a shell script")
def test_behind_a_launcher_the_real_process_is_watched(tmp_path, monkeypatch):
    # As python.exe of a Windows venv: a small program that starts Python and waits for it.
    launcher = tmp_path / "python"
    launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit $?\n', encoding="utf-8")
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(launcher))
    source = "import os, time\nprint(os.getpid())\nblock = b'1' * 2**27\ntime.sleep(60)"
    result = run_under_budget(source, "64 MiB", watch=True)
    assert result.outcome == "ended by signal"
    assert result.increment_bytes > 64 * MIB
    assert gone(int(result.output))


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
def test_a_limit_that_is_there_already_is_told():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import resource\n"
        "from helpers.memory import budget\n"
        "budget.available_memory = lambda: 2**40\n"
        "hard = resource.getrlimit(resource.RLIMIT_AS)[1]\n"
        "resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, hard))\n"
        "result = budget.run_under_budget('print(1)', '3 GiB')\n"
        "print(result.outcome, result.message)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(
        f"error OSError: The address space is already limited to {3 * 2**30}"
    )


def test_what_the_code_leaves_running_ends_with_it():
    source = """
import subprocess, sys
apart = {"start_new_session": True} if sys.platform != "win32" else {}
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], **apart)
print(helper.pid)
"""
    result = run_under_budget(source, "500 MiB")
    assert result.outcome == "finished"
    assert gone(int(result.output))


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("x = 1\n\nprint(y)", "NameError: name 'y' is not defined", 3),
        ("x = (", "SyntaxError: '(' was never closed", 1),
        ("import sys\nsys.exit(3)", "SystemExit: 3", 2),
        ("import os\nos._exit(3)", "The process left with exit code 3", None),
    ],
)
def test_other_errors_are_told(source, message, line):
    result = run_under_budget(source, "64 MiB")
    assert (result.outcome, result.line) == ("error", line)
    assert result.message.startswith(message)
    assert result.exit_code != 0


@pytest.mark.timeout(30)
def test_a_thread_that_waits_for_ever_does_not_hold_up_an_error():
    source = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n1 / 0"
    assert run_under_budget(source, "64 MiB").message == "ZeroDivisionError: division by zero"


@pytest.mark.skipif(not POSIX, reason="signals")
def test_a_crash_is_named():
    source = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"
    result = run_under_budget(source, "64 MiB")
    assert result.outcome == "ended by signal"
    assert "SIGSEGV" in result.message


@pytest.mark.parametrize(
    "budget",
    ["0 MiB", "-5 MiB", "lots", "512", "", "5 kB", "1000 TiB", 0, -1, None, 2.5, "nan MiB"],
)
def test_nonsense_budgets_are_refused(budget):
    with pytest.raises(ValueError):
        run_under_budget("print('never')", budget)


def test_variables_arrive_and_others_are_refused():
    given = {"a": 2, "b": [1.5, None, {"c": "é"}], "p": Path("some") / "file"}
    result = run_under_budget("print(a, b, p)", "64 MiB", given)
    assert result.output == f"2 [1.5, None, {{'c': 'é'}}] {Path('some') / 'file'}\n"
    with pytest.raises(ValueError, match="bad is of type object"):
        run_under_budget("pass", "64 MiB", {"bad": object()})


def test_quotes_and_unicode_in_the_source():
    source = "print('''it's \"quoted\" \\\\ ünï→码 {x} $y %s''')"
    assert run_under_budget(source, "64 MiB").output == 'it\'s "quoted" \\ ünï→码 {x} $y %s\n'


def test_output_is_streamed_in_order_while_the_code_runs(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    go = tmp_path / "go"
    source = """
import sys, time
from pathlib import Path
print("one")
print("two", file=sys.stderr)
print("three", end="")
print("four", file=sys.stderr)
while not Path(go).exists():  # appears only when the first lines have been seen outside
    time.sleep(0.01)
print("last")
"""
    seen = []

    def stream(text):
        seen.append(text)
        if "four" in "".join(seen):
            go.touch()

    result = run_under_budget(source, "64 MiB", {"go": go}, stream=stream)
    assert "".join(seen) == result.output == "one\ntwo\nthreefour\nlast\n"


def test_much_output_does_not_block():
    source = "for i in range(20_000):\n    print(f'{i:06d}', 'x' * 50)"
    result = run_under_budget(source, "64 MiB")
    assert len(result.output.splitlines()) == 20_000
    assert result.output.splitlines()[-1].startswith("019999")


def test_reading_from_the_keyboard_ends_at_once():
    assert run_under_budget("input()", "64 MiB").message.startswith("EOFError")


def test_an_interrupt_ends_the_child():
    pids = []

    def stream(text):
        pids.append(int(text))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_under_budget(
            "import os, time\nprint(os.getpid())\ntime.sleep(60)", "64 MiB", stream=stream
        )
    assert gone(pids[0])


def test_the_child_ends_when_its_parent_is_killed():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from helpers.memory import run_under_budget\n"
        "run_under_budget('import os, time\\nprint(os.getpid())\\ntime.sleep(60)', '64 MiB', "
        "stream=lambda text: print(text, flush=True))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(child)


def run_cells(*sources: str, client: type = NotebookClient, **options) -> nbformat.NotebookNode:
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    where = {"metadata": {"path": str(ROOT)}}
    client(notebook, kernel_name="python3", timeout=60, resources=where, **options).execute()
    return notebook


def printed(cell) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_the_magic_in_a_notebook():
    notebook = run_cells(
        "%load_ext helpers.memory\nfrom pathlib import Path\nn, folder = 2**28, Path('x')",
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
    pictures = [out for out in out_of_memory.outputs if "image/png" in out.get("data", {})]
    assert len(pictures) == 1
    alt = pictures[0].metadata["image/png"]["alt"]
    assert alt == pictures[0].data["text/plain"]
    assert "Timeline" in alt and "256.0 MiB" in alt
    if LINUX:
        assert "Unable to allocate 4.00 GiB for an array with shape (268435456, 2)" in said
        assert printed(facts) == f"MemoryError {256 * MIB} now\n"


def test_errors_of_the_magic_fail_the_cell_and_spare_the_kernel():
    notebook = run_cells(
        "%load_ext helpers.memory\nbad = object()",
        "%%memory_budget 64 MiB\nx = 1\nprint(undefined)",
        "%%memory_budget lots\nprint(1)",
        "%%memory_budget 64 MiB --with missing\nprint(1)",
        "%%memory_budget 64 MiB --with bad\nprint(1)",
        "%%memory_budget 64 MiB --nme x\nprint(1)",
        "%%memory_budget 64 MiB --name 1x\nprint(1)",
        "print('still alive')",
        allow_errors=True,
    )
    hints = ["line 2 of the cell", "'512 MiB'", "no such variable", "Allowed: int", "--nme", "1x"]
    for cell, hint in zip(notebook.cells[1:], hints, strict=False):
        (error,) = [out for out in cell.outputs if out.output_type == "error"]
        assert hint in "\n".join(error.traceback)
        assert "helpers/memory" not in "\n".join(error.traceback), "frames that help nobody"
    assert printed(notebook.cells[-1]) == "still alive\n"


def test_an_error_stops_the_execution_of_a_notebook():
    with pytest.raises(CellExecutionError, match="undefined"):
        run_cells("%load_ext helpers.memory", "%%memory_budget 64 MiB\nundefined")


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
        f"%load_ext helpers.memory\nnote = {str(note)!r}",
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


@pytest.mark.skipif(not POSIX, reason="signals")
def test_a_real_interrupt_signal_ends_the_child():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from helpers.memory import measure_peak\n"
        "try:\n"
        "    measure_peak('import time; time.sleep(60)')\n"
        "except KeyboardInterrupt:\n"
        "    import psutil; print(psutil.Process().children(recursive=True))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    while not psutil.Process(parent.pid).children():
        time.sleep(0.05)
    time.sleep(0.3)
    parent.send_signal(signal.SIGINT)
    assert parent.communicate(timeout=20)[0] == "[]\n"


def test_the_outcome_starts_a_line_of_its_own(capsys, monkeypatch):
    monkeypatch.setattr(magics, "show_figure", lambda ax, alt: None)
    magics.show(run_under_budget("print(1, end='')", "64 MiB"))
    assert capsys.readouterr().out.startswith("\nFinished")
    magics.show(run_under_budget("print(1)", "64 MiB"))
    assert capsys.readouterr().out.startswith("Finished")
