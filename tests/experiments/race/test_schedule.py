"""What every loader of a race is given: the same images, windows and steps."""

import numpy as np
import pytest

from experiments.race.schedule import CountingReader, Schedule
from helpers.windows import Geometry
from tests.support import race_schedule

SIZE = (32, 32)


def test_a_schedule_counts_what_every_method_does(tmp_path):
    schedule = race_schedule(tmp_path)
    geometry = schedule.geometry
    assert geometry.n_images == 16 and len(schedule.used) == 16 < len(schedule.index)
    assert geometry.steps_per_round == 4 and geometry.n_steps == 12
    assert schedule.n_passes * geometry.n_images // geometry.batch_size >= geometry.n_steps
    assert [window.start for window in geometry.windows] == [0, 4, 8]


def test_a_schedule_refuses_windows_that_are_not_whole_batches(tmp_path):
    index = race_schedule(tmp_path).index
    with pytest.raises(ValueError, match=r"stride of 3 are not whole batches of 4"):
        Schedule(index, tmp_path, Geometry(11, 8, 3, SIZE, batch_size=4, passes=1))
    with pytest.raises(ValueError, match="88 images, and there are 60"):
        Schedule(index, tmp_path, Geometry(88, 80, 4, SIZE, batch_size=4, passes=1))


def test_the_reader_counts_in_every_thread(tmp_path):
    index, reader = race_schedule(tmp_path).index, CountingReader()
    reader(index, [0, 1, 2], SIZE, threads=2)
    reader.count_in_graph = np.int64(4)
    assert reader.decoded == 7


def test_what_a_schedule_reads_is_counted_and_its_own(tmp_path):
    schedule, another = race_schedule(tmp_path), race_schedule(tmp_path)
    images, masks = schedule.read(range(3))
    assert images.shape == (3, *SIZE, 3) and masks.shape == (3, *SIZE)
    assert (schedule.reader.decoded, another.reader.decoded) == (3, 0)


def test_one_row_is_read_as_in_a_block_and_counted(tmp_path):
    schedule = race_schedule(tmp_path)
    images, masks = schedule.read([3])
    image, mask = schedule.read_one(3)
    assert np.array_equal(image, images[0]) and np.array_equal(mask, masks[0])
    assert schedule.reader.decoded == 2
