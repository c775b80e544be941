"""What the system says about this process, a child and the machine."""

import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from helpers import memory
from helpers.memory import current_rss, measure_peak, peak_rss, process, rebase, release_freed
from helpers.memory.process import available_memory, peak_of
from helpers.units import MIB


def test_own_memory_is_seen():
    before = current_rss()
    array = np.ones(64 * MIB, "uint8")
    assert current_rss() - before > 55 * MIB
    assert peak_rss() >= current_rss() - MIB
    assert peak_rss() > array.nbytes
    assert 0 < available_memory() <= psutil.virtual_memory().total


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
        return available_memory()

    assert available(used=80_000, cached=30_000) == 40_000
    assert available(used=80_000, cached=85_000) == 90_000, "never above the limit"
    assert available(used=95_000, cached=100) == 0
    (group / "memory.stat").unlink()
    (group / usage).write_text("80000", encoding="utf-8")
    assert available_memory() == 10_000
    (group / limit).write_text("max", encoding="utf-8")
    assert available_memory() > 90_000


def test_assert_peak_below(capsys):
    memory.assert_peak_below("1 TiB")
    said = capsys.readouterr().out
    assert said.startswith("This notebook's own peak: ")
    assert said.endswith("MiB, within its budget of 1 TiB.\n") or "GiB, within" in said
    with pytest.raises(AssertionError, match=r"MiB, is above its budget of 1 MiB|GiB, is above"):
        memory.assert_peak_below("1 MiB")
    with pytest.raises(ValueError):
        memory.assert_peak_below("1")


def give_back():
    """RSS that `release_freed` gives back of 94 MiB in freed small blocks, and what it says."""
    arrays = [np.ones(48 * 1024, "uint8") for _ in range(2000)]
    last = arrays.pop()  # at the end of the heap, which so cannot shrink by itself
    del arrays
    kept = current_rss()
    did = release_freed()
    given_back = kept - current_rss()
    del last
    return [did, given_back]


def test_release_freed_gives_small_blocks_back_where_glibc_can():
    did, given_back = measure_peak(give_back).value
    assert did == release_freed()
    if did:
        assert given_back > 40 * MIB


def start_again():
    """The high-water mark above the RSS before and after `rebase`, and what `rebase` returns."""
    spike = np.ones(100 * MIB, "uint8")
    del spike
    knot = []
    knot += [knot, np.ones(50 * MIB, "uint8")]  # only the garbage collector can free it
    del knot
    before = peak_rss() - current_rss()
    base = rebase()
    return [before, peak_rss() - base, base - current_rss()]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux resets the mark")
def test_rebase_collects_and_sets_the_mark_back_to_the_rss():
    measured = measure_peak(start_again)
    before, after, moved = measured.value
    assert before > 40 * MIB
    assert abs(after) < MIB and abs(moved) < MIB
    assert measured.rss_bytes[-1] - measured.base_bytes < 10 * MIB


@pytest.mark.parametrize(
    ("mark", "mark_at_base", "sampled", "peak"),
    [
        (300, 150, 200, 300),  # the mark has risen: it saw more than the samples
        (200, 150, 210, 210),  # a sample taken after the mark was read
        (150, 150, 120, 120),  # the spike of the imports is still in the mark
    ],
)
def test_the_peak_is_the_mark_if_that_has_risen(mark, mark_at_base, sampled, peak):
    assert peak_of(mark, mark_at_base, sampled) == peak


def test_memory_profiler_works_here():
    profiler = pytest.importorskip("memory_profiler")
    calls = []

    def hold(n_mib):
        calls.append(np.ones(n_mib * MIB, dtype="uint8"))
        time.sleep(0.5)  # what is gone between two samples, it does not see

    seen = profiler.memory_usage((hold, (64,)), max_iterations=1, interval=0.01)
    assert max(seen) - seen[0] > 50
    assert len(calls) == 1
