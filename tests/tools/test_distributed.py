"""`make distributed`: what it prints, and how it ends. The processes are played."""

from pathlib import Path

import pytest

from tools import distributed

ROW = {
    "process": 0,
    "images": 29,
    "window_mib": 0.17,
    "left_over": [],
    "losses": [2.5, 1.25],
    "mean_ious": [0.1, 0.2],
    "weights": "abc",
    "images_per_s": 99.6,
    "peak_mib": 1234.4,
}
TOLD = {"round": 2, "rounds": 20, "loss": 1.5, "mean_iou": 0.25, "images_per_s": 80.0}


@pytest.fixture
def play(monkeypatch):
    """Let `launch` give these rows; returns what it was asked."""
    monkeypatch.setenv("TUTORIAL_PROFILE", "tiny")
    asked = {}

    def set_rows(*rows, error=None):
        def launch(n_processes, folder, **options):
            asked.update(options, n=n_processes, folder=folder)
            options["tell"](TOLD)
            if error:
                raise error
            return [*rows]

        monkeypatch.setattr(distributed, "launch", launch)
        return asked

    return set_rows


def test_one_line_a_round_and_one_table_at_the_end(play, capsys):
    asked = play(ROW, ROW | {"process": 1})
    assert distributed.main(["--processes", "2"]) == 0
    said = capsys.readouterr().out
    assert "2 processes, each with Profile 'tiny'" in said and "29 training images" in said
    assert "round 2 of 20: loss 1.5000, mean IoU 0.250, 80 images/s" in said
    row = next(line for line in said.splitlines() if line.lstrip().startswith("1 "))
    assert row.split() == ["1", "29", "0.2", "2.50000", "1.25000", "abc", "100", "1,234"]
    assert said.endswith("Mean IoU of the hold-out, all parts together: 0.200.\n")
    assert (asked["n"], asked["anew"]) == (2, False)
    assert asked["folder"].name.startswith("tiny-tiny-small-") and asked["folder"].name[-2:] == "-2"


@pytest.mark.parametrize(("n", "rounded"), [(1, False), (2, False), (3, True)])
def test_what_does_not_divide_is_said(n, rounded, play, capsys):
    """58 images, window 20, stride 2, batch 8 of the tiny profile: by 2 they divide, by 3 not."""
    play(*[ROW] * n)
    assert distributed.main(["--processes", str(n)]) == 0
    said = capsys.readouterr().out
    assert ("Rounded: " in said) == rounded
    if rounded:
        assert "with batches of 9 of all together, where one process takes" in said


def test_what_is_left_over_is_named(play, capsys, tmp_path):
    asked = play(ROW | {"left_over": ["a", "b"]})
    assert distributed.main(["--processes", "1", "--folder", str(tmp_path), "--anew"]) == 0
    assert "In no share: a, b." in capsys.readouterr().out
    assert (asked["folder"], asked["anew"]) == (Path(tmp_path), True)


def test_a_process_that_failed_is_the_last_thing_said(play, capsys):
    play(error=distributed.ProcessFailed("Process 1 of 2 was ended by SIGKILL"))
    with pytest.raises(SystemExit) as end:
        distributed.main([])
    assert end.value.code == 1
    assert capsys.readouterr().err.endswith("Process 1 of 2 was ended by SIGKILL\n")


def test_who_stops_it_hears_how_to_go_on(play, capsys):
    play(error=KeyboardInterrupt())
    with pytest.raises(SystemExit) as end:
        distributed.main([])
    assert end.value.code == 130 and "The same command goes on" in capsys.readouterr().err


def test_other_weights_are_an_error(play, capsys):
    play(ROW, ROW | {"process": 1, "weights": "abd"})
    with pytest.raises(SystemExit) as end:
        distributed.main([])
    assert end.value.code == 1 and "not the same" in capsys.readouterr().err


@pytest.mark.parametrize(("n", "said"), [("0", "1 or more"), ("30", "cannot be shared among 30")])
def test_numbers_that_make_no_shares(n, said, play, capsys):
    play(ROW)
    with pytest.raises(SystemExit):
        distributed.main(["--processes", n])
    assert said in capsys.readouterr().err
