"""What each loader costs and delivers, as figures."""

from itertools import combinations

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from experiments.intervals import interval
from experiments.race import figures
from experiments.records import recorded
from helpers.plots.style import new_figure
from tests.support import bar_widths, boxes_of, dots_of, texts_of, yticks_of

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def method(name, kind="stream", speed=100, mib=50, cost=1.0):
    return {
        "method": name,
        "label": f"the {name}",
        "kind": kind,
        "images_per_s": speed,
        "images_per_s_min": 0.98 * speed,
        "images_per_s_max": 1.01 * speed,
        "peak_mib_over_base": mib,
        "loader_cpu_ms_per_image": cost,
        "loader_images_per_s": 1500 / cost,
    }


LIMIT = {"method": "none", "label": "no loader", "kind": "limit", "images_per_s": 130}
THREE = [
    method("slow", "in memory", 60, 900, 0.5),
    LIMIT,
    method("fast", "subset", 120, 40, 0.1),
    method("middle", "stream", 90, 60, 2.0),
]
SIX = (
    "uint8_batches", "article_as_written", "sliding_subset", "tf_data", "py_dataset", "memmap",
    "constant_batch",
)  # fmt: skip
FIGURES = [figures.memory_and_speed, figures.cost_of_input]


def limits_of(ax):
    """Where the dashed lines of some axes stand."""
    return [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"]


def test_each_loader_has_its_memory_and_its_speed_in_one_row_the_fastest_first():
    memory, speed = figures.memory_and_speed(THREE)
    assert yticks_of(memory) == ["the fast", "the middle", "the slow"]
    assert memory.yaxis_inverted() and speed.yaxis_inverted()
    assert bar_widths(memory) == [40, 60, 900]
    assert [bar.get_y() + bar.get_height() / 2 for bar in memory.patches] == [0, 1, 2]
    assert texts_of(memory) == ["40", "60", "900"]
    places = [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in dots_of(speed)]
    assert places == [(120, 0), (90, 1), (60, 2)]


def test_each_kind_has_its_colour_and_its_marker():
    memory, speed = figures.memory_and_speed(THREE)
    looks = [figures.KINDS[kind][:2] for kind in ("subset", "stream", "in memory")]
    assert [(dot.get_color(), dot.get_marker()) for dot in dots_of(speed)] == looks
    filled = [to_hex(bar.get_facecolor()).upper() for bar in memory.patches]
    assert filled == [colour for colour, _ in looks]


def test_the_band_goes_from_the_slowest_to_the_fastest_run():
    _, speed = figures.memory_and_speed(THREE)
    bands = [tuple(line.get_xdata()) for line in speed.lines if line.get_linewidth() > 5]
    assert bands == [(0.98 * n, 1.01 * n) for n in (120, 90, 60)]


@pytest.mark.parametrize("others", [[], [LIMIT | {"images_per_s": 125}]])
def test_the_highest_limit_is_a_line_at_its_speed(others):
    memory, speed = figures.memory_and_speed([*others, *THREE])
    assert limits_of(speed) == [130] and limits_of(memory) == []
    assert speed.get_xlim()[0] == 0 and speed.get_xlim()[1] > 130


def test_without_a_limit_there_is_no_line():
    without = [row for row in THREE if row is not LIMIT]
    for rows in (without, [*without, LIMIT | {"images_per_s": None}]):
        _, speed = figures.memory_and_speed(rows)
        assert limits_of(speed) == []
        (legend,) = speed.figure.legends
        labels = [text.get_text() for text in legend.get_texts()]
        assert labels == [label for _, _, label in figures.KINDS.values()]


def test_memory_is_on_a_logarithmic_scale_only_if_it_spans_more_than_a_decade():
    assert figures.memory_and_speed(THREE)[0].get_xscale() == "log"
    assert figures.memory_and_speed(THREE[1:])[0].get_xscale() == "linear"
    at_base = [*THREE, method("nothing", mib=0)]
    assert figures.memory_and_speed(at_base)[0].get_xscale() == "linear"
    assert figures.memory_and_speed([method("nothing", mib=0)])[0].get_xlim()[0] == 0


def written(axes):
    """All text of a figure: numbers, ticks, axis labels and the legend's."""
    (legend,) = axes[0].figure.legends
    yield from legend.get_texts()
    yield from axes[0].get_yticklabels()
    for ax in axes:
        yield from (*ax.texts, ax.xaxis.label, ax.yaxis.label)
        low, high = ax.get_xlim()  # there are labels of ticks beyond them, not drawn
        ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        yield from (label for place, label in ticks if low <= place <= high)


@pytest.mark.slow
@pytest.mark.parametrize(
    "methods",
    [None, SIX, SIX[2:], ["sliding_subset"]],
    ids=["all", "six", "linear", "one"],
)
def test_nothing_lies_on_anything_else(methods):
    rows = recorded("loaders_photographs")["rows"]
    rows = [row for row in rows if methods is None or row["method"] in methods]
    memory, speed = axes = figures.memory_and_speed(rows)
    texts = [text for text in written(axes) if text.get_text()]
    boxes = boxes_of(texts)
    both = zip(texts, boxes, strict=True)
    for (text, box), (other, its) in combinations(both, 2):
        assert not box.overlaps(its), (text, other)
    page = memory.figure.bbox
    assert all(page.contains(*box.min) and page.contains(*box.max) for box in boxes)
    numbers = boxes_of(memory.texts)
    assert all(memory.bbox.contains(*box.min) and memory.bbox.contains(*box.max) for box in numbers)
    legend = memory.figure.legends[0].get_window_extent()
    parts = [legend, memory.bbox, speed.bbox]
    assert not any(one.overlaps(other) for one, other in combinations(parts, 2))


def test_who_delivers_most_alone_comes_first():
    _, ax = new_figure(1, 1, 8, 3)
    assert figures.cost_of_input(THREE, ax) is ax
    assert yticks_of(ax) == ["the fast", "the slow", "the middle"]
    assert ax.yaxis_inverted()


def test_costs_write_their_numbers():
    ax = figures.cost_of_input(THREE)
    assert texts_of(ax) == ["15,000 images/s", "3,000 images/s", "750 images/s"]
    assert bar_widths(ax) == [0.1, 0.5, 2.0] and ax.get_xscale() == "log"
    assert all(box.x1 <= ax.bbox.x1 for box in boxes_of(ax.texts)), "a number leaves the axes"


def test_a_method_without_the_number_is_left_out():
    untrained = method("untrained")
    untrained["images_per_s"] = None
    memory, speed = figures.memory_and_speed([*THREE, untrained, method("unmeasured", mib=None)])
    assert len(dots_of(speed)) == len(bar_widths(memory)) == 3
    assert len(bar_widths(figures.cost_of_input([*THREE, untrained]))) == 4


@pytest.mark.parametrize("draw", FIGURES)
def test_loaders_without_a_method_or_of_an_unknown_kind_are_refused(draw):
    for rows in ([], [LIMIT]):
        with pytest.raises(ValueError, match="nothing to draw"):
            draw(rows)
    with pytest.raises(ValueError, match="odd: kind 'cloud' is none of in memory, subset"):
        draw([method("odd", "cloud")])


def test_the_stream_is_drawn_turn_by_turn():
    ax = figures.shuffled_order([2, 0, 1], buffer=2)
    (drawn,) = ax.lines
    assert list(drawn.get_xdata()) == [2, 0, 1] and list(drawn.get_ydata()) == [0, 1, 2]
    assert ax.get_title(loc="left") == "buffer of 2"


def test_memory_of_windows_puts_the_measured_over_the_arrays():
    rows = [
        {"arrays_mib": 30, "peak_mib_over_base": 60},
        {"arrays_mib": 300, "peak_mib_over_base": 350},
    ]
    alone, measured = figures.memory_of_windows(rows).lines
    assert list(alone.get_xdata()) == list(alone.get_ydata()) == [30, 300]
    assert list(measured.get_ydata()) == [60, 350]


def test_memory_by_length_has_a_line_for_each_way_and_says_where_it_ends():
    table = pd.DataFrame(
        [
            {"way": way, "images": images, "peak_mib": images / 10 if way == "array" else 40}
            for images in (20_000, 1_000)  # in whatever order they were measured
            for way in ("array", "window")
        ]
    )
    ax = figures.memory_by_length(table)
    lines = {line.get_label(): line for line in ax.lines}
    assert [*lines] == ["all images in arrays of bytes", "a window of 200"]
    assert [line.get_ydata().tolist() for line in lines.values()] == [[100, 2000], [40, 40]]
    assert texts_of(ax) == ["2,000 MiB", "40 MiB"] and ax.get_ylim()[0] == 0


def test_a_race_has_a_panel_in_which_each_runner_has_its_turns_and_its_interval():
    rows = [
        {"method": method, "turn": turn, "images_per_s": speed}
        for method, speeds in {
            "constant_batch": (100, 200),
            "sliding_subset": (98, 198),
            "tf_data": (50, 104),
        }.items()
        for turn, speed in enumerate(speeds, start=1)
    ]
    drawn, photographs = figures.ratios_by_turn(
        {"drawn": pd.DataFrame(rows), "photographs": pd.DataFrame(rows[:4])}, "constant_batch"
    )
    assert yticks_of(drawn) == ["tf.data", "SlidingSubset"] and drawn.get_title("left") == "drawn"
    assert yticks_of(photographs) == ["SlidingSubset"]
    dots = {tuple(line.get_xdata()) for line in drawn.lines if line.get_linestyle() == "None"}
    assert dots == {(0.98, 0.99), (0.5, 0.52)}
    rods = [line.get_xdata() for line in drawn.lines if line.get_linewidth() == 3]
    assert [list(rod) for rod in rods] == [
        pytest.approx(interval(ratios)) for ratios in ([0.5, 0.52], [0.98, 0.99])
    ]
