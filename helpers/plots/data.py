"""Figures of images and of their masks."""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from helpers.data import VOID
from helpers.plots.style import styled

VOID_COLOUR = (224, 224, 192)  # the colour that VOC's own viewer gives to void


def colour_mask(mask: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Class ids (h, w) to an RGB image (h, w, 3) uint8; void gets VOC's pale border colour."""
    colours = np.full((256, 3), VOID_COLOUR, dtype=np.uint8)
    colours[: len(palette)] = palette
    return colours[mask]


@styled
def panels(
    columns: Mapping[str, Sequence[np.ndarray]], index, row_titles: Sequence[str] = ()
) -> np.ndarray:
    """A grid of images: one column for each entry (title -> images). Returns the axes.

    Class ids (h, w) get the colours of `index`, and a legend names the classes that occur.
    """
    n_rows = len(next(iter(columns.values())))
    figure, axes = plt.subplots(
        n_rows,
        len(columns),
        figsize=(2.1 * len(columns), 1.75 * n_rows + 0.8),
        squeeze=False,
    )
    for column, (title, images) in enumerate(columns.items()):
        axes[0, column].set_title(title, fontsize=10, loc="center")
        for ax, image in zip(axes[:, column], images, strict=True):
            _draw(ax, image, index)
    for row, title in enumerate(row_titles):
        axes[row, 0].set_ylabel(title, fontsize=9, rotation=0, ha="right", va="center")
    _legend(figure, columns.values(), index)
    return axes


@styled
def strips(rows: Mapping[str, Sequence[np.ndarray]], index) -> np.ndarray:
    """The same images in several ways: one row for each entry (title -> images), as in `panels`."""
    n, first = len(next(iter(rows.values()))), next(iter(rows.values()))[0]
    height = 1.75 * min(1.0, first.shape[0] / first.shape[1])
    figure, axes = plt.subplots(
        len(rows), n, figsize=(1.75 * n, height * len(rows) + 0.6), squeeze=False
    )
    for strip, (title, images) in zip(axes, rows.items(), strict=True):
        strip[0].set_ylabel(title, fontsize=11)
        for ax, image in zip(strip, images, strict=True):
            _draw(ax, image, index)
    _legend(figure, rows.values(), index)
    return axes


@styled
def contact_sheet(
    images: Sequence[np.ndarray], masks: Sequence[np.ndarray], index, columns: int = 8
) -> np.ndarray:
    """Many small images, in rows of `columns`, each with the outlines of its mask.

    Returns the axes. The outline of a class has its colour, or white where that is dark; void has
    none.
    """
    n_rows = -(-len(images) // columns)
    height = 0.8 * images[0].shape[0] / images[0].shape[1]
    figure, axes = plt.subplots(
        n_rows, columns, figsize=(0.8 * columns, height * n_rows), squeeze=False
    )
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
    for ax in axes.ravel():
        ax.set_axis_off()
    for ax, image, mask in zip(axes.ravel(), images, masks, strict=False):
        ax.imshow(image)
        for class_id in np.setdiff1d(mask, [0, VOID]):
            colour = index.palette[class_id] / 255
            ax.contour(mask == class_id, [0.5], linewidths=1,
                       colors=[colour if colour.mean() > 0.3 else (1, 1, 1)])  # fmt: skip
    return axes


def _draw(ax: Axes, image: np.ndarray, index) -> None:
    """One image with nothing around it; class ids in the colours of their classes."""
    ax.imshow(colour_mask(image, index.palette) if image.ndim == 2 else image)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _legend(figure: Figure, rows: Iterable[Sequence[np.ndarray]], index) -> None:
    """Below the figure: the classes that occur in its masks, and void."""
    masks = [image for images in rows for image in images if image.ndim == 2]
    if not masks:
        return
    present = sorted(set().union(*(np.unique(mask).tolist() for mask in masks)))
    handles = [
        Patch(color=index.palette[k] / 255, label=index.class_names[k])
        if k != VOID
        else Patch(color=np.array(VOID_COLOUR) / 255, label="void (ignored)")
        for k in present
    ]
    # As many columns as the width has room for; an inch and a quarter holds VOC's longest name.
    columns = max(1, int(figure.get_figwidth() / 1.25))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(len(handles), columns),
        fontsize=9,
        handlelength=1.2,
    )
