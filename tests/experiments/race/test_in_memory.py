"""What stays in memory: its type and its bytes. What it trains on is in `test_loaders.py`."""

from types import SimpleNamespace

import pytest

from experiments.race import in_memory
from tests.support import race_schedule


@pytest.fixture
def schedule(tmp_path):
    return race_schedule(tmp_path)


def test_everything_lies_in_memory_as_float64(schedule):
    images, _ = in_memory.float64_in_memory(schedule)
    assert images.dtype == "float64" and images.nbytes == 16 * 32 * 32 * 3 * 8


class Rounds:
    """Stands in for a network: notes how it is compiled, and what each `fit` is given."""

    def __init__(self):
        self.compiled, self.fits = 0, []

    def compile(self, *choices, **options):
        self.compiled += 1

    def fit(self, images, targets, **options):
        self.fits.append((len(images), images.dtype, targets.dtype, targets.ndim, options))
        return SimpleNamespace(history={})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "targets", "compiled"),
    [("article_as_written", ("float64", 4), 3), ("article_as_meant", ("uint8", 3), 0)],
)
def test_the_article_trains_each_window_without_validation(method, targets, compiled, schedule):
    model = Rounds()
    getattr(in_memory, method)(schedule, model, ["a callback"])
    assert model.compiled == compiled and len(model.fits) == 3
    for n_images, images, *given, options in model.fits:
        assert (n_images, images, tuple(given)) == (8, "uint8", targets)
        assert (options["epochs"], options["batch_size"]) == (2, 4)
        assert options["validation_data"] is None and options["callbacks"] == ["a callback"]


def test_the_ring_buffer_holds_a_window_and_a_stride(schedule):
    with in_memory.sliding_subset(schedule) as subset:
        assert subset.nbytes == (8 + 4) * 32 * 32 * 4


def test_over_a_reshuffled_list_each_window_serves_for_one_pass(schedule):
    with in_memory.sliding_subset_reshuffled(schedule) as subset:
        geometry = subset.geometry
        assert (geometry.passes, geometry.n_rounds) == (1, 6)
        assert geometry.n_steps == schedule.geometry.n_steps
        names = subset.index.images
    assert len(names) == 8 + 5 * 4
    assert set(names[:16].tolist()) == set(schedule.used.images.tolist())
