"""Each process its share of the list: arithmetic, so that nobody has to be asked.

Of n processes the k-th takes rows k, k + n, k + 2n and so on. All shares are equally long and are
cut into equally many steps, because processes that compute every step together must take equally
many. The fewer than n rows that are left over lie at the end of the list.
"""

from dataclasses import replace

from ..data.lists import check_share
from .geometry import Geometry


def rows_of_share(n_images: int, process: int, n_processes: int) -> range:
    """The index rows of one process, `n_images // n_processes` of them.

    Raises ValueError for a process that there is not, and for more processes than images.

    Notebook 09, "Every process its share".
    """
    check_share(process, n_processes)
    if n_images < n_processes:
        raise ValueError(f"{n_images} images cannot be shared among {n_processes} processes.")
    return range(process, n_images // n_processes * n_processes, n_processes)


def rows_left_over(n_images: int, n_processes: int) -> range:
    """The index rows that are in no share: those at the end, fewer than there are processes.

    Notebook 09, "Every process its share".
    """
    return range(n_images // n_processes * n_processes, n_images)


def geometry_of_share(geometry: Geometry, process: int, n_processes: int) -> Geometry:
    """The geometry of one process's share of a list that `geometry` is made for.

    Images, window, stride and batch are divided by `n_processes`: window and stride are rounded
    down to 1 image at the least, the batch is rounded up. So all processes together hold one window
    and take its batches, and each has the same number of steps. Orders and augmentation are drawn
    from a seed of its own. Raises ValueError for more processes than images in a window.

    Notebook 09, "Every process its share".
    """
    n = n_processes
    n_images = len(rows_of_share(geometry.n_images, process, n))
    if geometry.window < n:
        raise ValueError(
            f"A window of {geometry.window} images cannot be shared among {n} processes: take "
            "fewer processes, or a larger window."
        )
    return replace(
        geometry,
        n_images=n_images,
        window=geometry.window // n,
        stride=max(1, geometry.stride // n),
        batch_size=-(-geometry.batch_size // n),
        seed=geometry.seed * n + process,
    )
