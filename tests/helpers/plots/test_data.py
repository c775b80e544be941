"""Images and their masks."""

import numpy as np
import pytest

from helpers.data import VOC_CLASSES, VOID, Index, voc_palette
from helpers.plots import data

pytestmark = pytest.mark.usefixtures("no_figure_is_left")


def test_colour_mask_paints_each_class_and_void():
    coloured = data.colour_mask(np.array([[0, 1, VOID]], dtype=np.uint8), voc_palette(3))
    assert coloured[0].tolist() == [[0, 0, 0], [128, 0, 0], list(data.VOID_COLOUR)]


@pytest.fixture
def index():
    names = ["0.png", "1.png"]
    return Index.build("images", "masks", ("background", "cat", "dog"), names, names)


def said_by(axes):
    legends = axes[0, 0].figure.legends
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def test_images_alone_have_no_legend(index):
    images = np.zeros((3, 4, 4, 3), np.uint8)
    panels = data.panels({"x": images, "y": images}, index, ["1", "2", "3"])
    strips = data.strips({"x": images, "y": images}, index)
    assert panels.shape == (3, 2) and strips.shape == (2, 3)
    assert said_by(panels) == said_by(strips) == []


@pytest.mark.parametrize("draw", [data.panels, data.strips])
def test_masks_are_coloured_and_the_classes_that_occur_are_named(index, draw):
    images = np.zeros((2, 4, 4, 3), np.uint8)
    masks = np.zeros((2, 4, 4), np.uint8)
    masks[1, 0], masks[1, 1] = 2, VOID
    axes = draw({"image": images, "mask": masks}, index)
    shown = axes[1, 1].images[0].get_array()
    np.testing.assert_array_equal(shown, data.colour_mask(masks[1], index.palette))
    assert said_by(axes) == ["background", "dog", "void (ignored)"]


@pytest.mark.parametrize(("draw", "n_columns"), [(data.panels, 4), (data.strips, 3)])
def test_a_legend_of_all_classes_fits_into_the_figure(draw, n_columns):
    names = [f"{k}.png" for k in range(6)]
    voc = Index.build("images", "masks", VOC_CLASSES, names, names)
    masks = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2) % 21
    axes = draw({str(k): masks for k in range(n_columns)}, voc)
    figure = axes[0, 0].figure
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert len(legend.get_texts()) == 21
    assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
    assert figure.bbox.y0 <= box.y0 and box.y1 <= axes[-1, 0].get_window_extent().y0


def test_a_contact_sheet_has_an_outline_for_each_class_and_none_for_void(index):
    images = np.zeros((5, 6, 8, 3), np.uint8)
    masks = np.zeros((5, 6, 8), np.uint8)
    masks[0, 2:4, 2:4], masks[0, 2:4, 5:7], masks[1, 2:4, 2:4] = 1, 2, VOID
    axes = data.contact_sheet(images, masks, index, columns=3)
    assert axes.shape == (2, 3)
    assert [len(ax.images) for ax in axes.ravel()] == [1] * 5 + [0]
    assert [len(ax.collections) for ax in axes.ravel()] == [2, 0, 0, 0, 0, 0]
