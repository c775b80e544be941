"""The claim of the whole workshop as a measurement: memory beside the number of images.

However long the list, one window of it takes the same memory; arrays of everything take more with
every image. Names repeat where the data have fewer images: what is read is read anew each time.
"""

import numpy as np

from helpers.data import read_block
from helpers.memory import peak_rss, rebase
from helpers.units import MIB
from helpers.windows import Geometry, SlidingSubset
from helpers.workshop import Workshop

LENGTHS = (1_000, 2_500, 5_000, 10_000, 20_000)
WINDOW, STRIDE, SIZE, BATCH = 200, 20, (224, 224), 20
WAYS = {"array": "all images in arrays of bytes", "window": "a window of 200 over the list"}


def hold(workshop: Workshop, way: str, n_images: int) -> dict:
    """Read a list of `n_images` in one of the `WAYS`; for a fresh process.

    Returns a table of one row: `peak_mib`, the highest memory over the base in MiB (the base is
    what the process held after a first reading of a few images), `arrays_mib`, what of it is
    arrays, and `decoded_images`.
    """
    index = workshop.train[np.arange(n_images) % len(workshop.train)]
    read_block(index, range(2 * BATCH), SIZE)  # the first reading starts the threads
    base = rebase()
    if way == "array":
        arrays = read_block(index, range(n_images), SIZE)
        n_bytes, decoded = sum(array.nbytes for array in arrays), n_images
    else:
        geometry = Geometry(n_images, WINDOW, STRIDE, SIZE, BATCH, passes=1)
        with SlidingSubset(index, geometry) as subset:
            for step in range(len(subset)):
                subset[step]
            n_bytes, decoded = subset.nbytes, subset.decoded
    row = {"peak_mib": (peak_rss() - base) / MIB, "arrays_mib": n_bytes / MIB}
    return {"rows": [row | {"decoded_images": decoded}]}
