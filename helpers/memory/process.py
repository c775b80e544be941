"""What the operating system says about the memory of a process and of the machine."""

import contextlib
import ctypes
import gc
import sys
from pathlib import Path

import psutil

from helpers.units import format_bytes, parse_bytes

PROC_SELF = Path("/proc/self")
CGROUP = Path("/sys/fs/cgroup")
# Of a container: folder, limit, usage, and the names of its page cache in memory.stat.
CGROUP_V2 = ("", "memory.max", "memory.current", ("inactive_file", "active_file"))
CGROUP_V1 = (
    "memory",
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    ("total_inactive_file", "total_active_file"),
)


def current_rss() -> int:
    """Return the bytes of RAM this process holds now (its resident set size, RSS).

    Notebook 02, "What does deleting give back?".
    """
    return psutil.Process().memory_info().rss


def peak_rss() -> int:
    """Return the largest RSS of this process so far, in bytes (its high-water mark).

    VmHWM on Linux, the peak working set on Windows, ``ru_maxrss`` elsewhere. Not ``ru_maxrss`` on
    Linux: a child started by a large parent may inherit the parent's mark there.

    Notebook 03, "Take-aways".
    """
    status = PROC_SELF / "status"
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # Windows has no such module

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def rebase() -> int:
    """Start measuring here: collect, give freed memory back, set the high-water mark; the RSS now.

    Only Linux can set the mark back; elsewhere it stays where it was.
    """
    gc.collect()
    release_freed()
    with contextlib.suppress(OSError):
        (PROC_SELF / "clear_refs").write_text("5", encoding="utf-8")
    return current_rss()


def peak_of(mark: int, mark_at_base: int, sampled: int) -> int:
    """The peak of a process in bytes: its own high-water mark, if that has risen since the base.

    Where the mark cannot be set back (macOS, Windows) it may still hold the spike of the imports;
    then the highest sample counts.
    """
    return max(mark, sampled) if mark > mark_at_base else sampled


def virtual_size() -> int:
    """Return the address space of this process in bytes, which RLIMIT_AS limits (Linux)."""
    return psutil.Process().memory_info().vms


def available_memory() -> int:
    """Return the bytes that can be used without swapping, a container's own limit included.

    A container's usage counts the files that the kernel keeps in RAM (page cache). They make room
    when memory is short, so they are available.
    """
    available = psutil.virtual_memory().available
    for folder, limit_name, usage_name, cache_names in (CGROUP_V2, CGROUP_V1):
        try:
            limit = int((CGROUP / folder / limit_name).read_text(encoding="utf-8"))
            usage = int((CGROUP / folder / usage_name).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
        used = max(usage - _page_cache(CGROUP / folder / "memory.stat", cache_names), 0)
        available = min(available, max(limit - used, 0))
    return available


def _page_cache(stat: Path, names: tuple[str, ...]) -> int:
    try:
        lines = stat.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.split()[0] in names)


def release_freed() -> bool:
    """Ask glibc to give the memory it keeps after ``free`` back to the system (``malloc_trim``).

    False, and nothing done, where the C library has no such function (macOS, Windows, musl).

    Notebook 02, "What does deleting give back?".
    """
    try:
        malloc_trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    malloc_trim(0)
    return True


def assert_peak_below(budget: str | int) -> None:
    """Print this process's own peak RSS beside ``budget`` ("1.5 GiB").

    AssertionError, naming both, if the peak lies above the budget.

    Notebook 01, "Take-aways".
    """
    allowed = parse_bytes(budget)
    words = budget if isinstance(budget, str) else format_bytes(budget)
    peak = peak_rss()
    if peak > allowed:
        raise AssertionError(
            f"This notebook's own peak, {format_bytes(peak)}, is above its budget of {words}."
        )
    print(f"This notebook's own peak: {format_bytes(peak)}, within its budget of {words}.")
