"""The windows as arithmetic: a batch is a function of its step."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.units import parse_bytes
from helpers.windows.geometry import Geometry, Window, sliding_windows, times_seen

ARTICLE = Geometry.article()
SMALL = Geometry(58, window=20, stride=2, size=(24, 32), batch_size=8, passes=5, seed=3)
# Three whole windows, 0-10, 4-14 and 8-18, and with a tail a fourth, 12-20.
TAILED = Geometry(20, window=10, stride=4, size=(2, 3), batch_size=4, passes=2, tail=True)
FIELDS = {"n_images": 12, "window": 6, "stride": 2, "size": (4, 4), "batch_size": 4, "passes": 2}


@st.composite
def geometries(draw, max_images=60):
    n_images = draw(st.integers(1, max_images))
    return Geometry(
        n_images,
        window=draw(st.integers(1, n_images)),
        stride=draw(st.integers(1, max_images + 5)),
        size=draw(st.tuples(st.integers(1, 9), st.integers(1, 9))),
        batch_size=draw(st.integers(1, max_images + 5)),
        passes=draw(st.integers(1, 4)),
        seed=draw(st.integers(0, 2**40)),
        shuffle=draw(st.booleans()),
        tail=draw(st.booleans()),
    )


# Windows


def test_the_articles_windows():
    windows = sliding_windows(2913, 1000, 100)
    assert len(windows) == 20
    assert windows[0] == Window(0, 0, 1000) and windows[19] == Window(19, 1900, 2900)
    seen = times_seen(2913, windows)
    assert (seen == 0).sum() == 13 and not seen[2900:].any()
    assert seen.max() == 10 and seen.sum() == 20_000 and seen[0] == 1
    with_tail = sliding_windows(2913, 1000, 100, tail=True)
    assert with_tail[:20] == windows and with_tail[20:] == [Window(20, 2000, 2913)]
    assert times_seen(2913, with_tail).min() == 1


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 60), st.booleans())
def test_windows_of_any_geometry(n, size, stride, tail):
    if size > n:
        with pytest.raises(ValueError, match="Choose a smaller window"):
            sliding_windows(n, size, stride, tail)
        return
    windows = sliding_windows(n, size, stride, tail)
    assert [w.round for w in windows] == list(range(len(windows)))
    assert [w.start for w in windows] == [stride * k for k in range(len(windows))]
    whole = (n - size) // stride + 1
    assert all(w.stop - w.start == size for w in windows[:whole])
    assert n - stride < windows[whole - 1].stop <= n
    if tail:
        # One more for what is left, unless it would begin behind the list.
        assert len(windows) == whole + (windows[whole - 1].stop < n and whole * stride < n)
        assert all(0 < w.stop - w.start < size and w.stop == n for w in windows[whole:])
    else:
        assert len(windows) == whole


@pytest.mark.parametrize(
    ("wrong", "name"),
    [((0, 1, 1), "n_images"), ((5, 0, 1), "size"), ((5, 2, 0), "stride"), ((5, 2, -1), "stride")],
)
def test_nonsense_windows_are_refused(wrong, name):
    with pytest.raises(ValueError, match=f"{name} must be 1 or more"):
        sliding_windows(*wrong)


def test_times_seen_counts_what_windows_hold():
    windows = [Window(0, 0, 3), Window(1, 2, 4), Window(2, 5, 6)]
    assert times_seen(7, windows).tolist() == [1, 1, 2, 1, 0, 1, 0]
    assert times_seen(3, []).tolist() == [0, 0, 0]


# The fields


def test_a_geometry_is_frozen_and_a_value():
    for name in ("n_images", "window", "size", "seed", "shuffle", "tail"):
        with pytest.raises(FrozenInstanceError):
            setattr(SMALL, name, getattr(SMALL, name))
    same = Geometry(58, 20, 2, [24, 32], 8, 5, 3)
    assert same == SMALL and hash(same) == hash(SMALL) and same.size == (24, 32)
    assert replace(SMALL, seed=4) != SMALL and replace(SMALL, seed=4).seed == 4


def test_what_is_not_said_is_the_articles():
    plain = Geometry(20, 10, 4, (2, 3))
    assert (plain.batch_size, plain.passes, plain.seed) == (32, 5, 0)
    assert plain.shuffle and not plain.tail


@pytest.mark.parametrize("name", ["n_images", "window", "stride", "batch_size", "passes"])
@pytest.mark.parametrize("value", [0, -1])
def test_numbers_below_1_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, got {value}"):
        Geometry(**(FIELDS | {name: value}))


@pytest.mark.parametrize("size", [(0, 4), (4, -1), (4,), (4, 4, 3), 4])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match=r"size must be \(height, width\) in pixels, got"):
        Geometry(**(FIELDS | {"size": size}))
    for make in (Geometry.scaled, Geometry.one_window, Geometry.stream):
        with pytest.raises(ValueError, match=r"size must be \(height, width\)"):
            make(58, size)
    with pytest.raises(ValueError, match=r"size must be \(height, width\)"):
        Geometry.within("1 MiB", 58, size)


def test_a_window_larger_than_the_data_and_a_negative_seed_are_refused():
    with pytest.raises(ValueError, match=r"window of 13 images does not fit into 12\. Choose"):
        Geometry(**(FIELDS | {"window": 13}))
    assert Geometry(**(FIELDS | {"window": 12})).n_rounds == 1
    with pytest.raises(ValueError, match="seed must be 0 or more, got -1"):
        Geometry(**FIELDS, seed=-1)


# The article's


def test_the_articles_geometry():
    assert (ARTICLE.n_images, ARTICLE.window, ARTICLE.stride) == (2913, 1000, 100)
    assert ARTICLE.size == (224, 224) and ARTICLE.batch_size == 32 and ARTICLE.passes == 5
    assert ARTICLE.n_rounds == 20 and ARTICLE.left_over == 13
    assert ARTICLE.steps_per_pass == 32 and ARTICLE.steps_per_round == 160
    assert ARTICLE.n_steps == 3200
    assert ARTICLE.nbytes == 1100 * 224 * 224 * 4
    assert ARTICLE.windows == sliding_windows(2913, 1000, 100)
    assert [len(ARTICLE.batch(step)) for step in range(32)] == [32] * 31 + [8]
    with_tail = replace(ARTICLE, tail=True)
    assert with_tail.n_rounds == 21 and with_tail.left_over == 0
    assert with_tail.windows[20] == Window(20, 2000, 2913)
    assert with_tail.n_steps == 3200 + 5 * 29  # 913 rows are 29 batches


def test_its_proportions_are_the_ones_that_are_scaled():
    as_scaled = Geometry.scaled(2913, (224, 224))
    assert as_scaled == ARTICLE


# Counts


@given(geometries())
def test_rounds_and_windows(geometry):
    n, window, stride = geometry.n_images, geometry.window, geometry.stride
    windows = geometry.windows
    assert windows == sliding_windows(n, window, stride, geometry.tail)
    assert geometry.n_rounds == len(windows) and type(geometry.n_rounds) is int
    if not geometry.tail:
        assert geometry.n_rounds == (n - window) // stride + 1
        assert geometry.left_over == n - windows[-1].stop
    assert geometry.left_over == n - windows[-1].stop < max(stride, window + 1)
    for number, now in enumerate(windows):
        rows = geometry.rows(number)
        assert rows.tolist() == list(range(now.start, now.stop))
        assert np.issubdtype(rows.dtype, np.integer)


@given(geometries())
def test_counts_of_steps(geometry):
    batches = [-(-(now.stop - now.start) // geometry.batch_size) for now in geometry.windows]
    assert geometry.steps_per_pass == batches[0]
    assert geometry.steps_per_round == geometry.passes * batches[0]
    assert geometry.n_steps == geometry.passes * sum(batches)


@given(geometries())
def test_bytes_are_the_window_and_a_stride_of_it(geometry):
    height, width = geometry.size
    row = height * width * (3 + 1)
    staged = 0 if geometry.n_rounds == 1 else min(geometry.stride, geometry.window)
    assert geometry.nbytes == (geometry.window + staged) * row


def test_bytes_counted_by_hand():
    row = 24 * 32 * 4
    assert SMALL.nbytes == 22 * row
    assert replace(SMALL, stride=30).nbytes == 40 * row
    assert replace(SMALL, window=58).nbytes == 58 * row
    assert replace(SMALL, window=57).nbytes == 57 * row
    assert replace(SMALL, window=57, tail=True).nbytes == 59 * row


# Steps


@given(geometries())
def test_a_place_is_the_inverse_of_the_arithmetic(geometry):
    n_batches = [-(-(now.stop - now.start) // geometry.batch_size) for now in geometry.windows]
    counted = [
        (round_, pass_, batch)
        for round_, batches in enumerate(n_batches)
        for pass_ in range(geometry.passes)
        for batch in range(batches)
    ]
    assert [geometry.place(step) for step in range(geometry.n_steps)] == counted
    last = geometry.place(geometry.n_steps - 1)
    assert (last.round, last.pass_, last.batch) == counted[-1]
    for step, (round_, pass_, batch) in enumerate(counted):
        within = pass_ * n_batches[round_] + batch
        assert step == round_ * geometry.steps_per_round + within


@given(geometries())
def test_an_order_is_a_permutation_with_a_key_of_its_own(geometry):
    for round_ in range(min(geometry.n_rounds, 5)):
        rows = geometry.rows(round_)
        for pass_ in range(geometry.passes):
            order = geometry.order(round_, pass_)
            key = geometry.seed, round_, round_ * geometry.passes + pass_
            drawn = rows[0] + np.random.default_rng(key).permutation(len(rows))
            expected = drawn if geometry.shuffle else rows
            np.testing.assert_array_equal(order, expected)
            np.testing.assert_array_equal(np.sort(order), rows)
            assert np.issubdtype(order.dtype, np.integer)


@given(geometries())
def test_batches_are_the_orders_cut_into_pieces_and_every_row_comes_once_a_pass(geometry):
    step = 0
    for now in geometry.windows:
        times = np.zeros(geometry.n_images, int)
        for pass_ in range(geometry.passes):
            order = geometry.order(now.round, pass_)
            batches = []
            while len(batches) * geometry.batch_size < len(order):
                assert geometry.place(step) == (now.round, pass_, len(batches))
                batches.append(geometry.batch(step))
                step += 1
            assert [len(batch) for batch in batches[:-1]] == [geometry.batch_size] * (
                len(batches) - 1
            )
            assert 1 <= len(batches[-1]) <= geometry.batch_size
            np.testing.assert_array_equal(np.concatenate(batches), order)
            times[order] += 1
        assert (times[now.start : now.stop] == geometry.passes).all()
        assert times.sum() == geometry.passes * (now.stop - now.start)
    assert step == geometry.n_steps


@given(geometries(), st.data())
def test_a_batch_depends_on_its_step_alone(geometry, data):
    steps = data.draw(st.lists(st.integers(0, geometry.n_steps - 1), max_size=6))
    first = [geometry.batch(step).tolist() for step in steps]
    np.random.seed(len(steps))  # noqa: NPY002 - the global state must not matter
    again = [replace(geometry).batch(step).tolist() for step in steps[::-1]]
    assert first == again[::-1]


def test_orders_differ_from_pass_to_pass_round_to_round_and_seed_to_seed():
    orders = [
        tuple(geometry.order(round_, pass_) - geometry.rows(round_)[0])
        for geometry in (SMALL, replace(SMALL, seed=4))
        for round_ in range(SMALL.n_rounds)
        for pass_ in range(SMALL.passes)
    ]
    assert len(set(orders)) == len(orders) == 200


def test_a_numpy_number_is_as_good_as_a_plain_one():
    geometry = Geometry(*np.array([58, 20, 2]), tuple(np.array([24, 32])), np.int32(8), seed=3)
    assert geometry == SMALL
    assert geometry.batch(np.int64(41)).tolist() == SMALL.batch(41).tolist()


def test_what_was_changed_can_be_changed_again():
    SMALL.order(0, 0)[:] = 0
    SMALL.rows(0)[:] = 0
    SMALL.windows.clear()
    assert sorted(SMALL.order(0, 0)) == SMALL.rows(0).tolist() == list(range(20))
    assert SMALL.n_rounds == len(SMALL.windows) == 20


# The tail


def test_a_tail_counted_by_hand():
    assert TAILED.windows[2:] == [Window(2, 8, 18), Window(3, 12, 20)]
    assert TAILED.n_rounds == 4 and TAILED.left_over == 0
    assert TAILED.steps_per_pass == 3 and TAILED.n_steps == 3 * 6 + 2 * 2
    assert TAILED.place(17) == (2, 1, 2) and TAILED.place(18) == (3, 0, 0)
    assert TAILED.place(21) == (3, 1, 1)
    assert sorted([*TAILED.batch(18), *TAILED.batch(19)]) == list(range(12, 20))
    with pytest.raises(IndexError, match="no step 22: the steps are 0 to 21"):
        TAILED.place(22)
    without = replace(TAILED, tail=False)
    assert without.n_rounds == 3 and without.left_over == 2 and without.n_steps == 18


@pytest.mark.parametrize(
    ("n_images", "stride", "windows"),
    [
        (18, 4, 3),  # the last whole window ends with the list
        (20, 4, 4),
        (10, 4, 1),
        (11, 4, 2),
        (12, 15, 1),  # the next window would begin behind the list
        (15, 15, 1),
        (16, 15, 2),  # it holds the last image alone
    ],
)
def test_there_is_no_empty_window_and_none_that_is_needless(n_images, stride, windows):
    geometry = replace(TAILED, n_images=n_images, stride=stride)
    assert geometry.n_rounds == len(geometry.windows) == windows
    assert all(now.start < now.stop <= n_images for now in geometry.windows)
    assert all(len(geometry.rows(round_)) for round_ in range(windows))


@given(geometries())
def test_a_tail_adds_at_most_one_window_and_changes_no_other(geometry):
    with_tail, without = replace(geometry, tail=True), replace(geometry, tail=False)
    assert with_tail.windows[: without.n_rounds] == without.windows
    added = with_tail.windows[without.n_rounds :]
    assert len(added) <= 1
    assert all(0 < now.stop - now.start < geometry.window for now in added)
    assert bool(added) == (without.left_over > 0 and without.n_rounds * geometry.stride
                           < geometry.n_images)  # fmt: skip
    steps = range(0, without.n_steps, 1 + without.n_steps // 20)
    assert [with_tail.batch(step).tolist() for step in steps] == [
        without.batch(step).tolist() for step in steps
    ]
    if geometry.stride <= geometry.window:
        assert with_tail.left_over == 0
        assert (times_seen(geometry.n_images, with_tail.windows) >= 1).all()


# What there is not


@given(geometries(), st.integers(0, 100))
def test_steps_rounds_and_passes_that_there_are_not(geometry, more):
    for step in (-1 - more, geometry.n_steps + more):
        for ask in (geometry.place, geometry.batch):
            with pytest.raises(IndexError, match=f"no step {step}: the steps are 0 to"):
                ask(step)
    for round_ in (-1 - more, geometry.n_rounds + more):
        with pytest.raises(IndexError, match=f"no round {round_}: the rounds are 0 to"):
            geometry.rows(round_)
        with pytest.raises(IndexError, match=f"no round {round_}: the rounds are 0 to"):
            geometry.order(round_, 0)
    for pass_ in (-1 - more, geometry.passes + more):
        with pytest.raises(IndexError, match=f"no pass {pass_}: the passes are 0 to"):
            geometry.order(0, pass_)


# Other numbers of images


@given(st.integers(29, 5000), st.none() | st.integers(1, 60))
def test_scaled_keeps_the_proportions(n_images, max_stride):
    geometry = Geometry.scaled(n_images, (8, 6), 4, 3, 7, max_stride=max_stride)
    largest = n_images // 29
    assert geometry.stride == (largest if max_stride is None else min(largest, max_stride))
    assert geometry.window == 10 * geometry.stride and geometry.n_images == n_images
    assert (geometry.size, geometry.batch_size, geometry.passes, geometry.seed) == ((8, 6), 4, 3, 7)
    assert geometry.shuffle and not geometry.tail
    assert geometry.n_rounds >= 20
    if max_stride is None or max_stride >= largest:
        swept = 29 * geometry.stride
        assert Geometry.scaled(swept, (8, 6)).n_rounds == 20
        assert Geometry.scaled(swept, (8, 6)).left_over == 0


@pytest.mark.parametrize("n_images", [28, 1, 0])
def test_too_few_images_for_20_rounds(n_images):
    for make in (Geometry.scaled, lambda *given: Geometry.within("1 GiB", *given)):
        with pytest.raises(ValueError, match=rf"^{n_images} images are too few.*at least 29"):
            make(n_images, (8, 6))
    assert Geometry.scaled(29, (8, 6)).n_rounds == 20


def test_a_largest_stride_of_nothing_is_refused():
    with pytest.raises(ValueError, match="max_stride must be 1 or more, got 0"):
        Geometry.scaled(58, (8, 6), max_stride=0)


def test_one_window_holds_everything():
    geometry = Geometry.one_window(58, (8, 6), batch_size=16)
    assert geometry.windows == [Window(0, 0, 58)] and geometry.left_over == 0
    assert geometry.passes == 1 and geometry.n_steps == 4
    assert geometry.nbytes == 58 * 8 * 6 * 4
    batches = [geometry.batch(step).tolist() for step in range(4)]
    assert batches == [list(range(58))[first : first + 16] for first in (0, 16, 32, 48)]
    shuffled = Geometry.one_window(58, (8, 6), 16, passes=3, seed=5, shuffle=True)
    assert (shuffled.passes, shuffled.seed, shuffled.n_steps) == (3, 5, 12)
    orders = [shuffled.order(0, pass_).tolist() for pass_ in range(3)]
    assert all(sorted(order) == list(range(58)) for order in orders)
    assert orders[0] != orders[1] != orders[2] != list(range(58))


@given(st.integers(1, 80), st.integers(1, 90))
def test_a_stream_is_one_batch_after_another(n_images, batch_size):
    geometry = Geometry.stream(n_images, (8, 6), batch_size, seed=2)
    assert geometry.n_steps == geometry.n_rounds == -(-n_images // batch_size)
    batches = [geometry.batch(step) for step in range(geometry.n_steps)]
    assert np.concatenate(batches).tolist() == list(range(n_images))
    assert [len(batch) for batch in batches[:-1]] == [geometry.batch_size] * (len(batches) - 1)
    assert geometry.batch_size == min(batch_size, n_images) == geometry.window
    assert geometry.passes == 1 and geometry.left_over == 0 and not geometry.shuffle
    buffers = 1 if geometry.n_rounds == 1 else 2
    assert geometry.nbytes == buffers * geometry.window * 8 * 6 * 4


@pytest.mark.parametrize("make", [Geometry.one_window, Geometry.stream])
def test_nothing_and_batches_of_nothing_are_refused(make):
    with pytest.raises(ValueError, match="n_images must be 1 or more, got 0"):
        make(0, (8, 6))
    with pytest.raises(ValueError, match="batch_size must be 1 or more, got 0"):
        make(58, (8, 6), batch_size=0)


# Within a budget


@given(
    st.integers(29, 5000),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.integers(0, 2**32),
)
def test_the_largest_window_within_a_budget(n_images, size, more):
    row = size[0] * size[1] * 4
    budget = 11 * row + more
    geometry = Geometry.within(budget, n_images, size)
    assert geometry.nbytes <= budget
    assert geometry.window == 10 * geometry.stride and geometry.n_rounds >= 20
    assert geometry.nbytes == 11 * geometry.stride * row
    # A stride more would not fit into the budget, or not into the data.
    assert 11 * (geometry.stride + 1) * row > budget or 29 * (geometry.stride + 1) > n_images


def test_a_budget_is_text_or_bytes():
    by_text = Geometry.within("512 MiB", 200_000, (224, 224), 16, 3, seed=9)
    assert by_text == Geometry.within(512 * 2**20, 200_000, (224, 224), 16, 3, seed=9)
    assert (by_text.batch_size, by_text.passes, by_text.seed) == (16, 3, 9)
    assert by_text.stride == 243 and by_text.window == 2430
    assert by_text.nbytes <= parse_bytes("512 MiB") < by_text.nbytes + 11 * 224 * 224 * 4
    with pytest.raises(ValueError, match="'512' has no unit"):
        Geometry.within("512", 2913, (224, 224))


def test_more_memory_than_data_gives_the_whole_proportions():
    assert Geometry.within("100 GiB", 2913, (224, 224)) == ARTICLE


@given(st.tuples(st.integers(1, 600), st.integers(1, 600)))
def test_the_smallest_budget_is_named_and_works(size):
    with pytest.raises(ValueError, match="too small for images of") as refused:
        Geometry.within(0, 58, size)
    assert f"{size[0]}×{size[1]}" in str(refused.value)
    smallest = int(str(refused.value).rpartition(", ")[2].removesuffix(" bytes."))
    geometry = Geometry.within(smallest, 58, size)
    assert geometry.nbytes == smallest and (geometry.window, geometry.stride) == (10, 1)
    with pytest.raises(ValueError, match=f"A budget of {smallest - 1} is too small"):
        Geometry.within(smallest - 1, 58, size)


@pytest.mark.parametrize("budget", ["1 KiB", -1, 0])
def test_a_budget_that_holds_nothing_is_named(budget):
    with pytest.raises(ValueError, match=rf"A budget of {budget} is too small .* 2.1 MiB"):
        Geometry.within(budget, 58, (224, 224))
