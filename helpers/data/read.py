"""Images and masks from disk into uint8 arrays, one pair or a block of pairs in threads.

Sizes are `(height, width)` as in array shapes. Images become what a viewer shows; masks stay
class ids, with 255 for void.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from .pixels import image_array, mask_array, naming

TURNED = {5, 6, 7, 8}  # EXIF orientations that swap height and width
ORIENTATION = 0x0112
CALLS_AT_ONCE = 256
BAR_AFTER_S = 1


def read_image(path, size=None, levels=None):
    """An image as uint8 (h, w, 3), resized to `size` (bilinear, antialiased) when given.

    Grey, palette, CMYK and 16-bit images become 8-bit RGB, transparent ones lie on white, and
    the EXIF orientation is followed. `levels` are the values (black, white) of grey images of more
    than 8 bits, None for 0 and 65,535: a camera of 12 bits ends at 4,095. Raises OSError naming a
    file that cannot be decoded, or of which something would be lost: a stack, 16 bits a colour.

    Notebook 01, "What is in front of us".
    """
    with _opened(path) as image:
        return image_array(image, path, size, levels)


def read_mask(path, size=None, n_classes=None, palette=None):
    """A mask as uint8 (h, w) of class ids, resized to `size` with nearest neighbours only: any
    other filter would mix ids and so invent classes.

    Palette, grey and 1-bit files hold the ids themselves. The colours of an RGB file are looked
    up in `palette`, uint8 (n, 3); VOC's void colour (224, 224, 192) becomes 255. Raises OSError
    naming a file that cannot be decoded; ValueError naming the file and the first unknown
    colour, or the ids from `n_classes` on (255 excepted).

    Notebook 01, "What is in front of us".
    """
    with _opened(path) as image:
        return mask_array(image, path, size, n_classes, palette)


def read_pair(pair, size=None, n_classes=None, palette=None, native_mask=False, levels=None):
    """(image uint8 (h, w, 3), mask uint8 (h, w)) of a `Pair`; see `read_image`, `read_mask`.

    Its two files may be open ones as well, such as those of a remote file system. With
    `native_mask=True` only the image is resized to `size`; the mask keeps its size on disk.
    Raises ValueError naming both files when their sizes on disk differ.
    """
    with _opened(pair.image) as opened, _opened(pair.mask) as opened_mask:
        shown, masked = _shown_size(opened), _shown_size(opened_mask)
        if shown != masked:
            raise ValueError(
                f"{pair.image} is {shown[0]}x{shown[1]} (height x width, as displayed) but its "
                f"mask {pair.mask} is {masked[0]}x{masked[1]}. Give both the same size."
            )
        image = image_array(opened, pair.image, size, levels)
        mask_size = None if native_mask else size
        return image, mask_array(opened_mask, pair.mask, mask_size, n_classes, palette)


def read_block(index, rows, size, images=None, masks=None, threads=None):
    """Pairs `rows` of `index` as (images uint8 (n, h, w, 3), masks uint8 (n, h, w)).

    Given arrays are filled in place, so a loop can use the same memory again and again. Pillow
    lets go of Python's lock while it decodes, so threads (at most 8, one a core) work side by
    side. The first error reaches the caller and cancels what has not begun: OSError naming a file
    that cannot be decoded, ValueError naming one with wrong ids, colours or size. ValueError also
    for `threads` below 1 and for given arrays that are not writeable uint8 of the right shape.

    Notebook 02, "The loop, by hand".
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be None or at least 1, not {threads}.")
    rows = np.asarray(rows, dtype=int)
    images = _checked_target(images, (len(rows), *size, 3), "images")
    masks = _checked_target(masks, (len(rows), *size), "masks")

    def read(slot):
        images[slot], masks[slot] = index.read(rows[slot], size)

    for _ in in_threads(read, range(len(rows)), threads):
        pass
    return images, masks


def in_threads(function, items, threads=None, at_once=CALLS_AT_ONCE, bar=None):
    """`function(item)` of each item, in their order, from threads (at most 8, one a core).

    A generator over a sequence. The first error reaches the caller and cancels what has not begun.
    At most `at_once` results wait to be taken. `bar` names a progress bar, which is shown if the
    work takes longer than a second.
    """
    done = _in_threads(function, items, threads, at_once)
    return tqdm(done, bar, len(items), unit="file", delay=BAR_AFTER_S) if bar else done


def _in_threads(function, items, threads, at_once):
    threads = threads or min(8, os.cpu_count() or 1)
    if threads == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="read_block") as pool:
        # Leaving `map` early, as an error does, cancels its waiting calls. In parts, because
        # each of them takes 2 KiB: 10 MiB for a window of 1 GiB, were they made at once.
        for first in range(0, len(items), at_once):
            yield from pool.map(function, items[first : first + at_once])


def segmentation_array(path, n_classes, width, height, dtype=np.float64):
    """A mask as one-hot array (height, width, n_classes): the article's `getSegmentationArr`.

    For teaching what it costs: with NumPy's default float64 a pixel takes 8 * n_classes bytes
    where its id takes one. Void pixels (255) are zero in every class, so a cross-entropy gives
    them no loss; a plain accuracy still counts them (as class 0, the argmax of zeros).

    Common copies of this function resize the mask with bilinear interpolation, which invents
    ids between the real ones, and take channel 0 of a colour image, which for a VOC mask read
    with OpenCV is blue: 12 of 21 classes end up as background.

    Notebook 01, "One-hot masks: the quiet giant".
    """
    mask = read_mask(path, (height, width), n_classes)
    one_hot = np.zeros((height, width, n_classes), dtype)
    for class_id in range(n_classes):
        one_hot[:, :, class_id] = mask == class_id
    return one_hot


@contextmanager
def _opened(path):
    with naming(path):
        image = Image.open(path)
    with image:
        yield image


def _shown_size(image):
    with naming(image.filename):
        turned = image.getexif().get(ORIENTATION) in TURNED
    width, height = image.size
    return (width, height) if turned else (height, width)


def _checked_target(array, shape, name):
    if array is None:
        return np.empty(shape, np.uint8)
    if array.shape != shape or array.dtype != np.uint8 or not array.flags.writeable:
        raise ValueError(
            f"{name} must be a writeable uint8 array of shape {shape}, got {array.dtype} "
            f"{array.shape}."
        )
    return array
