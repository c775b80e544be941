"""`tf.data`, which streams from paths. TensorFlow is named here because it is the subject."""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from experiments.race.schedule import Schedule
from helpers.data import VOID, Pair, read_pair, voc_palette


def tf_data(schedule: Schedule):
    """From paths: https://www.tensorflow.org/guide/data_performance"""
    return _streamed(schedule, tf_decoder(schedule))


def tf_data_cached(schedule: Schedule):
    """Decoded once into a file; shuffled in a buffer as large as one of our windows."""
    decoded = _paths(schedule).map(tf_decoder(schedule), num_parallel_calls=tf.data.AUTOTUNE)
    cached = decoded.cache(str(schedule.folder / "cache"))
    shuffled = cached.shuffle(schedule.geometry.window, seed=schedule.geometry.seed)
    batches = shuffled.batch(schedule.geometry.batch_size).repeat()
    return batches.prefetch(tf.data.AUTOTUNE)


def tf_data_in_memory(schedule: Schedule):
    """Decoded once into memory by `.cache()`, then shuffled whole: everything stays there."""
    decoded = _paths(schedule).map(tf_decoder(schedule), num_parallel_calls=tf.data.AUTOTUNE)
    shuffled = decoded.cache().shuffle(schedule.geometry.n_images, seed=schedule.geometry.seed)
    batches = shuffled.batch(schedule.geometry.batch_size).repeat()
    return batches.prefetch(tf.data.AUTOTUNE)


def tf_data_index_shuffle(schedule: Schedule):
    """A perfect shuffle without any buffer: a step's place in its pass is turned into a row.

    https://www.tensorflow.org/api_docs/python/tf/random/experimental/index_shuffle
    """
    pairs = tf.constant([(str(pair.image), str(pair.mask)) for pair in schedule.used])
    n, seed = schedule.geometry.n_images, schedule.geometry.seed

    def pair(step):
        of_pass = tf.stack([tf.cast(seed, tf.int64), step // n])  # another order in each pass
        return tf.gather(pairs, tf.random.experimental.index_shuffle(step % n, of_pass, n - 1))

    paths = tf.data.Dataset.counter().map(pair)
    images = paths.map(tf_decoder(schedule), num_parallel_calls=tf.data.AUTOTUNE)
    return images.batch(schedule.geometry.batch_size).prefetch(tf.data.AUTOTUNE)


def tf_data_pillow(schedule: Schedule):
    """The same pipeline as `tf_data` with our decoder: what is the pipeline's, what Pillow's?"""
    return _streamed(schedule, pillow_decoder(schedule))


def _streamed(schedule, decode):
    # A buffer of all paths costs next to nothing; a buffer of all images is the data set.
    paths = _paths(schedule).shuffle(schedule.geometry.n_images, seed=schedule.geometry.seed)
    images = paths.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    batches = images.batch(schedule.geometry.batch_size).repeat()
    return batches.prefetch(tf.data.AUTOTUNE)


def tf_data_echo(schedule: Schedule):
    """Data echoing: each decoded image is used as often as our windows use one, in the mean.

    Shuffled behind that in a buffer as large as a window: https://arxiv.org/abs/1907.05550
    """
    geometry, window = schedule.geometry, schedule.geometry.window
    uses = round(geometry.n_steps * geometry.batch_size / geometry.n_images)
    paths = _paths(schedule).shuffle(schedule.geometry.n_images, seed=schedule.geometry.seed)
    images = paths.repeat().map(tf_decoder(schedule), num_parallel_calls=tf.data.AUTOTUNE)
    echoed = images.flat_map(
        lambda image, mask: tf.data.Dataset.from_tensors((image, mask)).repeat(uses)
    )
    batches = echoed.shuffle(window, seed=schedule.geometry.seed)
    return batches.batch(schedule.geometry.batch_size).prefetch(tf.data.AUTOTUNE)


def tf_data_window_cache(schedule: Schedule):
    """The article's windows, each in a memory cache of its own while its passes last."""
    geometry, decode = schedule.geometry, tf_decoder(schedule)
    paths, rounds = _paths(schedule), []
    for window in geometry.windows:
        of_window = paths.skip(window.start).take(geometry.window)
        cached = of_window.map(decode, num_parallel_calls=tf.data.AUTOTUNE).cache()
        shuffled = cached.shuffle(geometry.window, seed=geometry.seed).repeat(geometry.passes)
        rounds.append(shuffled.batch(geometry.batch_size))
    batches = rounds[0]
    for following in rounds[1:]:
        batches = batches.concatenate(following)
    return batches.repeat().prefetch(tf.data.AUTOTUNE)


def decoding(schedule: Schedule):
    """Decode image after image on all cores, and do nothing with them; gives how many, by batches.

    One pipeline without end: a new one would begin to tune itself anew.
    """
    paths = _paths(schedule).repeat()
    decoded = paths.map(tf_decoder(schedule), num_parallel_calls=tf.data.AUTOTUNE)
    for images, _ in decoded.batch(schedule.geometry.batch_size):
        yield len(images)


def _paths(schedule):
    pairs = [(str(pair.image), str(pair.mask)) for pair in schedule.used]
    return tf.data.Dataset.from_tensor_slices(pairs)


def tf_decoder(schedule):
    """A function of one (image path, mask path) tensor, which TensorFlow runs without Python.

    Where the files are not what TensorFlow decodes as we do (JPEG and PNG of 8 bits a channel, PNG
    masks, which the first pair stands for), Pillow does it, called back from the graph.
    """
    index, size = schedule.used, schedule.geometry.size
    schedule.reader.count_in_graph = tf.Variable(0, dtype=tf.int64)
    colours = _colours_of_ids(index)
    if colours is None:
        return pillow_decoder(schedule)
    channels = 1 if len(colours) == 0 else 3
    codes, ids = _by_code(colours)

    def decode(pair):
        schedule.reader.count_in_graph.assign_add(1)
        image = tf.io.decode_jpeg(tf.io.read_file(pair[0]), channels=3)  # a PNG as well
        image = tf.image.resize(image, size, antialias=True)
        image = tf.cast(tf.round(image), tf.uint8)
        mask = tf.io.decode_png(tf.io.read_file(pair[1]), channels=channels)
        mask = tf.image.resize(mask, size, method="nearest")
        if channels == 1:
            return image, mask[..., 0]
        found = tf.reduce_sum(tf.cast(mask, tf.int32) * [65536, 256, 1], axis=-1)
        place = tf.minimum(tf.searchsorted(codes, tf.reshape(found, [-1])), len(codes) - 1)
        return image, tf.reshape(tf.gather(ids, place), size)

    return decode


def _colours_of_ids(index):
    """{class id: colour} as TensorFlow shows a mask; empty for grey ids; None: not for TensorFlow.

    TensorFlow turns a palette PNG into colours, so the palette is read from the first mask.
    """
    if not {pair.image.suffix.lower() for pair in index} <= {".jpg", ".jpeg", ".png"}:
        return None
    pair = index[0]
    with Image.open(pair.image) as image, Image.open(pair.mask) as mask:
        as_bytes = image.format in ("JPEG", "PNG") and image.mode in ("RGB", "L")
        if not as_bytes or mask.format != "PNG" or mask.mode not in ("L", "P", "RGB"):
            return None
        if mask.mode == "L":
            return {}
        palette = index.palette
        if mask.mode == "P":
            palette = np.array(mask.getpalette()).reshape(-1, 3)
    known = [one for one in (*range(index.n_classes), VOID) if one < len(palette)]
    colours = {one: tuple(palette[one]) for one in known} | (
        {VOID: tuple(voc_palette()[VOID])} if mask.mode == "RGB" else {}
    )
    return colours if len(set(colours.values())) == len(colours) else None


def _by_code(colours):
    """(colours as one number each, int32 in rising order; their class ids, uint8)."""
    code_of = {int(np.dot(colour, [65536, 256, 1])): one for one, colour in colours.items()}
    codes = sorted(code_of)
    return np.array(codes, np.int32), np.array([code_of[code] for code in codes], np.uint8)


def pillow_decoder(schedule):
    """The same function by Pillow, which needs Python for each image."""
    index, size = schedule.index, schedule.geometry.size

    def read(pair):
        image, mask = map(os.fsdecode, pair)
        schedule.reader.add(1)
        return read_pair(
            Pair("", Path(image), Path(mask)), size, index.n_classes, index.palette,
            levels=index.levels,
        )  # fmt: skip

    def decode(pair):
        image, mask = tf.numpy_function(read, [pair], (tf.uint8, tf.uint8))
        return tf.ensure_shape(image, (*size, 3)), tf.ensure_shape(mask, size)

    return decode
