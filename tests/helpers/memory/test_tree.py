"""The peak of a process and its children, as it is seen from outside."""

import subprocess
import sys

import psutil

from helpers.memory.tree import TreePeak, tree_rss


def test_the_peak_counts_the_children_too():
    program = "x = bytearray(150 * 2**20); x[::4096] = b'1' * len(x[::4096]); print(1); input()"
    with TreePeak(interval=0.01) as peak:
        child = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        child.stdout.readline()
        before = peak.bytes
        peak.watch(psutil.Process().pid)
        while peak.bytes == before:
            pass
        child.communicate(b"\n")
    assert peak.mib > 150


def test_a_process_that_has_ended_takes_nothing():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert tree_rss(child.pid) == 0
