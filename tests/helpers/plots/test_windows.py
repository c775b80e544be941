"""Windows, the loop, the ring buffer, and the memory of loops."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from helpers.plots import windows
from helpers.plots.style import BLUE, GREY, ORANGE, RED, new_figure
from helpers.units import MIB
from helpers.windows import Geometry, sliding_windows, times_seen
from tests.support import bar_widths, texts_of

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def test_windows_chart_draws_every_window_and_the_lost_images():
    schedule = sliding_windows(2913, 1000, 100)
    top, bottom = windows.windows_chart(2913, schedule, times_seen(2913, schedule))
    assert bar_widths(top)[:20] == [1000] * 20
    assert [patch.get_x() for patch in top.patches[:20]] == [w.start for w in schedule]
    assert texts_of(top) == ["13 images\nnever loaded"]
    assert bottom.get_xlim() == (0, 2913)


def test_windows_chart_says_nothing_of_lost_images_when_none_is():
    schedule = sliding_windows(58, 20, 2)
    top, _ = windows.windows_chart(58, schedule, times_seen(58, schedule))
    assert texts_of(top) == []


def test_ring_chart_marks_exactly_the_new_arrivals():
    ax = windows.ring_chart([np.array([0, 1, 2, 3]), np.array([4, 5, 2, 3])])
    assert texts_of(ax) == ["0", "1", "2", "3", "4", "5", "2", "3"]
    orange = [to_hex(patch.get_facecolor()).upper() == ORANGE for patch in ax.patches]
    assert orange == [False] * 4 + [True, True, False, False]


def test_memory_of_loops_keeps_a_loops_colour_when_another_is_left_out():
    run = SimpleNamespace(times=[0, 1, 2], rss_bytes=[MIB, 3 * MIB, 2 * MIB], base_bytes=MIB)
    _, (left, right) = new_figure(1, 2, 6, 3)
    assert windows.memory_of_loops({"a": run, "b": run}, ax=left) is left
    windows.memory_of_loops({"a": run, "b": run}, ["b"], ax=right)
    assert [line.get_color() for line in right.lines] == [left.lines[1].get_color()]
    assert left.lines[0].get_ydata().tolist() == [0, 2, 1]
    assert left.lines[0].get_xdata().tolist() == [0, 50, 100]


SMALL = Geometry.scaled(58, size=(64, 64))  # windows of 20, a stride of 2, 20 rounds


def colours_of(boxes):
    return [to_hex(box.get_facecolor()).upper() for box in boxes]


def test_sliding_window_marks_the_window_in_the_list_and_its_new_images():
    above, _, _ = windows.sliding_window(SMALL, 3)
    boxes, lines = above.patches[:58], above.patches[58:]
    expected = [windows.PAST] * 6 + [BLUE] * 18 + [ORANGE] * 2 + [windows.TO_COME] * 32
    assert colours_of(boxes) == expected
    assert above.get_title("left").startswith("Round 4:")
    # From each new image to its slot: number 24 to slot 4, number 25 to slot 5.
    assert [(line.xy1[0] // 1, line.xy2[0] // 1) for line in lines] == [(24, 4), (25, 5)]


def test_sliding_window_shows_each_image_in_its_slot_and_what_is_overwritten():
    _, slots, _ = windows.sliding_window(SMALL, 3)
    *numbers, said = texts_of(slots)
    assert numbers == [str(row) for row in (20, 21, 22, 23, 24, 25, *range(6, 20))]
    assert [k for k, c in enumerate(colours_of(slots.patches)) if c == ORANGE] == [4, 5]
    assert said == "In memory: images 24 and 25 overwrite images 4 and 5"


def test_sliding_window_has_nothing_new_in_the_first_round():
    above, slots, below = windows.sliding_window(SMALL, 0)
    assert ORANGE not in colours_of([*above.patches, *slots.patches])
    assert len(above.patches) == 58  # no line to a slot
    assert texts_of(slots)[-1] == "In memory: 20 slots, filled with the first window"
    assert "MemoryError" not in texts_of(below)


@pytest.mark.parametrize(
    ("geometry", "round_", "said"),
    [
        (Geometry(8, window=4, stride=1, size=(1, 1)), 1, "image 4 overwrites image 0"),
        (Geometry(9, window=4, stride=3, size=(1, 1)), 1, "images 4 to 6 overwrite images 0 to 2"),
        (Geometry(15, window=4, stride=5, size=(1, 1)), 1, "images 5 to 8 overwrite images 0 to 3"),
        (Geometry(7, 4, 2, size=(1, 1), tail=True), 2, "image 6 overwrites image 2"),
    ],
)
def test_sliding_window_says_what_other_windows_overwrite(geometry, round_, said):
    _, slots, _ = windows.sliding_window(geometry, round_)
    assert texts_of(slots)[-1] == f"In memory: {said}"
    rows = geometry.rows(round_)
    filled = {int(text) % geometry.window: int(text) for text in texts_of(slots)[:-1] if text}
    assert filled == {row % geometry.window: row for row in rows}


def test_sliding_window_draws_a_flat_line_and_one_that_breaks():
    limit = windows.LIMIT_IN_WINDOWS * SMALL.window
    fits = [r for r in range(20) if 20 + 2 * r <= limit]
    for round_ in (fits[-1], fits[-1] + 1, 19):
        _, _, below = windows.sliding_window(SMALL, round_)
        lines = {
            line.get_color(): line.get_ydata() for line in below.lines if len(line.get_xdata()) > 1
        }
        assert set(lines[BLUE]) == {SMALL.window + SMALL.stride}
        assert max(lines[GREY]) == min(20 + 2 * round_, limit)
        broken = round_ not in fits
        assert ("MemoryError" in texts_of(below)) == broken
        crosses = [line for line in below.lines if line.get_marker() == "X"]
        assert [cross.get_color() for cross in crosses] == [RED] * broken


def test_sliding_window_draws_into_axes_that_it_is_given():
    _, axes = new_figure(3, 1, 5, 4)
    assert windows.sliding_window(SMALL, 1, axes).tolist() == axes.tolist()
    assert all(ax.patches for ax in axes)


def test_flow_chart_names_every_step_and_the_way_back():
    ax = windows.flow_chart()
    said = texts_of(ax)
    assert said[: len(windows.STEPS)] == [text for _, text, _ in windows.STEPS.values()]
    arrows = [patch for patch in ax.patches if hasattr(patch, "get_arrowstyle")]
    assert len(arrows) == len(windows.STEPS)  # one to each next step, and one back
    assert "then the next window: its start lies one stride further on" in said
