"""What the operating system says about the memory of a process and of the machine."""

import ctypes
import sys
from pathlib import Path

import psutil

from helpers.memory.sizes import format_bytes, parse_bytes

PROC_SELF = Path("/proc/self")


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
        for line in status.read_text().splitlines():
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
        (PROC_SELF / "clear_refs").write_text("5")
    except OSError:
        return


def virtual_size() -> int:
    """Return the address space of this process in bytes, which RLIMIT_AS limits (Linux)."""
    return psutil.Process().memory_info().vms


def available_memory() -> int:
    """Return the bytes that can be used without swapping, a container's own limit included."""
    available = psutil.virtual_memory().available
    groups = Path("/sys/fs/cgroup")
    for limit, usage in (
        (groups / "memory.max", groups / "memory.current"),
        (groups / "memory/memory.limit_in_bytes", groups / "memory/memory.usage_in_bytes"),
    ):
        try:
            left = int(limit.read_text()) - int(usage.read_text())
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
        available = min(available, max(left, 0))
    return available


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
