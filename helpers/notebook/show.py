"""Figures in a notebook, each with a text alternative."""

import base64
import html
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plots.style import styled
from helpers.settings import BUILD

PIXELS_PER_INCH = 110
FIGURES = BUILD / "figures"


@styled
def show(drawn: Figure | Axes | np.ndarray, alt: str, save_as: str | None = None) -> None:
    """Display a figure once, with `alt` for people who cannot see it, and close it.

    `drawn` is the figure, its axes, or an array of them. `alt` says what the figure shows, not that
    it is a figure. `save_as` also writes it to build/figures/<save_as>.png.

    Notebook 01, "What is in front of us".
    """
    png = _png(drawn, alt)
    if save_as:
        FIGURES.mkdir(parents=True, exist_ok=True)
        (FIGURES / f"{save_as}.png").write_bytes(png)
    display(
        {"image/png": png, "text/plain": alt},
        metadata={"image/png": {"alt": alt}},
        raw=True,
    )


@styled
def as_html(drawn: Figure | Axes | np.ndarray, alt: str) -> str:
    """The same figure as an HTML image, for `explore`.

    Notebook 04, "Best and worst".
    """
    data = base64.b64encode(_png(drawn, alt)).decode("ascii")
    return f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{data}">'


def _png(drawn: Figure | Axes | np.ndarray, alt: str) -> bytes:
    if len(alt) < 20:
        raise ValueError(f"alt={alt!r} is too short to stand in for the figure")
    figure = drawn if isinstance(drawn, Figure) else np.ravel(drawn)[0].figure
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=PIXELS_PER_INCH)
    plt.close(figure)
    return buffer.getvalue()
