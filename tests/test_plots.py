"""Figures draw what they are given, into the axes they are given, and leave no global state."""

from itertools import combinations
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

from helpers.dataset import VOID, voc_palette
from helpers.plots import (
    claims,
    labels,
    loaders,
    masks,
    memory_bars,
    network,
    orders,
    style,
    windows,
)
from helpers.subsets import sliding_windows, times_seen

MIB = 2**20


@pytest.fixture(autouse=True)
def no_screen_and_nothing_left():
    matplotlib.use("Agg")
    before = dict(plt.rcParams)
    yield
    plt.close("all")
    assert dict(plt.rcParams) == before, "a figure changed the global style"


def widths(ax):
    return [patch.get_width() for patch in ax.patches]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_show_displays_once_with_alt_text_and_closes(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(style, "FIGURES", tmp_path)
    monkeypatch.setattr(style, "display", lambda *args, **kwargs: shown.append((args, kwargs)))
    figure, _ = style.new_figure(1, 1, 2, 2)
    alt = "An empty square, for the test."
    style.show(figure, alt, save_as="empty")
    ((bundle,), options) = shown.pop()
    assert not shown and options["raw"] is True
    assert options["metadata"]["image/png"]["alt"] == bundle["text/plain"] == alt
    assert bundle["image/png"] == (tmp_path / "empty.png").read_bytes()
    assert not plt.fignum_exists(figure.number)


def test_a_figure_as_html_carries_its_alt_text_and_is_closed():
    figure, _ = style.new_figure(1, 1, 2, 2)
    tag = style.as_html(figure, 'Memory "before" and after, side by side.')
    assert tag.startswith(
        '<img alt="Memory &quot;before&quot; and after, side by side." src="data:'
    )
    assert not plt.fignum_exists(figure.number)


def test_show_refuses_an_alt_text_that_says_nothing():
    figure, _ = style.new_figure(1, 1, 2, 2)
    with pytest.raises(ValueError, match="too short"):
        style.show(figure, "a figure")


def test_windows_chart_draws_every_window_and_the_lost_images():
    schedule = sliding_windows(2913, 1000, 100)
    top, bottom = windows.windows_chart(2913, schedule, times_seen(2913, schedule))
    assert widths(top)[:20] == [1000] * 20
    assert [patch.get_x() for patch in top.patches[:20]] == [w.start for w in schedule]
    assert texts(top) == ["13 images\nnever loaded "]
    assert bottom.get_xlim() == (0, 2913)


def test_windows_chart_says_nothing_of_lost_images_when_none_is():
    schedule = sliding_windows(58, 20, 2)
    top, _ = windows.windows_chart(58, schedule, times_seen(58, schedule))
    assert texts(top) == []


def test_ring_chart_marks_exactly_the_new_arrivals():
    ax = windows.ring_chart([np.array([0, 1, 2, 3]), np.array([4, 5, 2, 3])])
    assert texts(ax) == ["0", "1", "2", "3", "4", "5", "2", "3"]
    orange = [
        matplotlib.colors.to_hex(p.get_facecolor()).upper() == style.ORANGE for p in ax.patches
    ]
    assert orange == [False] * 4 + [True, True, False, False]


def test_memory_of_loops_keeps_a_loops_colour_when_another_is_left_out():
    run = SimpleNamespace(times=[0, 1, 2], rss_bytes=[MIB, 3 * MIB, 2 * MIB], base_bytes=MIB)
    _, (left, right) = style.new_figure(1, 2, 6, 3)
    assert windows.memory_of_loops({"a": run, "b": run}, ax=left) is left
    windows.memory_of_loops({"a": run, "b": run}, ["b"], ax=right)
    assert [line.get_color() for line in right.lines] == [left.lines[1].get_color()]
    assert left.lines[0].get_ydata().tolist() == [0, 2, 1]
    assert left.lines[0].get_xdata().tolist() == [0, 50, 100]


def test_predicted_and_measured_shows_mib():
    ax = memory_bars.predicted_and_measured(["x"], [200 * MIB], [210 * MIB])
    assert widths(ax) == [200, 210] and texts(ax) == ["200", "210"]


def test_dataset_bars_label_every_bar():
    sizes = {"A": {"download": 2**30, "uint8": 2**31}, "B": {"download": 2**29, "uint8": 2**40}}
    labels = texts(memory_bars.dataset_bars(sizes, laptop_gib=8))
    assert labels == ["1.0", "2.0", "0.5", "1,024.0", "a laptop with 8 GiB"]


def test_will_it_fit_draws_each_way_and_marks_the_count():
    ax = memory_bars.will_it_fit([10, 100], {"bytes": [2**30, 2**33]}, here=50)
    assert ax.lines[0].get_ydata().tolist() == [1, 8]
    assert texts(ax)[-1] == " 50 images"


def test_memory_steps_can_show_virtual_memory_too():
    ax = memory_bars.memory_steps(["zeros"], [0], [400 * MIB])
    assert widths(ax) == [0, 400]


def test_curves_hold_the_history_and_the_baseline():
    keys = ("loss", "accuracy", "holdout_pixel_accuracy", "holdout_mean_iou")
    history = [dict.fromkeys(keys, value) for value in (0.2, 0.6)]
    axes = network.curves_by_round(history, {"pixel_accuracy": 0.7, "mean_iou": 0.1})
    assert [len(ax.lines) for ax in axes] == [1, 3, 2]
    assert axes[2].lines[0].get_ydata().tolist() == [0.2, 0.6]
    assert axes[2].lines[1].get_ydata()[0] == 0.1


def test_diagram_gives_the_sides_of_the_maps():
    sides = [text for text in texts(network.fcn_diagram(224)) if text.endswith("²")]
    assert sides == ["224²", "28²", "14²", "7²", "7²", "14²", "28²", "224²"]


def test_colour_mask_and_error_map_treat_void_alike():
    truth = np.array([[0, 1, VOID]], dtype=np.uint8)
    prediction = np.array([[0, 2, 2]], dtype=np.uint8)
    coloured = masks.colour_mask(truth, voc_palette(3))
    errors = masks.error_map(truth, prediction)
    assert coloured[0].tolist() == [[0, 0, 0], [128, 0, 0], list(masks.VOID_COLOUR)]
    assert errors[0].tolist() == [
        list(masks.RIGHT_COLOUR),
        list(masks.WRONG_COLOUR),
        list(masks.VOID_COLOUR),
    ]


def test_class_bars_are_sorted_and_an_absent_class_is_called_so():
    left, right = masks.class_bars(
        ["a", "b", "c"], np.array([0.2, np.nan, 0.9]), np.zeros(3), np.array([0.5, 0.0, 0.5])
    )
    assert [label.get_text() for label in left.get_yticklabels()] == ["c", "a", "b"]
    assert texts(left) == ["0.90", "0.20", "absent"]
    assert widths(right) == [50, 50, 0]


def test_confusion_chart_shows_percent_of_each_row():
    ax = masks.confusion_chart(np.array([[3, 1], [0, 0]]), ["a", "b"])
    assert texts(ax) == ["75", "25"]


def test_panels_and_strips_hold_the_pictures():
    pictures = np.zeros((3, 4, 4, 3), np.uint8)
    assert masks.panels({"x": pictures, "y": pictures}, ["1", "2", "3"]).shape == (3, 2)
    assert masks.strips({"x": pictures, "y": pictures}).shape == (2, 3)


def test_number_grids_write_every_number_and_outline_the_marked_ones():
    grid = np.array([[0, 1], [2, VOID]])
    plain, marked = masks.number_grids({"a": grid, "b": grid}, {"b": grid == 1}).flat
    assert texts(plain) == texts(marked) == ["0", "1", "2", "void"]
    assert len(marked.patches) == len(plain.patches) + 1


@pytest.mark.parametrize("draw", [masks.size_bars, masks.score_bars, masks.average_bars])
def test_bars_are_labelled_with_their_values(draw):
    if draw is masks.size_bars:
        ax = draw(["small"], {"net": [0.25]})
    elif draw is masks.score_bars:
        ax = draw({"net": {"accuracy": 0.25}})
    else:
        ax = draw({"data set": 0.25})
    assert [text.rstrip("0") for text in texts(ax)] == ["0.25"]


def method(name, kind="stream", speed=100, mib=50, score=0.4, cost=1.0):
    return {
        "method": name,
        "label": f"the {name}",
        "kind": kind,
        "images_per_s": speed,
        "images_per_s_min": 0.98 * speed,
        "images_per_s_max": 1.01 * speed,
        "peak_mib_over_base": mib,
        "holdout_miou": score,
        "loader_cpu_ms_per_image": cost,
        "loader_images_per_s": 1500 / cost,
    }


LIMIT = {"method": "none", "label": "no loader", "kind": "limit", "images_per_s": 130}
THREE = [
    method("slow", "in memory", 60, 900, 0.41, 0.5),
    LIMIT,
    method("fast", "subset", 120, 40, 0.38, 0.1),
    method("middle", "stream", 90, 60, 0.4, 2.0),
]
FIGURES = [loaders.memory_against_throughput, loaders.scores_of_methods, loaders.cost_of_input]


def dots(ax):
    return [line for line in ax.lines if line.get_marker() not in {"None", "", None}]


def boxes(ax):
    """The pixels of each text; the extent of an annotation would include its line."""
    ax.figure.draw_without_rendering()
    return [Text.get_window_extent(text) for text in ax.texts]


def test_each_method_has_its_dot_in_the_colour_and_marker_of_its_kind():
    ax = loaders.memory_against_throughput(THREE)
    assert sorted(texts(ax)) == ["no loader", "the fast", "the middle", "the slow"]
    drawn = {(dot.get_xdata()[0], dot.get_ydata()[0]): dot for dot in dots(ax)}
    assert set(drawn) == {(900, 60), (40, 120), (60, 90)}
    looks = [(dot.get_color(), dot.get_marker()) for dot in drawn.values()]
    assert set(looks) == {look[:2] for look in loaders.KINDS.values()}
    spreads = [line.get_ydata() for line in ax.lines if line.get_linestyle() == "-"]
    assert [0.98 * 120, 1.01 * 120] in [list(spread) for spread in spreads]
    (limit,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert set(limit.get_ydata()) == {130}


def test_memory_is_on_a_logarithmic_scale_only_if_it_spans_more_than_a_decade():
    assert loaders.memory_against_throughput(THREE).get_xscale() == "log"
    assert loaders.memory_against_throughput(THREE[1:]).get_xscale() == "linear"
    at_base = [*THREE, method("nothing", mib=0)]
    assert loaders.memory_against_throughput(at_base).get_xscale() == "linear"


@pytest.mark.parametrize("spread", [1, 0.1, 0.04])
def test_labels_cover_neither_each_other_nor_dots_however_crowded(spread):
    rng = np.random.default_rng(4)
    speeds, mib = 120 * (1 - spread * rng.random(16)), 30 * 60 ** rng.random(16)
    kinds = 16 * list(loaders.KINDS)
    rows = [method(f"method number {k}", kinds[k], speeds[k], mib[k]) for k in range(16)]
    ax = loaders.memory_against_throughput([LIMIT, *rows])
    found = boxes(ax)
    assert len(found) == 17 and len(dots(ax)) == 16
    assert not any(one.overlaps(other) for one, other in combinations(found, 2))
    assert all(ax.bbox.contains(*box.min) and ax.bbox.contains(*box.max) for box in found)
    centres = ax.transData.transform([(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in dots(ax)])
    assert not any(box.contains(*centre) for box in found for centre in centres)


def test_a_label_without_room_beside_its_dot_gets_a_line_to_it():
    _, (free, crowded) = style.new_figure(1, 2, 10, 4)
    labels.label_dots(free, [(0.5, 0.5)], ["alone"], ["red"])
    points = [(0.5 + 0.03 * x, 0.5 + 0.03 * y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    labels.label_dots(crowded, points, [f"dot {k}" for k in range(9)], ["red"] * 9)
    assert [text.arrow_patch for text in free.texts] == [None]
    assert any(text.arrow_patch for text in crowded.texts)
    assert not any(one.overlaps(other) for one, other in combinations(boxes(crowded), 2))


@pytest.mark.parametrize(
    ("draw", "names"),
    [
        (loaders.scores_of_methods, ["the fast", "the middle", "the slow"]),
        (loaders.cost_of_input, ["the fast", "the slow", "the middle"]),
    ],
)
def test_the_fastest_method_comes_first_in_training_or_alone(draw, names):
    _, ax = style.new_figure(1, 1, 8, 3)
    assert draw(THREE, ax) is ax
    assert [label.get_text() for label in ax.get_yticklabels()] == names
    assert ax.yaxis_inverted()


def test_scores_and_costs_write_their_numbers():
    ax = loaders.scores_of_methods(THREE)
    assert texts(ax) == ["0.380", "0.400", "0.410"]
    assert [dot.get_xdata()[0] for dot in dots(ax)] == [0.38, 0.4, 0.41]
    ax = loaders.cost_of_input(THREE)
    assert texts(ax) == ["15,000 images/s", "3,000 images/s", "750 images/s"]
    assert widths(ax) == [0.1, 0.5, 2.0] and ax.get_xscale() == "log"
    assert all(box.x1 <= ax.bbox.x1 for box in boxes(ax)), "a number leaves the axes"


def test_a_method_without_the_number_is_left_out():
    ax = loaders.scores_of_methods([*THREE, method("unscored", score=None)])
    assert len(dots(ax)) == 3
    untrained = method("untrained")
    untrained["images_per_s"] = None
    assert len(dots(loaders.memory_against_throughput([*THREE, untrained]))) == 3
    assert len(dots(loaders.scores_of_methods([*THREE, untrained]))) == 3
    assert len(widths(loaders.cost_of_input([*THREE, untrained]))) == 4


def test_two_limits_close_to_each_other_keep_their_labels_apart():
    ax = loaders.memory_against_throughput([*THREE, LIMIT | {"images_per_s": 131}])
    found = boxes(ax)
    assert texts(ax).count("no loader") == 2
    assert not any(one.overlaps(other) for one, other in combinations(found, 2))


@pytest.mark.parametrize("draw", FIGURES)
def test_loaders_without_a_method_or_of_an_unknown_kind_are_refused(draw):
    for rows in ([], [LIMIT]):
        with pytest.raises(ValueError, match="nothing to draw"):
            draw(rows)
    with pytest.raises(ValueError, match="odd: kind 'cloud' is none of in memory, subset"):
        draw([method("odd", "cloud")])


def test_the_stream_is_drawn_turn_by_turn():
    ax = orders.shuffled_order([2, 0, 1], buffer=2)
    (drawn,) = ax.lines
    assert list(drawn.get_xdata()) == [2, 0, 1] and list(drawn.get_ydata()) == [0, 1, 2]
    assert ax.get_title(loc="left") == "buffer of 2"


def test_each_order_has_its_seeds_and_its_mean():
    found = {"article": (0.5, 0.6), "reshuffled": (0.7, 0.8), "everything": (0.7, 0.9)}
    runs = [
        {"order": order, "scores": [{"mean_iou": 0.1}, {"mean_iou": score}]}
        for order, scores in found.items()
        for score in scores
    ]
    ax = orders.scores_by_order(runs)
    assert texts(ax) == ["mean 0.550", "mean 0.750", "mean 0.800"]
    assert [tuple(dot.get_xdata()) for dot in dots(ax)] == list(found.values())
    with pytest.raises(ValueError, match="no runs"):
        orders.scores_by_order([])


def test_memory_of_windows_puts_the_measured_over_the_arrays():
    rows = [
        {"arrays_mib": 30, "peak_mib_over_base": 60},
        {"arrays_mib": 300, "peak_mib_over_base": 350},
    ]
    alone, measured = orders.memory_of_windows(rows).lines
    assert list(alone.get_xdata()) == list(alone.get_ydata()) == [30, 300]
    assert list(measured.get_ydata()) == [60, 350]


def claims_run(seed, variant="article"):
    scores = {"mean_iou": 0.5 + 0.1 * seed, "pixel_accuracy": 0.9}
    row = {name: scores for name in ("split", "holdout_parts", "first_window")}
    return {"variant": variant, "seed": seed, "rounds": [row, row, row]}


def test_leaked_shares_are_bars_and_a_line():
    ax = claims.leaked_by_round([0, 0.81, 0.88], [0, 0.8, 0.9])
    assert [bar.get_height() for bar in ax.patches] == [0, 0.8, 0.9]
    assert list(ax.lines[0].get_ydata()) == [0, 0.81, 0.88]


def test_scores_by_round_have_a_thin_line_for_each_seed_and_a_thick_mean():
    ax = claims.scores_by_round([claims_run(0), claims_run(2)])
    assert len(ax.lines) == 2 * (2 + 1)
    thick = [line for line in ax.lines if line.get_linewidth() == 2]
    assert [line.get_label() for line in thick] == [
        "the round's own validation split",
        "pictures that no window loads",
    ]
    assert all(list(line.get_ydata()) == pytest.approx([0.6] * 3) for line in thick)
    accuracy = claims.scores_by_round([claims_run(0)], ["split"], score="pixel_accuracy")
    assert list(accuracy.lines[-1].get_ydata()) == [0.9] * 3
    assert (ax.get_ylabel(), accuracy.get_ylabel()) == ("mean IoU", "pixel accuracy")
    with pytest.raises(ValueError, match="no runs"):
        claims.scores_by_round([])


def test_gaps_have_a_dot_for_each_seed_and_their_mean():
    ax = claims.gap_by_variant({"leaks": [0.2, 0.4], "honest": [-0.01, 0.01]})
    assert texts(ax) == ["+0.000", "+0.300"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["honest", "leaks"]
