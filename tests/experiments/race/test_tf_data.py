"""`tf.data` from paths: masks that it cannot read. What it gives is in `test_loaders.py`."""

import numpy as np
import pytest
from PIL import Image

from experiments.race import tf_data
from experiments.race.schedule import Schedule
from helpers.data import index_voc
from helpers.windows import Geometry


def test_masks_whose_colours_are_not_vocs_are_refused(voc_folder, tmp_path):
    root = voc_folder(8)
    for path in (root / "SegmentationClass").iterdir():
        with Image.open(path) as mask:
            Image.fromarray(np.asarray(mask)).save(path)  # class ids as grey values
    geometry = Geometry(n_images=4, window=4, stride=4, size=(32, 32), batch_size=4, passes=1)
    grey = Schedule(index_voc(root), tmp_path, geometry)
    with pytest.raises(ValueError, match="not a palette PNG with VOC's colours"):
        tf_data.tf_data(grey)
