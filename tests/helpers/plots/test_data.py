"""Images and their masks."""

import numpy as np
import pytest

from helpers.data import VOID, Index, voc_palette
from helpers.plots import data

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def test_colour_mask_paints_each_class_and_void():
    coloured = data.colour_mask(np.array([[0, 1, VOID]], dtype=np.uint8), voc_palette(3))
    assert coloured[0].tolist() == [[0, 0, 0], [128, 0, 0], list(data.VOID_COLOUR)]


def test_panels_and_strips_hold_the_images():
    images = np.zeros((3, 4, 4, 3), np.uint8)
    assert data.panels({"x": images, "y": images}, ["1", "2", "3"]).shape == (3, 2)
    assert data.strips({"x": images, "y": images}).shape == (2, 3)


def test_pairs_put_images_over_masks_and_name_the_classes_that_occur():
    names = ["0.png", "1.png"]
    index = Index.build("images", "masks", ("background", "cat", "dog"), names, names)
    images = np.zeros((2, 4, 4, 3), np.uint8)
    masks = np.zeros((2, 4, 4), np.uint8)
    masks[1, 0], masks[1, 1] = 2, VOID
    axes = data.pairs(images, masks, index)
    assert axes.shape == (2, 2)
    shown = axes[1, 1].images[0].get_array()
    np.testing.assert_array_equal(shown, data.colour_mask(masks[1], index.palette))
    (legend,) = axes[0, 0].figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert said == ["background", "dog", "void (ignored)"]
