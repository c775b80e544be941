"""Memory beside the number of images: what is read, and that a window does not grow."""

import pytest

from experiments.race import list_length
from experiments.race.list_length import hold
from helpers.memory import measure_peak
from tests.support import tiny_workshop


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(list_length, "SIZE", (16, 16))


@pytest.mark.parametrize(("way", "images"), [("array", 260), ("window", 220)])
def test_every_image_of_the_list_is_read_once(way, images):
    (row,) = hold(tiny_workshop(), way, 260)["rows"]
    assert row["decoded_images"] == 260
    assert row["arrays_mib"] == pytest.approx(images * 16 * 16 * 4 / 2**20)


@pytest.mark.slow
def test_arrays_grow_with_the_list_and_a_window_does_not():
    def at_full_size(way, n_images):
        (row,) = measure_peak(hold, tiny_workshop(), way, n_images).value["rows"]
        return row["peak_mib"]

    longer = 400 * 224 * 224 * 4 / 2**20  # 77 MiB
    assert at_full_size("array", 600) - at_full_size("array", 200) > 0.8 * longer
    assert abs(at_full_size("window", 600) - at_full_size("window", 200)) < 0.4 * longer
