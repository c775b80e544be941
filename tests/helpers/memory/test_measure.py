"""Peaks of functions, measured in fresh child processes."""

import linecache
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from helpers.memory import mark, measure_peak, peak_rss
from helpers.memory.record import ChildError
from helpers.settings import PROJECT
from helpers.units import MIB
from tests.support import printed, run_cells

pytestmark = pytest.mark.usefixtures("nothing_is_left_running")


def fill(n_mib):
    """Hold n_mib MiB; a function that lives in a module."""
    return int(np.ones(n_mib * MIB, dtype="uint8").sum())


def spike():
    np.ones(100 * MIB, "uint8")
    return [1, "two"]


def three_rounds():
    for k in range(3):
        mark(f"round {k}")
        time.sleep(0.03)


def divide():
    print("printed first")
    return 1 / 0


@pytest.fixture
def cell(monkeypatch):
    """A function that runs a cell as a notebook does, in `__main__` and in no file.

    Returns the names that the cell defines.
    """

    def run(source):
        lines = source.splitlines(True)
        monkeypatch.setitem(linecache.cache, "<cell 1>", (len(source), None, lines, "<cell 1>"))
        names = {"__name__": "__main__", "np": np, "mark": mark}
        exec(compile(source, "<cell 1>", "exec"), names)
        return names

    return run


def test_a_short_spike_is_measured():
    measured = measure_peak(spike, base_imports=("numpy", "PIL.Image"))
    assert measured.increment_bytes == pytest.approx(100 * MIB, rel=0.05)
    assert measured.peak_bytes == measured.base_bytes + measured.increment_bytes
    assert measured.value == [1, "two"]
    assert measure_peak(lambda: None).increment_bytes < 5 * MIB


def test_functions_of_modules_are_measured():
    measured = measure_peak(fill, 60)
    assert measured.value == 60 * MIB
    assert measured.increment_bytes == pytest.approx(60 * MIB, rel=0.05)


def test_base_imports_are_not_counted(tmp_path, monkeypatch):
    heavy = "import numpy\nheld = numpy.ones(50 * 2**20, 'uint8')\n"
    (tmp_path / "heavy.py").write_text(heavy, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def use():
        import heavy

        return heavy.held.nbytes

    before, after = measure_peak(use, base_imports=("heavy",)), measure_peak(use)
    assert before.value == after.value == 50 * MIB
    assert before.increment_bytes < 5 * MIB
    assert after.increment_bytes > 48 * MIB


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux resets the mark")
def test_the_spike_of_an_import_is_forgotten(tmp_path, monkeypatch):
    spiky = "import numpy; numpy.ones(200 * 2**20, 'uint8').sum()"
    (tmp_path / "spiky.py").write_text(spiky, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    measured = measure_peak(peak_rss, base_imports=("spiky",))
    assert measured.value - measured.base_bytes < 20 * MIB


def test_what_the_function_brings_along_is_there_before_the_base(cell):
    names = cell("def f(block=np.ones(10 * 2**20, 'uint8')):\n    return block.nbytes\n")
    measured = measure_peak(names["f"])
    assert measured.value == 10 * MIB
    assert measured.increment_bytes < MIB
    measured = measure_peak(len, np.ones(10 * MIB, "uint8"))
    assert measured.value == 10 * MIB
    assert measured.increment_bytes < MIB


def test_timeline_and_marks_are_in_order():
    measured = measure_peak(three_rounds)
    assert [label for _, label in measured.marks] == ["round 0", "round 1", "round 2"]
    assert measured.times[0] == 0
    assert np.all(np.diff(measured.times) >= 0)
    assert measured.times.shape == measured.rss_bytes.shape
    assert len(measured.times) >= 2
    assert measured.seconds == measured.times[-1] >= measured.marks[-1][0]


def test_a_parent_that_looks_less_often_finds_the_same_peak():
    """Where speed is measured: the peak is the child's own mark, not that of the samples."""
    run = measure_peak(fill, 25, sample_seconds=0.4)
    assert len(run.times) <= 4
    assert run.increment_bytes >= 24 * MIB or sys.platform != "linux"


def test_lambdas_and_closures_reach_the_child():
    n_mib = 30
    assert measure_peak(lambda: fill(n_mib)).value == 30 * MIB

    def outer(by):
        def inner(n):
            return n * by * n_mib

        return inner

    assert measure_peak(outer(2), 3).value == 180


def test_functions_and_classes_of_a_notebook_reach_the_child(cell):
    names = cell(
        "SCALE = {'by': 2}\n"
        "def inner(n):\n"
        "    return n * SCALE['by']\n"
        "def outer(n, folder, unit=np.uint8):\n"
        "    mark('here')\n"
        "    return [int(np.ones(inner(n), unit).sum()) for _ in range(2)] + [folder.name]\n"
        "class Counter:\n"
        "    def __init__(self, start):\n"
        "        self.start = start\n"
        "    def up(self, n):\n"
        "        return self.start + inner(n)\n"
        "def make(kind, start):\n"
        "    return [type(kind(start)).__name__, kind(start).up(1)]\n"
    )
    seen = measure_peak(names["outer"], 5, folder=Path("a/b"))
    assert seen.value == [10, 10, "b"]
    assert [label for _, label in seen.marks] == ["here"]
    assert measure_peak(names["Counter"](4).up, 3).value == 10
    assert measure_peak(names["make"], names["Counter"], start=6).value == ["Counter", 8]


def test_functions_of_a_script_are_measured_with_what_they_use(tmp_path):
    script = tmp_path / "as_main.py"
    script.write_text(
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from helpers.memory import mark, measure_peak\n"
        "SCALE = {'by': 2}\n"
        "def inner(n):\n"
        "    return n * SCALE['by']\n"
        "def outer(n, folder, unit=np.uint8):\n"
        "    mark('here')\n"
        "    return [int(np.ones(inner(n), unit).sum()) for _ in range(2)] + [folder.name]\n"
        "if __name__ == '__main__':\n"
        "    seen = measure_peak(outer, 5, folder=Path('a/b'))\n"
        "    print(seen.value, [label for _, label in seen.marks])\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import runpy; "
         f"runpy.run_path({str(script)!r}, run_name='__main__')"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "[10, 10, 'b'] ['here']", done.stderr


@pytest.mark.slow
def test_in_a_real_notebook():
    notebook = run_cells(
        "import numpy as np\nfrom helpers.memory import mark, measure_peak\nn = 40 * 2**20",
        "def hold():\n"
        "    mark('now')\n"
        "    return int(np.ones(n, 'uint8').sum())\n"
        "seen = measure_peak(hold)\n"
        "print(seen.value == n, seen.marks[0][1], round(seen.increment_bytes / n, 1))\n"
        "print(measure_peak(lambda: n).value == n)",
        "def fail():\n    print('first')\n    return 1 / 0  # on purpose\nmeasure_peak(fail)",
        "big = np.zeros(32 * 2**20, 'uint8')\nmeasure_peak(lambda: big.size)",
        allow_errors=True,
    )
    works, fails, refused = notebook.cells[1:]
    assert printed(works) == "True now 1.0\nTrue\n"
    (error,) = [out for out in fails.outputs if out.output_type == "error"]
    told = "\n".join(error.traceback)
    assert error.ename == "ChildError"
    assert "first\n" in told and "return 1 / 0  # on purpose" in told
    assert "ZeroDivisionError: division by zero" in told
    assert "helpers/memory" not in told, "frames that help nobody"
    (error,) = [out for out in refused.outputs if out.output_type == "error"]
    assert error.ename == "ValueError"
    assert "most of it for big (32.0 MiB)" in error.evalue


def test_a_traceback_shows_the_lines_of_a_cell(cell):
    names = cell("def f(n):\n    m = n - 1\n    return n / m  # on purpose\n")
    with pytest.raises(ChildError, match=r'(?s)"<cell 1>", line 3, in f\n +return n / m  # on'):
        measure_peak(names["f"], 1)


def test_errors_in_the_child_are_raised_here():
    with pytest.raises(ChildError, match=r"(?s)printed first.*return 1 / 0.*ZeroDivisionError"):
        measure_peak(divide)
    with pytest.raises(ChildError, match="no_such_module"):
        measure_peak(fill, 1, base_imports=("no_such_module",))
    with pytest.raises(ChildError, match="code 7"):
        measure_peak(lambda: __import__("os")._exit(7))


def test_a_value_that_json_cannot_hold_is_none():
    assert measure_peak(lambda: {1, 2}).value is None


def test_what_cannot_go_to_a_child_is_refused():
    lock = threading.Lock()
    with pytest.raises(ValueError, match="42 is not a function"):
        measure_peak(42)
    with pytest.raises(ValueError, match=r"'print\(1\)' is not a function"):
        measure_peak("print(1)")
    with pytest.raises(ValueError, match=r"fill cannot be taken to another process: .*lock"):
        measure_peak(fill, lock)
    with pytest.raises(ValueError, match=r"lambda.* cannot be taken to another process: .*lock"):
        measure_peak(lambda: lock)
    with pytest.raises(ValueError, match=r"fill cannot be taken to another process: .*generator"):
        measure_peak(fill, n_mib=(n for n in [1]))


BIG = np.zeros(32 * MIB, "uint8")
USES_OF_BIG = {
    "global": "def f():\n    return big.nbytes",
    "closure": "def make(big):\n    return lambda: big.nbytes\nf = make(big)",
}


@pytest.mark.parametrize("source", USES_OF_BIG.values(), ids=USES_OF_BIG)
def test_a_variable_that_is_too_large_is_refused_by_name(cell, source):
    f = cell(f"big = np.zeros(32 * 2**20, 'uint8')\nsmall = np.ones(7)\n{source}\n")["f"]
    hint = r" takes 32\.0 MiB to another process, most of it for big \(32\.0 MiB\)"
    with pytest.raises(ValueError, match=hint):
        measure_peak(f)


def test_what_is_too_large_and_has_no_name_here_is_refused_all_the_same(cell):
    names = cell("class A:\n    def f(self):\n        return big.nbytes\n")
    names["big"] = np.zeros(32 * MIB, "uint8")
    with pytest.raises(ValueError, match=r"A\.f takes 32\.0 MiB .* for what it refers to"):
        measure_peak(names["A"]().f)


def test_an_argument_that_is_too_large_is_refused_by_name(cell):
    big = np.zeros(32 * MIB, "uint8")
    with pytest.raises(ValueError, match=r"len takes 32\.0 MiB .* for argument 1 \(32\.0 MiB\)"):
        measure_peak(len, big)
    with pytest.raises(ValueError, match=r"fill takes 32\.0 MiB .* for n_mib \(32\.0 MiB\)"):
        measure_peak(fill, n_mib=big)
    names = cell("def inner():\n    return big\ndef f(n):\n    return inner().nbytes + n\n")
    names["big"] = big
    with pytest.raises(ValueError, match=r"f takes 32\.0 MiB .* for inner \(32\.0 MiB\)"):
        measure_peak(names["f"], 1)


def test_a_large_array_of_a_module_stays_there():
    assert measure_peak(big_of_the_module).value == 32 * MIB


def big_of_the_module():
    return BIG.nbytes


def test_helpers_memory_needs_no_keras_and_no_ipython():
    loaded = measure_peak(lambda: sorted(sys.modules), base_imports=("helpers.memory",)).value
    assert "helpers.memory.runner" in loaded
    assert not {"keras", "tensorflow", "IPython", "matplotlib"} & set(loaded)
