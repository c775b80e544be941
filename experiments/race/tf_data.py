"""`tf.data`, which streams from paths. TensorFlow is named here because it is the subject."""

import numpy as np
import tensorflow as tf
from PIL import Image

from experiments.race.schedule import Schedule
from helpers.data import VOID, voc_palette


def tf_data(schedule: Schedule):
    """From paths: https://www.tensorflow.org/guide/data_performance"""
    # A buffer of all paths costs next to nothing; a buffer of all images is the data set.
    paths = _paths(schedule).shuffle(schedule.geometry.n_images, seed=schedule.geometry.seed)
    images = paths.map(_tf_decoder(schedule), num_parallel_calls=tf.data.AUTOTUNE)
    batches = images.batch(schedule.geometry.batch_size).repeat()
    return batches.prefetch(tf.data.AUTOTUNE)


def tf_data_cached(schedule: Schedule):
    """Decoded once into a file; shuffled in a buffer as large as one of our windows."""
    decoded = _paths(schedule).map(_tf_decoder(schedule), num_parallel_calls=tf.data.AUTOTUNE)
    cached = decoded.cache(str(schedule.folder / "cache"))
    shuffled = cached.shuffle(schedule.geometry.window, seed=schedule.geometry.seed)
    batches = shuffled.batch(schedule.geometry.batch_size).repeat()
    return batches.prefetch(tf.data.AUTOTUNE)


def decode_all(schedule: Schedule) -> None:
    """Decode each image once, on all cores, and do nothing with it."""
    decoded = _paths(schedule).map(_tf_decoder(schedule), num_parallel_calls=tf.data.AUTOTUNE)
    for _ in decoded.batch(schedule.geometry.batch_size):
        pass


def _paths(schedule):
    pairs = [(str(pair.image), str(pair.mask)) for pair in schedule.used]
    return tf.data.Dataset.from_tensor_slices(pairs)


def _tf_decoder(schedule):
    """A function of one (image path, mask path) tensor, which TensorFlow runs without Python."""
    _refuse_other_masks(schedule.index[0].mask)
    # TensorFlow turns a palette PNG into colours (its grey is a luminance, not the class id).
    # The top three bits of each channel tell VOC's 256 colours apart.
    ids = np.zeros(512, np.uint8)
    ids[voc_palette() // 32 @ np.array([64, 8, 1])] = np.arange(VOID + 1)
    ids = tf.constant(ids)
    schedule.reader.count_in_graph = tf.Variable(0, dtype=tf.int64)

    def decode(pair):
        schedule.reader.count_in_graph.assign_add(1)
        image = tf.io.decode_jpeg(tf.io.read_file(pair[0]), channels=3)
        image = tf.image.resize(image, schedule.geometry.size, antialias=True)
        image = tf.cast(tf.round(image), tf.uint8)
        colours = tf.io.decode_png(tf.io.read_file(pair[1]), channels=3)
        colours = tf.image.resize(colours, schedule.geometry.size, method="nearest")
        codes = tf.reduce_sum(tf.cast(colours // 32, tf.int32) * [64, 8, 1], axis=-1)
        return image, tf.gather(ids, codes)

    return decode


def _refuse_other_masks(path):
    with Image.open(path) as mask:
        colours = mask.getpalette() if mask.mode == "P" else []
    if colours[:63] != voc_palette()[:21].ravel().tolist():
        raise ValueError(
            f"{path} is not a palette PNG with VOC's colours, so TensorFlow cannot tell its class "
            "ids. Leave the tf.data methods out."
        )
