"""Figures of images and of their masks."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
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
    columns: Mapping[str, Sequence[np.ndarray]], row_titles: Sequence[str] = ()
) -> np.ndarray:
    """A grid of images: one column for each entry (title -> images). Returns the axes."""
    n_rows = len(next(iter(columns.values())))
    _, axes = plt.subplots(
        n_rows,
        len(columns),
        figsize=(2.1 * len(columns), 1.75 * n_rows + 0.3),
        squeeze=False,
    )
    for column, (title, images) in enumerate(columns.items()):
        axes[0, column].set_title(title, fontsize=10, loc="center")
        for row, image in enumerate(images):
            axes[row, column].imshow(image)
            axes[row, column].set(xticks=[], yticks=[])
            axes[row, column].spines[:].set_visible(False)
    for row, title in enumerate(row_titles):
        axes[row, 0].set_ylabel(title, fontsize=9, rotation=0, ha="right", va="center")
    return axes


@styled
def strips(rows: Mapping[str, Sequence[np.ndarray]]) -> np.ndarray:
    """The same images in several ways: one row for each entry (title -> images)."""
    n = len(next(iter(rows.values())))
    _, axes = plt.subplots(len(rows), n, figsize=(1.6 * n, 1.6 * len(rows)), squeeze=False)
    for strip, (title, images) in zip(axes, rows.items(), strict=True):
        strip[0].set_ylabel(title, fontsize=11)
        for ax, image in zip(strip, images, strict=True):
            ax.imshow(image)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    return axes


@styled
def pairs(images: Sequence[np.ndarray], masks: Sequence[np.ndarray], index) -> np.ndarray:
    """Images above their masks, with a legend of the classes that occur. Returns the axes."""
    n = len(images)
    figure, axes = plt.subplots(2, n, figsize=(1.75 * n, 3.5), squeeze=False)
    for column, (image, mask) in enumerate(zip(images, masks, strict=True)):
        axes[0, column].imshow(image)
        axes[1, column].imshow(colour_mask(mask, index.palette))
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    present = sorted(set(np.unique(np.concatenate([m.ravel() for m in masks]))) - {VOID})
    handles = [Patch(color=index.palette[k] / 255, label=index.class_names[k]) for k in present]
    handles.append(Patch(color=np.array(VOID_COLOUR) / 255, label="void (ignored)"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6))
    return axes
