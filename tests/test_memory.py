"""Sizes, predictions, and peaks measured in fresh child processes."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from helpers import memory
from helpers.memory import (
    MIB,
    format_bytes,
    mark,
    measure_peak,
    parse_bytes,
    predict_bytes,
    process,
)
from helpers.memory.record import ChildRun
from helpers.memory.variables import json_like

ROOT = Path(__file__).resolve().parents[1]


def fill(n_mib):
    """Hold n_mib MiB; a function that lives in a module."""
    return int(np.ones(n_mib * MIB, dtype="uint8").sum())


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("512 MiB", 512 * 2**20),
        ("1.5 GiB", 3 * 2**29),
        ("64MB", 64_000_000),
        (" 1 kB ", 1000),
        ("0.1 TB", 10**11),
        (77, 77),
    ],
)
def test_sizes_are_read(text, n_bytes):
    assert parse_bytes(text) == n_bytes


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("512", "no unit"),
        ("512 mib", "did you mean MiB"),
        ("1 Mb", "did you mean MB"),
        ("1 KB", "did you mean kB"),
        ("3 apples", "use one of"),
        ("lots", "number and a unit"),
        ("", "number and a unit"),
        ("1 MiB 2", "number and a unit"),
        (None, "number and a unit"),
        (True, "number and a unit"),
        (1.5, "number and a unit"),
    ],
)
def test_nonsense_sizes_are_refused(text, hint):
    with pytest.raises(ValueError, match=hint):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1536, "1.5 KiB"),
        (512 * MIB, "512.0 MiB"),
        (2**30 - 1, "1.00 GiB"),
        (3 * 2**29, "1.50 GiB"),
        (-3 * MIB, "-3.0 MiB"),
        (5000 * 2**40, "5,000.00 TiB"),
    ],
)
def test_sizes_are_written(n_bytes, text):
    assert format_bytes(n_bytes) == text


@pytest.mark.parametrize("dtype", ["uint8", "float32", np.float64, np.dtype("int16"), bool])
def test_prediction_is_the_size_of_the_array(dtype):
    assert predict_bytes((3, 5, 7), dtype) == np.zeros((3, 5, 7), dtype).nbytes


def test_prediction_of_one_hot_masks_and_of_scalar_shapes():
    assert predict_bytes((10, 4, 4), "float32", one_hot=21) == 10 * 4 * 4 * 21 * 4
    assert predict_bytes(12) == predict_bytes([12]) == 12
    assert predict_bytes(()) == 1


def test_prediction_of_a_list_counts_objects_and_pointers():
    arrays = [np.empty((5, 7, 3), "uint8") for _ in range(4)]
    held = sum(sys.getsizeof(array) for array in arrays) + 4 * 8
    assert predict_bytes((4, 5, 7, 3), as_list=True) == held


def test_prediction_never_overflows():
    assert predict_bytes((10**12, 10**12), "float64") == 8 * 10**24
    assert type(predict_bytes(np.array([2, 3]), "float64")) is int


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (((-1, 2),), {}),
        (((1.5, 2),), {}),
        (((True, 2),), {}),
        (("12",), {}),
        (((2,), "float33"), {}),
        (((2,), None), {}),
        (((2,), object), {}),
        (((2,), "str"), {}),
        (((2,),), {"one_hot": 0}),
        (((2,),), {"one_hot": -1}),
        (((),), {"as_list": True}),
    ],
)
def test_nonsense_predictions_are_refused(arguments, options):
    with pytest.raises(ValueError):
        predict_bytes(*arguments, **options)


@pytest.mark.parametrize(
    ("shape", "dtype", "n_classes"),
    [
        ((220, MIB), "uint8", None),
        ((55, MIB), "float32", None),
        ((30, MIB), "float64", None),
        ((50, 224, 224), "float32", 21),
    ],
)
def test_prediction_matches_measurement_within_5_percent(shape, dtype, n_classes):
    predicted = predict_bytes(shape, dtype, one_hot=n_classes)
    assert predicted >= 200 * MIB
    full_shape = [*shape, n_classes] if n_classes else list(shape)
    source = "import numpy as np; array = np.full(shape, 1, dtype)"
    measured = measure_peak(source, shape=full_shape, dtype=dtype)
    assert measured.increment_bytes == pytest.approx(predicted, rel=0.05)


def test_prediction_matches_measurement_for_a_list_of_small_arrays():
    source = "import numpy as np; arrays = [np.ones(300, 'uint8') for _ in range(200_000)]"
    predicted = predict_bytes((200_000, 300), as_list=True)
    assert measure_peak(source).increment_bytes == pytest.approx(predicted, rel=0.1)


def test_a_short_spike_is_measured_and_imports_are_not():
    source = "import numpy as np; np.ones(100 * 2**20, 'uint8'); value = [1, 'two']"
    measured = measure_peak(source, base_imports=("numpy", "PIL.Image"))
    assert measured.increment_bytes == pytest.approx(100 * MIB, rel=0.05)
    assert measured.peak_bytes == measured.base_bytes + measured.increment_bytes
    assert measured.value == [1, "two"]
    quiet = measure_peak("pass", base_imports=("numpy", "PIL.Image"))
    assert quiet.increment_bytes < 5 * MIB


def test_the_peak_is_the_childs_own_mark_if_that_moved():
    run = ChildRun(
        ready={"base_bytes": 100, "high_water": 150},
        done={"high_water": 300},
        samples=[(0.1, 120), (0.2, 200)],
    )
    assert run.peak_bytes == 300
    run.done["high_water"] = 150  # the spike of the imports
    assert run.peak_bytes == 200


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux resets the mark")
def test_the_spike_of_an_import_is_forgotten(tmp_path, monkeypatch):
    spike = "import numpy; numpy.ones(200 * 2**20, 'uint8').sum()"
    (tmp_path / "spiky.py").write_text(spike, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    source = "from helpers.memory import peak_rss; value = peak_rss()"
    measured = measure_peak(source, base_imports=("spiky",))
    assert measured.value - measured.base_bytes < 20 * MIB


def test_timeline_and_marks_are_in_order():
    source = """
        import time
        for k in range(3):
            mark(f"round {k}")
            time.sleep(0.03)
    """
    measured = measure_peak(source)
    assert [label for _, label in measured.marks] == ["round 0", "round 1", "round 2"]
    assert measured.times[0] == 0
    assert np.all(np.diff(measured.times) >= 0)
    assert measured.times.shape == measured.rss_bytes.shape
    assert len(measured.times) > 3
    assert measured.seconds == measured.times[-1] >= measured.marks[-1][0]
    mark("outside of a child, nothing happens")


def test_functions_of_modules_are_measured():
    measured = measure_peak(fill, 60)
    assert measured.value == 60 * MIB
    assert measured.increment_bytes == pytest.approx(60 * MIB, rel=0.05)


def test_functions_of_a_notebook_are_measured_with_what_they_use(tmp_path):
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
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import runpy; "
         f"runpy.run_path({str(script)!r}, run_name='__main__')"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "[10, 10, 'b'] ['here']", done.stderr


def test_errors_in_the_child_are_raised_here():
    with pytest.raises(memory.ChildError, match=r"(?s)printed first.*line 2.*ZeroDivisionError"):
        measure_peak("print('printed first')\n1 / 0")
    with pytest.raises(memory.ChildError, match="no_such_module"):
        measure_peak("pass", base_imports=("no_such_module",))
    with pytest.raises(memory.ChildError, match="code 7"):
        measure_peak("import os; os._exit(7)")


def test_what_cannot_go_to_a_child_is_refused():
    outside = 3

    def uses_outside():
        return outside

    with pytest.raises(ValueError, match="outside"):
        measure_peak(uses_outside)
    with pytest.raises(ValueError, match="lambda"):
        measure_peak(lambda: 1)
    with pytest.raises(ValueError, match="neither"):
        measure_peak(42)
    with pytest.raises(ValueError, match="arguments"):
        measure_peak(fill, lambda: 1)
    with pytest.raises(ValueError, match="by name"):
        measure_peak("pass", 1)


def test_variables_for_the_child():
    given = {"a": 1, "b": [1.5, None, True], "c": {"d": "e"}, "p": Path("x")}
    assert json_like(given) == {"a": 1, "b": [1.5, None, True], "c": {"d": "e"}, "p": "x"}


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("a", np.zeros(3), "a is of type ndarray"),
        ("a", (1, 2), "tuple.*Allowed: int, float"),
        ("a", [1, {"k": object()}], r"a\[1\]\['k'\] is of type object"),
        ("a", {1: 2}, "dict"),
        ("class", 1, "not the name"),
        ("a b", 1, "not the name"),
        ("a", "x" * 2**21, "in a file"),
    ],
)
def test_other_variables_are_refused(name, value, hint):
    with pytest.raises(ValueError, match=hint):
        json_like({name: value})


def test_own_memory_is_seen():
    before = memory.current_rss()
    array = np.ones(64 * MIB, "uint8")
    assert memory.current_rss() - before > 55 * MIB
    assert memory.peak_rss() >= memory.current_rss() - MIB
    assert memory.peak_rss() > array.nbytes
    assert 0 < memory.available_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("folder", "limit", "usage", "prefix"),
    [
        ("", "memory.max", "memory.current", ""),
        ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    ],
    ids=["v2", "v1"],
)
def test_page_cache_of_a_container_is_available(
    tmp_path, monkeypatch, folder, limit, usage, prefix
):
    monkeypatch.setattr(process, "CGROUP", tmp_path)
    group = tmp_path / folder
    group.mkdir(exist_ok=True)

    def available(used, cached):
        files = {limit: 90_000, usage: used}
        text = f"anon 7\n{prefix}inactive_file {cached - 100}\n{prefix}active_file 100\nother 9\n"
        for name, number in files.items():
            (group / name).write_text(f"{number}\n", encoding="utf-8")
        (group / "memory.stat").write_text(text, encoding="utf-8")
        return memory.available_memory()

    assert available(used=80_000, cached=30_000) == 40_000
    assert available(used=80_000, cached=85_000) == 90_000, "never above the limit"
    assert available(used=95_000, cached=100) == 0
    (group / "memory.stat").unlink()
    (group / usage).write_text("80000", encoding="utf-8")
    assert memory.available_memory() == 10_000
    (group / limit).write_text("max", encoding="utf-8")
    assert memory.available_memory() > 90_000


def test_assert_peak_below(capsys):
    memory.assert_peak_below("1 TiB")
    said = capsys.readouterr().out
    assert said.startswith("This notebook's own peak: ")
    assert said.endswith("MiB, within its budget of 1 TiB.\n") or "GiB, within" in said
    with pytest.raises(AssertionError, match=r"MiB, is above its budget of 1 MiB|GiB, is above"):
        memory.assert_peak_below("1 MiB")
    with pytest.raises(ValueError):
        memory.assert_peak_below("1")


def test_release_freed_gives_small_blocks_back_where_glibc_can():
    source = """
        import numpy as np
        from helpers.memory import current_rss, release_freed
        arrays = [np.ones(48 * 1024, "uint8") for _ in range(2000)]
        last = arrays.pop()  # at the end of the heap, which so cannot shrink by itself
        del arrays
        kept = current_rss()
        did = release_freed()
        value = [did, kept - current_rss()]
    """
    did, given_back = measure_peak(source).value
    assert did == memory.release_freed()
    if did:
        assert given_back > 40 * MIB


def test_helpers_memory_needs_no_keras():
    source = (
        "import sys, helpers.memory; value = sorted({'keras', 'tensorflow'} & set(sys.modules))"
    )
    assert measure_peak(source).value == []


def test_memory_profiler_works_here():
    profiler = pytest.importorskip("memory_profiler")
    calls = []

    def hold(n_mib):
        calls.append(np.ones(n_mib * MIB, dtype="uint8"))
        time.sleep(0.5)  # what is gone between two samples, it does not see

    seen = profiler.memory_usage((hold, (64,)), max_iterations=1, interval=0.01)
    assert max(seen) - seen[0] > 50
    assert len(calls) == 1


def test_a_parent_that_looks_less_often_finds_the_same_peak():
    """Where speed is measured: the peak is the child's own mark, not that of the samples."""
    source = "import numpy as np\na = np.ones(25 * 2**20, np.uint8)\ndel a"
    run = measure_peak(source, sample_seconds=0.4)
    assert len(run.times) <= 4
    assert run.increment_bytes >= 24 * MIB or sys.platform != "linux"
