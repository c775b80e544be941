"""The look of the figures."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

# Okabe and Ito's colours (2008), which people with any common colour blindness can tell apart.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, GREY, INK = "#56B4E9", "#8A8A8A", "#222222"

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
    """`plt.subplots` of that size in inches, in the tutorial's style: (figure, axes).

    Notebook 02, "Saw-tooth and flat line".
    """
    return plt.subplots(rows, columns, figsize=(width, height))
