"""Code under a memory budget: the outcomes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.memory import run_under_budget
from helpers.memory.budget import _json_like
from helpers.memory.process import available_memory
from helpers.settings import PROJECT
from helpers.units import MIB
from tests.support import gone

pytestmark = pytest.mark.usefixtures("nothing_is_left_running")

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
PAST = {
    "one big array": (ONE_BIG, (64, 256, 777, 2048)),
    "a filled array": (FILLED, (64, 256, 777, 2048)),
    "many blocks": (MANY_BLOCKS, (64, 100, 200, 400)),
    "many small arrays": (MANY_SMALL, (64, 100, 150, 256)),
    "objects": (PYTHON_OBJECTS, (64, 70, 80, 96)),
}
QUICK = ("one big array 64", "many small arrays 64")
CASES = [
    pytest.param(source, mib, id=case, marks=[] if case in QUICK else [pytest.mark.slow])
    for name, (source, budgets) in PAST.items()
    for case, mib in ((f"{name} {mib}", mib) for mib in budgets)
]
CRASH_OR_ERROR = ["MemoryError", "ended by signal"]


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
    assert result.asked_bytes == 2048 * MIB


@pytest.mark.parametrize(
    ("said", "asked"),
    [("144. MiB", 144 * MIB), ("4.19 GiB", int(4.19 * 1024 * MIB)), ("many bytes", None)],
)
def test_what_was_asked_for_is_read_from_numpys_words(said, asked):
    result = run_under_budget(f"raise MemoryError('Unable to allocate {said} for it')", "64 MiB")
    assert result.asked_bytes == asked


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
@pytest.mark.parametrize(
    "source",
    [
        "import threading, time\ndef late():\n    time.sleep(0.3)\n    bytearray(2**30)\n"
        "threading.Thread(target=late).start()",
        pytest.param("nest = []\nwhile True:\n    nest = [nest]", marks=pytest.mark.slow),
        "try:\n    bytearray(2**30)\nexcept MemoryError:\n    held = bytearray(2**30)",
        pytest.param(
            "import threading, time\nwhile True:\n"
            "    threading.Thread(target=time.sleep, args=(1,)).start()",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["thread", "nested", "handler", "many threads"],
)
def test_a_memory_error_in_an_odd_place_is_recognised(source):
    assert run_under_budget(source, "48 MiB").outcome == "MemoryError"


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


@pytest.mark.slow
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


@pytest.mark.skipif(not LINUX, reason="a real limit exists on Linux only")
def test_a_limit_that_is_there_already_is_told():
    code = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n"
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
    hint = "bad cannot be passed to the child: it holds a value of type object"
    with pytest.raises(ValueError, match=hint):
        run_under_budget("pass", "64 MiB", {"bad": object()})


def test_variables_for_the_child():
    given = {
        "a": 1,
        "b": [1.5, None, True],
        "c": {"d": "e"},
        "p": Path("x"),
        "é": (1, (Path("y"),)),
    }
    plain = {"a": 1, "b": [1.5, None, True], "c": {"d": "e"}, "p": "x", "é": [1, ["y"]]}
    assert _json_like(given) == plain
    assert _json_like({"a": {1: 2, None: 3}}) == {"a": {"1": 2, "null": 3}}


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("a", np.zeros(3), r"a cannot .* type ndarray\. Allowed are int, float"),
        ("a", [1, {"k": object()}], "a cannot .* type object"),
        ("a", b"1", "a cannot .* type bytes"),
        ("a", {(1, 2): 3}, "a cannot .* keys must be str"),
        ("class", 1, "'class' is not the name"),
        ("a b", 1, "'a b' is not the name"),
        (1, 1, "1 is not the name"),
        ("a", "x" * 2**21, r"a: 2,097,154 bytes are too many to pass; save it in a file"),
    ],
)
def test_other_variables_are_refused(name, value, hint):
    with pytest.raises(ValueError, match=hint):
        _json_like({name: value})


def test_a_variable_that_holds_itself_is_refused():
    knot = []
    knot.append(knot)
    with pytest.raises(ValueError, match="knot cannot be passed to the child: Circular"):
        _json_like({"knot": knot})


def test_the_code_knows_the_variables_and_mark_and_nothing_else():
    source = "print(__name__, sorted(name for name in globals() if name[0] != '_'))\nmark(3)"
    result = run_under_budget(source, "64 MiB", {"a": 1})
    assert result.output == "__main__ ['a', 'mark']\n"
    assert [label for _, label in result.marks] == ["3"]


def test_quotes_and_unicode_in_the_source():
    source = "print('''it's \"quoted\" \\\\ ünï→码 {x} $y %s''')"
    assert run_under_budget(source, "64 MiB").output == 'it\'s "quoted" \\ ünï→码 {x} $y %s\n'
