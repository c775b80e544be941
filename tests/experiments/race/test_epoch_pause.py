"""The reproducer of the pause between epochs: what it counts, and that Keras takes both."""

import pytest

from experiments.race import epoch_pause
from tools.epoch_pause import main


def test_the_gaps_are_those_between_epochs(monkeypatch):
    class Fake:
        def __init__(self, layers):
            pass

        def compile(self, *choices):
            pass

        def fit(self, data, callbacks, **more):
            assert more == {"epochs": 3, "steps_per_epoch": 2, "shuffle": False, "verbose": 0}
            callbacks[0].times = [0, 1, 4, 5, 9, 10]  # seconds

    monkeypatch.setattr(epoch_pause.keras, "Sequential", Fake)
    assert epoch_pause.gaps(epoch_pause.Same(), 2, 3) == (1000, [3000, 4000])


@pytest.mark.slow
def test_a_line_for_each_way(capsys):
    assert main(["--steps", "3", "--epochs", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == ["by epochs", "one iterator"]
    assert all(len(line.rpartition("next ")[2].split()) == 3 for line in lines)  # and "ms"


def test_the_data_set_is_infinite_or_ends_with_its_epoch():
    assert epoch_pause.Same().num_batches is None and epoch_pause.Same(4).num_batches == 4
