"""Several processes started, watched and ended, with workers that are played: no JAX is needed."""

import sys
import time

import pytest

from helpers.distributed import local as module
from helpers.distributed.local import ProcessFailed, launch
from tests.support import descendants, gone

# A worker's arguments, and what it says: two rounds and its last row.
HEAD = """
import json, os, signal, sys, time
at = sys.argv.index
process, folder = int(sys.argv[at("--process") + 1]), sys.argv[at("--folder") + 1]
say = lambda **row: print(json.dumps({"process": process} | row), flush=True)
print("a line for people", flush=True)
for number in (1, 2):
    say(round=number, rounds=2)
"""
WELL = f"""{HEAD}
environ = os.environ["KERAS_BACKEND"]
say(weights="abc", backend=environ, anew="--anew" in sys.argv, more=sys.argv)
"""
WAIT = "\nelse:\n    time.sleep(600)"


@pytest.fixture
def play(monkeypatch):
    """Make this code the worker."""
    return lambda code: monkeypatch.setattr(module, "WORKER", (sys.executable, "-c", code))


@pytest.mark.parametrize("n", [1, 3])
def test_rows_come_in_order_and_process_0_tells_the_rounds(n, play, tmp_path):
    play(WELL)
    told = []
    rows = launch(n, tmp_path, tell=told.append)
    assert [row["process"] for row in rows] == [*range(n)]
    assert [(row["process"], row["round"]) for row in told] == [(0, 1), (0, 2)]
    assert {row["backend"] for row in rows} == {"jax"} and not any(row["anew"] for row in rows)
    assert all(row["anew"] for row in launch(n, tmp_path, anew=True))
    (row,) = launch(1, tmp_path, played=4)
    assert row["more"][-2:] == ["--as", "4"]
    assert {path.name for path in tmp_path.iterdir()} == {f"process-{k}.log" for k in range(n)} | {
        "process-0.log"
    }


def test_no_processes_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="1 process or more, not 0"):
        launch(0, tmp_path)
    with pytest.raises(ValueError, match="Only one process can take"):
        launch(2, tmp_path, played=2)


NO_KILL = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        pytest.param(
            "os.kill(os.getpid(), signal.SIGKILL)",
            "was ended by SIGKILL, by somebody's kill or",
            marks=NO_KILL,
        ),
        ("raise OSError('no such image: a.jpg')", "status 1: OSError: no such image: a.jpg"),
        ("sys.exit(3)", "status 3: it said nothing"),
    ],
)
def test_one_that_dies_ends_the_others_and_is_named(deed, why, play, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "GRACE_SECONDS", 1)
    play(f"{HEAD}if process == 1:\n    time.sleep(1); {deed}{WAIT}")
    before, began = descendants(), time.monotonic()
    with pytest.raises(ProcessFailed) as error:
        launch(3, tmp_path)
    text = str(error.value)
    assert text.startswith("Process 1 of 3 ") and why in text, text
    assert "Process 0 had told of round 2. Start again to go on from the last round" in text
    assert str(tmp_path / "process-1.log") in text
    assert time.monotonic() - began < 60
    assert all(gone(pid) for pid in descendants() - before)


@pytest.mark.parametrize(
    ("deed", "consequence", "why"),
    [
        pytest.param(
            "os.kill(os.getpid(), signal.SIGKILL)", "sys.exit(1)", "was ended by SIGKILL",
            marks=NO_KILL,
        ),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGTERM)", "os.abort()", "was ended by SIGTERM",
            marks=NO_KILL,
        ),
        ("raise OSError('no such image: a.jpg')", "sys.exit(3)", "ended with status 1: OSError"),
        pytest.param("sys.exit(1)", "os.abort()", "ended with status 1", marks=NO_KILL),
    ],
)  # fmt: skip
def test_whoever_began_is_named_and_not_who_failed_because_of_it(
    deed, consequence, why, play, tmp_path
):
    play(f"{HEAD}if process == 2:\n    time.sleep(1); {deed}\n{consequence}")
    with pytest.raises(ProcessFailed, match=f"^Process 2 of 3 {why}"):
        launch(3, tmp_path)


def test_who_fails_before_the_first_round_leaves_none_to_be_told(play, tmp_path):
    play("import sys; sys.exit('no data')")
    with pytest.raises(ProcessFailed) as error:
        launch(1, tmp_path)
    assert "status 1: no data; there was no other. Start again" in str(error.value)


def test_an_interrupt_ends_all(play, tmp_path):
    play(f"{HEAD}time.sleep(600)")

    def interrupt(row):
        raise KeyboardInterrupt

    before = descendants()
    with pytest.raises(KeyboardInterrupt):
        launch(2, tmp_path, tell=interrupt)
    assert all(gone(pid) for pid in descendants() - before)


@NO_KILL
def test_one_that_stops_answering_the_request_to_end_is_killed(play, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.5)
    deaf = "\nelse:\n    signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    play(f"{HEAD}if process == 0:\n    time.sleep(1); sys.exit(1){deaf}")
    before = descendants()
    with pytest.raises(ProcessFailed, match="Process 0 of 2"):
        launch(2, tmp_path)
    assert all(gone(pid) for pid in descendants() - before)
