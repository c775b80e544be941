"""Images that are fetched when their batch is due: files of bytes, and decoding each time."""

import pytest

from experiments.race import per_batch
from tests.support import one_pass_of, race_schedule


@pytest.fixture
def schedule(tmp_path):
    return race_schedule(tmp_path)


def test_a_stream_decodes_an_image_each_time_it_is_used(schedule):
    feed = per_batch.py_dataset(schedule)
    one_pass_of(feed, schedule.geometry)
    one_pass_of(feed, schedule.geometry)
    assert schedule.reader.decoded == 2 * schedule.geometry.n_images


def test_the_files_of_the_memmap_hold_the_bytes_of_all_images(schedule):
    per_batch.memmap(schedule)
    sizes = {path.name: path.stat().st_size for path in schedule.folder.iterdir()}
    assert sizes == {"images.raw": 16 * 32 * 32 * 3, "masks.raw": 16 * 32 * 32}


def test_each_epoch_has_another_order_and_every_row_once(schedule):
    feed = per_batch.uint8_batches(schedule)
    first = feed.order.tolist()
    feed.on_epoch_end()
    assert sorted(first) == sorted(feed.order.tolist()) == list(range(16))
    assert first != feed.order.tolist()
