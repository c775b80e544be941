"""The look of the figures, and the one function that shows them with a text alternative."""

import base64
import html
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.settings import BUILD

# Okabe and Ito's colours (2008), which people with any common colour blindness can tell apart.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, GREY, INK = "#56B4E9", "#8A8A8A", "#222222"

PIXELS_PER_INCH = 110
FIGURES = BUILD / "figures"

STYLE = {
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.grid": False,
    "legend.frameon": False,
    "image.interpolation": "nearest",
}


# Decorates every function that draws, so that the style holds inside it and nowhere else.
styled = plt.rc_context(STYLE)


def new_axes(ax: Axes | None, width: float = 8.0, height: float = 3.2) -> Axes:
    """`ax` if there is one, else the axes of a new figure of that size in inches."""
    return ax if ax is not None else plt.subplots(figsize=(width, height))[1]


@styled
def new_figure(rows: int, columns: int, width: float, height: float) -> tuple:
    """`plt.subplots` of that size in inches, in the tutorial's style: (figure, axes)."""
    return plt.subplots(rows, columns, figsize=(width, height))


@styled
def show(drawn: Figure | Axes | np.ndarray, alt: str, save_as: str | None = None) -> None:
    """Display a figure once, with `alt` for people who cannot see it, and close it.

    `drawn` is the figure, its axes, or an array of them. `alt` says what the figure shows, not that
    it is a figure. `save_as` also writes it to build/figures/<save_as>.png.
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
    """The same figure as an HTML image, for `helpers.widgets.explore`."""
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
