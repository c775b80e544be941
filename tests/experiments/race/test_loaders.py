"""The loaders: same images, same number of steps, and how often each decodes."""

from importlib.util import find_spec
from itertools import islice

import keras
import numpy as np
import pytest

from experiments.race.loaders import ARRAYS, LOADERS, LOOPS, NEED, NOT_ALONE, installed, loader
from experiments.race.measure import _batches, _close, _fit
from experiments.race.step_clock import StepClock
from helpers.data import read_block
from helpers.windows import times_seen
from tests.support import race_schedule


@pytest.fixture
def schedule(tmp_path):
    return race_schedule(tmp_path)


class Recorder(keras.Model):
    """Trains nothing, and keeps the images and the class ids of each step."""

    def __init__(self):
        super().__init__()
        self.images, self.ids = [], []
        self.compile()

    def compile(self, *choices, **options):
        super().compile(run_eagerly=True)

    def train_step(self, data):
        images, masks = map(np.asarray, data[:2])
        if masks.ndim == 4:  # one-hot, void is zero in every class
            masks = np.where(masks.any(axis=-1), masks.argmax(axis=-1), 255)
        self.images.append(images.astype(np.uint8))
        self.ids.append(masks.astype(np.uint8))
        return {"loss": 0.0}


DECODED = {
    "constant_batch": 4,
    "constant_batch_again": 4,
    "float64_in_memory": 16,
    "uint8_batches": 16,
    "article_as_written": 16,  # all images stay in memory
    "article_as_meant": 3 * 8,  # each window anew
    "sliding_subset": 16,  # each image once
    "sliding_subset_reshuffled": 8 + 5 * 4,  # six rounds of one pass
    "tf_data": 48,
    "tf_data_index_shuffle": 48,
    "tf_data_pillow": 48,
    "tf_data_echo": 16,  # each image three times
    "tf_data_window_cache": 3 * 8,  # each window anew
    "tf_data_in_memory": 16,
    "tf_data_cached": 16,
    "py_dataset": 48,
    "py_dataset_all_cores": 48,
    "py_dataset_workers": 48,
    "memmap": 16,
    "grain": 48,
    "grain_default": 48,
}
# They decode each use, and ahead of it: Keras' own prefetch grew to 8 batches here, Grain's adds 6,
# and its workers keep 10 in a queue while they read 10 more.
AHEAD = {"grain_default": 500 * 4, "py_dataset_workers": 36 * 4} | dict.fromkeys(
    ("tf_data", "tf_data_index_shuffle", "tf_data_pillow", "tf_data_echo", "tf_data_window_cache",
     "py_dataset", "py_dataset_all_cores", "grain"),
    16 * 4,
)  # fmt: skip
NEEDED = {
    name: [pytest.mark.skipif(not find_spec(package), reason=f"{package} is optional")]
    for name, package in NEED.items()
}
ALL = [pytest.param(method, marks=NEEDED.get(method, [])) for method in LOADERS]


# PyTorch's and MONAI's have tests of their own, in test_torch_loaders.py.
@pytest.mark.slow
@pytest.mark.parametrize("method", [one for one in ALL if one.values[0] in DECODED])
def test_all_take_the_same_steps_over_the_same_images_and_decode_as_they_say(method, schedule):
    geometry, model = schedule.geometry, Recorder()
    _fit(method, schedule, model, StepClock(geometry))
    assert [len(images) for images in model.images] == [4] * geometry.n_steps == [4] * 12
    decoded = schedule.reader.decoded
    assert DECODED[method] <= decoded <= DECODED[method] + AHEAD.get(method, 0)

    images, masks = read_block(schedule.index, range(16), geometry.size)
    row_of = {mask.tobytes(): row for row, mask in enumerate(masks)}
    rows = [row_of[ids.tobytes()] for batch in model.ids for ids in batch]
    apart = np.abs(np.concatenate(model.images).astype(int) - images[rows])
    # TensorFlow resizes with other roundings: its masks are equal, pixels nearly.
    by_tensorflow = method.startswith("tf_data") and method != "tf_data_pillow"
    assert apart.mean() < 2 if by_tensorflow else not apart.any()
    shown = np.bincount(rows, minlength=16)
    if LOADERS[method].kind == "limit":
        assert shown.tolist() == [12] * 4 + [0] * 12
    elif method in ("sliding_subset_reshuffled", "tf_data_echo"):
        assert shown.min() >= 1  # which images come more often, chance decides
    elif LOADERS[method].kind == "subset":
        assert shown.tolist() == (2 * times_seen(16, geometry.windows)).tolist()
    else:
        assert set(shown) == {3}


@pytest.mark.parametrize("method", [one for one in ALL if one.values[0] not in {*ARRAYS, *LOOPS}])
def test_one_iterator_gives_more_steps_than_there_are(method, schedule):
    feed = loader(method)(schedule)
    n_steps = schedule.geometry.n_steps + 1
    assert sum(1 for _ in islice(_batches(feed), n_steps)) == n_steps
    _close(feed)


def test_each_has_a_label_of_its_own_and_those_that_are_no_data_set_are_named():
    labels = [chosen.label for chosen in LOADERS.values()]
    assert len(set(labels)) == len(labels) == 23
    assert {*NOT_ALONE} < set(LOADERS)


def test_what_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr("experiments.race.loaders.find_spec", lambda name: None)
    assert set(LOADERS) - set(installed()) == {*NEED}


def test_a_name_that_is_no_loader_is_refused():
    with pytest.raises(ValueError, match=r"'tf\.data' is not a loader; there are: constant_batch"):
        loader("tf.data")
