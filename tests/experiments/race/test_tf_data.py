"""`tf.data` from paths: what TensorFlow decodes by itself, and what Pillow does for it.

What the loaders give is in `test_loaders.py`.
"""

import numpy as np
import pytest
from PIL import Image

from experiments.race import tf_data
from experiments.race.schedule import Schedule
from helpers.data import VOC_CLASSES, index_folder, voc_palette
from helpers.windows import Geometry
from tests.support import palette_mask, save_image

GEOMETRY = Geometry(n_images=4, window=4, stride=4, size=(32, 32), batch_size=4, passes=1)


def grey(path, ids):
    return save_image(path, ids)


def coloured(path, ids):
    return save_image(path, voc_palette()[ids])


def other_palette(path, ids):
    image = Image.fromarray(ids)
    image.putpalette([(7 * k + shift) % 256 for k in range(256) for shift in (0, 85, 170)])
    return save_image(path, image)


@pytest.mark.parametrize("save", [palette_mask, grey, coloured, other_palette])
@pytest.mark.parametrize(
    ("suffixes", "by_tensorflow"),
    [([".jpg"], True), ([".png"], True), ([".tif"], False), ([".JPG", ".png", ".bmp"], False)],
)
def test_ids_come_back_from_any_kind_of_mask(save, suffixes, by_tensorflow, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    masks = []
    for k in range(4):
        ids = rng.integers(0, 21, (40, 40)).astype(np.uint8)
        ids[:9] = 255
        masks.append(ids)
        save(tmp_path / "masks" / f"{k}.png", ids)
        pixels = np.full((40, 40, 3), 50 * k, np.uint8)
        save_image(tmp_path / "images" / f"{k}{suffixes[k % len(suffixes)]}", pixels)
    index = index_folder(tmp_path / "images", tmp_path / "masks", VOC_CLASSES)
    schedule = Schedule(index, tmp_path, GEOMETRY)
    images, found = next(iter(tf_data.tf_data(schedule)))
    rows = (np.asarray(images)[:, 0, 0, 0] + 25) // 50
    for row, mask in zip(rows, np.asarray(found), strict=True):
        expected = index.read(int(row), (32, 32))[1]
        # The two take a pixel's nearest neighbour at other places; ids they share.
        assert mask.shape == expected.shape and {*np.unique(mask)} <= {*np.unique(masks[row])}
        assert np.array_equal(mask[:7], expected[:7])
    assert sorted(rows) == [0, 1, 2, 3]
    assert (int(schedule.reader.count_in_graph) > 0) == by_tensorflow
    assert schedule.reader.decoded >= 4
