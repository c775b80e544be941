"""Reports of a child, put together."""

import json

import numpy as np

from helpers.memory.record import ChildError, ChildRun


def lines(*reports):
    return "".join(json.dumps(report) + "\n" for report in reports)


READY = {"event": "ready", "time": 10.0, "pid": 1, "base_bytes": 100, "high_water": 150}
MARK = {"event": "mark", "time": 10.5, "label": "half\nway"}
DONE = {"event": "done", "time": 11.0, "value": 7, "high_water": 300, "rss": 110}


def test_the_peak_is_the_childs_own_mark_if_that_moved():
    run = ChildRun(
        ready={"base_bytes": 100, "high_water": 150},
        done={"high_water": 300},
        samples=[(0.1, 120), (0.2, 200)],
    )
    assert run.peak_bytes == 300
    run.done["high_water"] = 150  # the spike of the imports
    assert run.peak_bytes == 200


def test_a_child_that_tells_nothing_has_no_memory():
    run = ChildRun()
    assert (run.base_bytes, run.peak_bytes) == (0, 0)
    assert run.timeline()["times"].size == 0
    run.take_reports(lines(READY))
    assert (run.base_bytes, run.peak_bytes) == (100, 100)


def test_reports_may_arrive_in_any_pieces():
    text = lines(READY, MARK, DONE)
    for size in (1, 7, len(text)):
        run = ChildRun()
        for start in range(0, len(text), size):
            run.take_reports(text[start : start + size])
        assert (run.ready, run.done, run.marks) == (READY, DONE, [(10.5, "half\nway")])
        assert run.unfinished_line == ""


def test_the_interpreters_own_words_become_output():
    run = ChildRun()
    run.take_reports("Fatal Python error: no memory\n" + lines(READY))
    assert run.output == ["Fatal Python error: no memory\n"]
    assert run.ready == READY


def test_the_timeline_starts_at_the_base_and_ends_with_the_code():
    run = ChildRun(ready=READY, done=DONE, marks=[(10.5, "half")])
    run.samples = [(9.9, 90), (10.0, 101), (10.25, 180), (11.0, 120), (11.2, 50)]
    timeline = run.timeline()
    np.testing.assert_allclose(timeline["times"], [0, 0.25, 1])
    np.testing.assert_array_equal(timeline["rss_bytes"], [100, 180, 110])
    assert timeline["rss_bytes"].dtype == np.int64
    assert timeline["marks"] == ((0.5, "half"),)


def test_ipython_shows_the_childs_words_and_no_frames_of_ours():
    assert ChildError("one\ntwo")._render_traceback_() == ["one", "two"]
