"""Sliders with a live answer beside them, which also survive `make run`.

`ipywidgets.interact` shows what a function prints through an Output widget, and with those nbclient
hangs now and then (its issue 312). An HTML widget needs no answer from the notebook's front end.
"""

from collections.abc import Callable

import ipywidgets


def explore(function: Callable[..., str], **sliders: ipywidgets.Widget) -> ipywidgets.VBox:
    """The sliders, and below them the HTML that `function` returns for their values.

    `function` is called with one keyword argument for each slider, at once and after each change.

    Notebook 01, "Will it fit?".
    """
    answer = ipywidgets.HTML()

    def refresh(_change=None) -> None:
        answer.value = function(**{name: slider.value for name, slider in sliders.items()})

    for name, slider in sliders.items():
        slider.description = name
        slider.observe(refresh, names="value")
    refresh()
    return ipywidgets.VBox([*sliders.values(), answer])
