"""Ways to turn a JPEG file into uint8 (h, w, 3) of a given size, for tools/bench_decoders.py.

Each is a function of a path and `size`, (height, width). TensorFlow and OpenCV get one thread of
their own, so that the threads compared are Python's, as in `read_block`. Only Pillow and OpenCV
follow the EXIF orientation; simplejpeg refuses CMYK.
"""

import os
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.images import image_size, read_image
from helpers.pixels import image_array


def pillow_draft(path, size):
    """Pillow, the JPEG decoder halving the picture while it stays at least as large as `size`."""
    with Image.open(path) as picture:
        picture.draft("RGB", size[::-1])
        return image_array(picture, path, size)


def tensorflow(path, size):
    """TensorFlow as its users call it, so with its fast, less exact DCT. Antialiased as Pillow
    does it; `tf.image.resize` gives float32, rounded to uint8 here."""
    tf = _tensorflow()
    pixels = tf.io.decode_jpeg(tf.io.read_file(str(path)), channels=3)
    pixels = tf.round(tf.image.resize(pixels, size, antialias=True))
    return tf.cast(tf.clip_by_value(pixels, 0, 255), tf.uint8).numpy()


def simplejpeg(path, size):
    """libjpeg-turbo without Pillow around it; Pillow resizes."""
    return _simplejpeg(path, size)


def simplejpeg_scaled(path, size):
    """The same, decoded to the smallest of libjpeg-turbo's sizes that is large enough."""
    return _simplejpeg(path, size, min_height=size[0], min_width=size[1])


def opencv(path, size):
    """OpenCV, resized by averaging areas (INTER_AREA)."""
    return _opencv(path, size, "IMREAD_COLOR")


def opencv_half(path, size):
    """The same, decoded at half the size where the picture is at least twice as large."""
    fits = shrinkage(path, size) >= 2
    return _opencv(path, size, "IMREAD_REDUCED_COLOR_2" if fits else "IMREAD_COLOR")


METHODS = {  # name: (function, module it needs)
    "Pillow": (read_image, "PIL"),
    "Pillow draft": (pillow_draft, "PIL"),
    "TensorFlow": (tensorflow, "tensorflow"),
    "simplejpeg": (simplejpeg, "simplejpeg"),
    "simplejpeg scaled": (simplejpeg_scaled, "simplejpeg"),
    "OpenCV": (opencv, "cv2"),
    "OpenCV half": (opencv_half, "cv2"),
}


def shrinkage(path, size):
    """How many times larger than `size` a picture is, in the direction where that is less."""
    height, width = image_size(path)
    return min(height / size[0], width / size[1])


@cache
def _tensorflow():
    import helpers.quiet  # noqa: F401

    # Read when TensorFlow first computes.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    import tensorflow

    return tensorflow


@cache
def _cv2():
    import cv2

    cv2.setNumThreads(1)
    return cv2


def _simplejpeg(path, size, **scaled):
    import simplejpeg

    pixels = simplejpeg.decode_jpeg(Path(path).read_bytes(), "RGB", **scaled)
    picture = Image.fromarray(pixels)
    if picture.size != size[::-1]:
        picture = picture.resize(size[::-1], Image.Resampling.BILINEAR)
    return np.array(picture)


def _opencv(path, size, flag):
    cv2 = _cv2()
    pixels = cv2.cvtColor(cv2.imread(str(path), getattr(cv2, flag)), cv2.COLOR_BGR2RGB)
    return cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
