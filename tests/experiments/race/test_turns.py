"""A recorded race: ratios within a turn, their interval, and the word that it allows."""

import numpy as np
import pandas as pd
import pytest

from experiments.intervals import interval
from experiments.race.turns import beside, turns_table


def race(**speeds):
    """A row for each method and turn."""
    rows = [
        {"method": method, "turn": turn, "images_per_s": speed}
        for method, of_turns in speeds.items()
        for turn, speed in enumerate(of_turns, start=1)
        if speed is not None
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


# A machine that is half as fast in the second turn, and a little faster in the third.
MACHINE = np.array([200, 100, 210])
TABLE = race(
    constant_batch=MACHINE,
    sliding_subset=MACHINE * [0.99, 1.01, 1.0],
    tf_data=MACHINE * [0.50, 0.51, 0.52],
    grain=MACHINE * [1.10, 1.11, 1.12],
)


def test_a_ratio_is_taken_within_a_turn():
    found = beside(TABLE).set_index("method")
    assert [*found.index] == ["grain", "sliding_subset", "tf_data"]  # the highest at the top
    stream = found.loc["tf_data"]
    assert stream["ratio"] == pytest.approx(0.51) and stream["n"] == 3
    assert [stream["low"], stream["high"]] == pytest.approx(interval([0.50, 0.51, 0.52]))
    assert stream["median"] == pytest.approx(100) and stream["label"] == "tf.data"


def test_the_word_follows_from_the_interval():
    words = beside(TABLE).set_index("method")["verdict"].to_dict()
    assert words == {"grain": "above", "sliding_subset": "level", "tf_data": "below"}
    turned = beside(TABLE, "tf_data").set_index("method")["verdict"].to_dict()
    assert turned == {"grain": "above", "sliding_subset": "above", "constant_batch": "above"}


def test_a_turn_that_lacks_one_of_the_two_does_not_count():
    found = beside(race(constant_batch=[10, 10, 10], grain=[9, None, 8]))
    assert found.loc[0, "n"] == 2 and found.loc[0, "ratio"] == pytest.approx(0.85)
    with pytest.raises(ValueError, match="two or more"):
        beside(race(constant_batch=[10], grain=[9]))
    with pytest.raises(ValueError, match="'constant_batch' does not take part; there are: grain"):
        beside(race(grain=[9, 9]))


def test_the_table_has_both_ratios_and_leaves_a_runner_beside_itself_blank():
    lines = turns_table(TABLE, "sliding_subset").splitlines()
    assert "of limit" in lines[0] and "beside SlidingSubset" in lines[0]
    by_label = {line.split("|")[1].strip(): line for line in lines[2:]}
    assert next(iter(by_label)) == "Grain"  # the fastest median
    assert "0.510 (0.485 to 0.535), below" in by_label["tf.data"]
    assert by_label["SlidingSubset"].split("|")[4].strip() == ""
    assert by_label["fit, one constant batch"].split("|")[3].strip() == ""
