"""A slider changes the answer; the answer needs no Output widget."""

import ipywidgets

from helpers.notebook import explore


def test_the_answer_follows_the_sliders():
    a, b = ipywidgets.IntSlider(2, 0, 10), ipywidgets.IntSlider(3, 0, 10)
    box = explore(lambda a, b: f"<b>{a * b}</b>", a=a, b=b)
    answer = box.children[-1]
    assert answer.value == "<b>6</b>" and (a.description, b.description) == ("a", "b")
    a.value = 5
    assert answer.value == "<b>15</b>"


def test_no_output_widget_is_involved():
    box = explore(lambda a: str(a), a=ipywidgets.IntSlider())
    assert not any(isinstance(child, ipywidgets.Output) for child in box.children)
