"""Processes that are killed at random and resumed end as two that were left alone."""

import random
import threading
import time

import psutil
import pytest

from helpers.distributed import ProcessFailed, launch
from helpers.files import read_json
from tests.support import NEEDS_JAX, with_jax

TINY = {"TUTORIAL_PROFILE": "tiny"}


def kill_one(after, process):
    """Kill one of the two workers after some seconds, if it still runs then."""
    time.sleep(after)
    for child in psutil.Process().children():
        words = child.cmdline()
        if "helpers.distributed.worker" in words and words[words.index("--process") + 1] == process:
            child.kill()


def rounds_of(folder, process):
    rounds = read_json(folder / f"process-{process}-of-2" / "history.json")["rounds"]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rounds]


@NEEDS_JAX
@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_five_kills_and_the_weights_of_an_uninterrupted_run(tmp_path):
    environ, rng, kills = with_jax() | TINY, random.Random(9), 0
    began = time.monotonic()
    whole = launch(2, tmp_path / "whole", environ=environ)
    seconds = time.monotonic() - began
    while kills < 5:
        folder, rows = tmp_path / f"killed_{kills}", None
        while rows is None:
            after = rng.uniform(seconds / 3, seconds) if kills < 5 else 1e6
            killer = threading.Thread(target=kill_one, args=(after, rng.choice("01")), daemon=True)
            killer.start()
            try:
                rows = launch(2, folder, environ=environ)
            except ProcessFailed as error:
                assert "was ended by SIGKILL" in str(error)
                kills += 1
        assert [row["weights"] for row in rows] == [row["weights"] for row in whole]
        for process in (0, 1):
            assert rounds_of(folder, process) == rounds_of(tmp_path / "whole", process)
    print(f"{kills} kills of one of two processes: weights and history bit-equal")
