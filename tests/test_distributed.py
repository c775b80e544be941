"""Processes that are killed at random and resumed end as two that were left alone."""

import random
import shutil
import threading

import psutil
import pytest

from helpers.distributed import ProcessFailed, launch
from tests.support import NEEDS_JAX, rounds_of, with_jax


class Assassin:
    """Told the rounds, it kills one of two processes at some moment of one of the next rounds."""

    def __init__(self, rng):
        self.rounds_left, self.rng = rng.randint(1, 5), rng
        self.over = threading.Event()

    def __call__(self, row):
        self.rounds_left -= 1
        if self.rounds_left == 0:
            threading.Thread(target=self.kill, daemon=True).start()

    def kill(self):
        # Two rounds' length: it may hit a step, a score, a file, also between the two processes.
        if self.over.wait(self.rng.uniform(0, 3)):
            return  # the training has ended; the next one is not for this thread
        process = self.rng.choice("01")
        for child in psutil.Process().children():
            if f"worker --launched --process {process} " in " ".join(child.cmdline()):
                child.kill()


@NEEDS_JAX
@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_five_kills_and_the_weights_of_an_uninterrupted_run(tmp_path):
    environ, rng, kills, runs = with_jax(), random.Random(9), 0, 0
    whole = launch(2, tmp_path / "whole", environ=environ)
    while kills < 5:  # a training may finish before all kills are made: then another
        folder, rows, runs = tmp_path / f"killed_{runs}", None, runs + 1
        while rows is None:
            assassin = Assassin(rng)
            try:
                tell = assassin if kills < 5 else None
                rows = launch(2, folder, environ=environ, tell=tell)
            except ProcessFailed as error:
                assert "was ended by SIGKILL" in str(error)
                kills += 1
            finally:
                assassin.over.set()
        assert [row["weights"] for row in rows] == [row["weights"] for row in whole]
        for process in (0, 1):
            name = f"process-{process}-of-2"
            assert rounds_of(folder / name) == rounds_of(tmp_path / "whole" / name)
    print(f"{kills} kills of one of two processes in {runs} trainings: weights and history equal")


def back_a_round(folder):
    """As a process that was killed while it saved: it has the round before only."""
    (folder / "previous.keras").replace(folder / "last.keras")


def between_two_names(folder):
    (folder / "last.keras").unlink()


@NEEDS_JAX
@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_processes_that_stand_at_different_rounds_go_on_from_the_last_that_all_have(tmp_path):
    folder, rounds = tmp_path / "run", []
    whole = launch(2, folder, environ=with_jax())
    n_rounds = len(whole[0]["losses"])
    for spoil, first in (
        (back_a_round, n_rounds),
        (between_two_names, n_rounds),
        (shutil.rmtree, 1),
    ):
        for process in (1, 0):
            spoil(folder / f"process-{process}-of-2")
            rounds.clear()
            rows = launch(2, folder, environ=with_jax(), tell=rounds.append)
            assert rounds[0]["round"] == first, (spoil.__name__, process)
            assert [row["weights"] for row in rows] == [row["weights"] for row in whole]
            assert rows[0]["losses"] == whole[0]["losses"]
