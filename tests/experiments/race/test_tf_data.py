"""`tf.data` from paths: decoding each time, the budget of its tuning, masks that it can read."""

import numpy as np
import pytest
from PIL import Image

from experiments.race import tf_data
from experiments.race.schedule import Schedule
from helpers.data import index_voc
from helpers.windows import Geometry
from tests.support import one_pass_of, race_schedule


@pytest.fixture
def schedule(tmp_path):
    return race_schedule(tmp_path)


def test_a_stream_decodes_an_image_each_time_it_is_used(schedule):
    feed = tf_data.tf_data(schedule)
    one_pass_of(feed, schedule.geometry)
    one_pass_of(feed, schedule.geometry)
    assert schedule.reader.decoded == 2 * schedule.geometry.n_images


def test_the_budget_of_the_tuning_is_one_window(schedule):
    options = tf_data.tf_data_ram_budget(schedule).options()
    assert options.autotune.enabled and options.autotune.ram_budget == 8 * 32 * 32 * 4


def test_masks_whose_colours_are_not_vocs_are_refused(voc_folder, tmp_path):
    root = voc_folder(8)
    for path in (root / "SegmentationClass").iterdir():
        with Image.open(path) as mask:
            Image.fromarray(np.asarray(mask)).save(path)  # class ids as grey values
    geometry = Geometry(n_images=4, window=4, stride=4, size=(32, 32), batch_size=4, passes=1)
    grey = Schedule(index_voc(root), tmp_path, geometry)
    with pytest.raises(ValueError, match="not a palette PNG with VOC's colours"):
        tf_data.tf_data(grey)
