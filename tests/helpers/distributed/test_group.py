"""What processes tell each other; that of two needs JAX, that of one does not."""

import json
import signal
import sys

import pytest

from helpers.distributed.group import Group, join
from helpers.quiet import keras
from tests.support import NEEDS_JAX, two_processes

TWO = """
import json, sys, time
from helpers.quiet import keras
import numpy as np
from helpers.distributed.group import join

process, address = int(sys.argv[1]), sys.argv[2]
group = join(address, process, 2, wait=60)
large = group.gather(np.array([process, 2**40 + process]))
matrix = group.gather(np.full((2, 3), process + 0.1))
try:
    group.refuse_differences("images", b"abc"[process:])
    error = ""
except ValueError as found:
    error = str(found)
group.refuse_differences("settings", b"the same")
firsts = matrix[:, 0, 0].tolist()
print(json.dumps([large.tolist(), matrix.shape, str(matrix.dtype), firsts, error]), flush=True)
time.sleep(100)
"""


def test_one_process_is_a_group():
    group = join("nowhere:1", 0, 1)
    assert group == Group(0, 1)
    assert group.gather([[1, 2]]).tolist() == [[[1, 2]]]
    group.refuse_differences("images", b"a")


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="it is there")
def test_several_need_jax():
    with pytest.raises(RuntimeError, match=f"on {keras.backend.backend()}: set KERAS_BACKEND=jax"):
        join("127.0.0.1:1", 0, 2)
    with pytest.raises(ValueError, match="no process 2 of 2"):
        join("127.0.0.1:1", 2, 2)


@pytest.mark.slow
@NEEDS_JAX
def test_two_processes_gather_all_bits_name_who_differs_and_end_when_asked_to():
    both = two_processes(TWO)
    said = [  # gloo prints lines of its own
        next((line for line in process.stdout if line.startswith("[[")), "") for process in both
    ]
    for process in both:
        process.terminate()
    errors = [process.communicate(timeout=20)[1] for process in both]
    found = [json.loads(line) if line else pytest.fail(str(errors)[-2000:]) for line in said]
    assert found[0] == found[1]
    large, shape, dtype, firsts, error = found[0]
    assert large == [[0, 2**40], [1, 2**40 + 1]]
    assert (shape, dtype, firsts) == ([2, 2, 3], "float64", [0.1, 1.1])
    assert error.startswith("Process 1 has other images than process 0")
    # JAX would take the signal, and go on.
    if sys.platform != "win32":
        assert [process.returncode for process in both] == [-signal.SIGTERM] * 2
