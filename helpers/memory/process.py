"""What the operating system says about the memory of a process and of the machine."""

import ctypes
import sys
from pathlib import Path

import psutil

from helpers.memory.sizes import format_bytes, parse_bytes

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
    """Return the bytes of RAM this process holds now (its resident set size, RSS)."""
    return psutil.Process().memory_info().rss


def peak_rss() -> int:
    """Return the largest RSS of this process so far, in bytes (its high-water mark).

    VmHWM on Linux, the peak working set on Windows, ``ru_maxrss`` elsewhere. Not ``ru_maxrss`` on
    Linux: a child started by a large parent may inherit the parent's mark there.
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


def reset_peak_rss() -> None:
    """Let the high-water mark start again from the present RSS (Linux; elsewhere it stays)."""
    try:
        (PROC_SELF / "clear_refs").write_text("5", encoding="utf-8")
    except OSError:
        return


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
    """
    allowed = parse_bytes(budget)
    words = budget if isinstance(budget, str) else format_bytes(budget)
    peak = peak_rss()
    if peak > allowed:
        raise AssertionError(
            f"This notebook's own peak, {format_bytes(peak)}, is above its budget of {words}."
        )
    print(f"This notebook's own peak: {format_bytes(peak)}, within its budget of {words}.")
