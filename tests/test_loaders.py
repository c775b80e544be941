"""The contenders: same pictures, same number of steps, and how often each decodes."""

import keras
import numpy as np
import pytest
from PIL import Image

from helpers.dataset import index_voc
from helpers.images import read_block
from helpers.loaders import CONTENDERS, LOOPS, CountingReader, Schedule, contender, installed
from helpers.settings import DATA_FOLDERS

SIZE = (32, 32)
TINY = index_voc(DATA_FOLDERS["tiny"], "train")
DATA_SETS = [name for name in installed() if name not in LOOPS]
# The limit repeats a batch; the first window of a reshuffled list holds any pictures.
NOT_ONE_PASS = ("constant_batch", "sliding_subset_reshuffled")


@pytest.fixture
def schedule(tmp_path):
    return Schedule(
        TINY, tmp_path, SIZE, window=8, stride=4, n_rounds=3, epochs_per_round=2, batch_size=4
    )


class Steps(keras.callbacks.Callback):
    """Counts the steps, and ends training after as many as the schedule has."""

    def __init__(self, n_steps):
        super().__init__()
        self.n_steps, self.steps = n_steps, 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self.model.stop_training = self.steps >= self.n_steps


def one_pass(feed, schedule):
    """The images and masks of one pass, or of one epoch of a window."""
    if isinstance(feed, tuple):
        return feed
    n_batches = schedule.n_images // schedule.batch_size
    if isinstance(feed, keras.utils.PyDataset):
        feed.on_epoch_begin()
        n_batches = len(feed)
    batches = [batch for batch, _ in zip(feed, range(n_batches), strict=False)]
    images, masks = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(masks)


def sorted_by_content(images, masks):
    return sorted(
        image.tobytes() + mask.tobytes() for image, mask in zip(images, masks, strict=True)
    )


def tiny_network():
    """Float and uint8 pictures in, scores of all classes out; next to nothing to compute."""
    model = keras.Sequential([keras.Input((*SIZE, 3)), keras.layers.Conv2D(TINY.n_classes, 1)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile("sgd", loss)
    return model


def test_a_schedule_counts_what_every_method_does(schedule):
    assert schedule.n_images == 16 and len(schedule.used) == 16
    assert schedule.steps_per_round == 4 and schedule.n_steps == 12
    assert schedule.n_passes * schedule.n_images // schedule.batch_size >= schedule.n_steps
    assert [window.start for window in schedule.windows] == [0, 4, 8]
    assert schedule.window_bytes == 8 * 32 * 32 * 4


def test_a_schedule_refuses_windows_that_are_not_whole_batches(tmp_path):
    with pytest.raises(ValueError, match=r"stride of 3 are not whole batches of 4"):
        Schedule(TINY, tmp_path, SIZE, 8, 3, n_rounds=2, epochs_per_round=1, batch_size=4)
    with pytest.raises(ValueError, match="88 images, and there are 60"):
        Schedule(TINY, tmp_path, SIZE, 80, 4, n_rounds=3, epochs_per_round=1, batch_size=4)


def test_the_reader_counts_in_every_thread():
    reader = CountingReader()
    reader(TINY, [0, 1, 2], SIZE, threads=2)
    reader.count_in_graph = np.int64(4)
    assert reader.decoded == 7


@pytest.mark.parametrize("method", [name for name in DATA_SETS if name not in NOT_ONE_PASS])
def test_all_methods_give_the_same_pictures(method, schedule):
    images, masks = one_pass(contender(method)(schedule), schedule)
    n = schedule.window if CONTENDERS[method].kind == "subset" else schedule.n_images
    true_images, true_masks = read_block(TINY, range(n), SIZE)
    assert images.shape == true_images.shape and len(images) == n
    if not method.startswith("tf_data"):
        assert sorted_by_content(images.astype(np.uint8), masks) == sorted_by_content(
            true_images, true_masks
        )
        return
    # TensorFlow resizes with other roundings: masks are equal, pixels nearly.
    order = [[mask.tobytes() for mask in masks].index(mask.tobytes()) for mask in true_masks]
    assert sorted(order) == list(range(n))
    assert np.abs(images[order].astype(int) - true_images).mean() < 2


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
def test_what_lies_in_memory_has_the_dtype_it_is_named_for(dtype, schedule):
    images, _ = contender(f"{dtype}_in_memory")(schedule)
    assert images.dtype == dtype and images.nbytes == 16 * 32 * 32 * 3 * images.itemsize


def test_the_limit_is_one_batch_again_and_again(schedule):
    batches = list(contender("constant_batch")(schedule))
    assert len(batches) == 2 and schedule.reader.decoded == schedule.batch_size
    assert np.array_equal(batches[0][0], batches[1][0])


@pytest.mark.parametrize(
    ("method", "decoded"),
    [
        ("sliding_subset", 16),  # each image once
        ("sliding_subset_waiting", 16),
        ("sliding_subset_reshuffled", 8 + 5 * 4),  # six rounds of one epoch
        ("article_as_meant", 3 * 8),  # each window anew
        ("article_as_written", 16),  # all images stay in memory
        ("uint8_in_memory", 16),
        ("uint8_batches", 16),
        ("memmap", 16),
        ("tf_data_cached", 16),
        ("train_on_batch", 4),
    ],
)
def test_all_take_the_same_steps_and_decode_as_often_as_they_say(method, decoded, schedule):
    clock, model = Steps(schedule.n_steps), tiny_network()
    if method in LOOPS:
        contender(method)(schedule, model, [clock])
    else:
        feed = contender(method)(schedule)
        arguments = {"x": feed[0], "y": feed[1]} if isinstance(feed, tuple) else {"x": feed}
        model.fit(**arguments, batch_size=4 if "y" in arguments else None, epochs=6, verbose=0,
                  shuffle=False, callbacks=[clock])  # fmt: skip
    assert clock.steps == schedule.n_steps
    assert schedule.reader.decoded == decoded


@pytest.mark.parametrize("method", ["tf_data", "py_dataset"])
def test_streams_decode_a_picture_each_time_it_is_used(method, schedule):
    feed = contender(method)(schedule)
    one_pass(feed, schedule)
    one_pass(feed, schedule)
    assert schedule.reader.decoded == 2 * schedule.n_images


def test_the_files_of_the_memmap_hold_the_bytes_of_all_pictures(schedule):
    contender("memmap")(schedule)
    sizes = {path.name: path.stat().st_size for path in schedule.folder.iterdir()}
    assert sizes == {"images.raw": 16 * 32 * 32 * 3, "masks.raw": 16 * 32 * 32}


def test_tf_data_refuses_masks_whose_colours_are_not_vocs(schedule, voc_folder, tmp_path):
    root = voc_folder(8)
    for path in (root / "SegmentationClass").iterdir():
        with Image.open(path) as mask:
            Image.fromarray(np.asarray(mask)).save(path)  # class ids as grey values
    grey = Schedule(index_voc(root), tmp_path, SIZE, 4, 4, 1, 1, batch_size=4)
    with pytest.raises(ValueError, match="not a palette PNG with VOC's colours"):
        contender("tf_data")(grey)


def test_a_name_that_is_no_loader_is_refused():
    with pytest.raises(ValueError, match=r"'tf\.data' is not a loader; there are: constant_batch"):
        contender("tf.data")
