"""What is lost when every process shuffles its own share only: one training at a time.

All ways take as many steps from the same list. The images differ a little: a window's and a
pass's last batch is shorter, Grain's batches run on over the end of a pass (in 1,300 steps
20,000, 20,380 and 20,800 images on the drawn set). Two and four processes are played by one:
`SideBySide` gives it the batches that they would compute together, which two real processes
follow (tests/helpers/distributed/test_train.py).
"""

from dataclasses import replace

import numpy as np

from experiments.claims.orders import fit_in_quarters, subset_in_order
from helpers.data import read_block
from helpers.network import ScoreHoldout
from helpers.quiet import keras
from helpers.windows import SideBySide
from helpers.workshop import Workshop

WAYS = {
    "everything": "one process, a shuffle of all images for each pass",
    "windows_1": "one process, windows over a list that is shuffled anew for each pass",
    "windows_2": "two processes, such windows of half the size over half of the list each",
    "windows_4": "four processes, a quarter each",
    "grain": "Grain's shuffle of all images, as any number of processes would share it",
}


def learn_in_shares(workshop: Workshop, way: str, seed: int = 0) -> dict:
    """Train the workshop's FCN in one of the `WAYS`; a dict of `rows`, one a quarter of the steps.

    Each has `step`, `mean_iou` and `pixel_accuracy` of the hold-out. `seed` decides first weights,
    the order of the list and the mirrored images.
    """
    if way not in WAYS:
        raise ValueError(f"{way!r} is not a way; there are: {', '.join(WAYS)}.")
    workshop = workshop.with_fcn()
    model = workshop.network(seed=seed)
    with data_in(way, workshop, seed) as data:
        quarter = workshop.geometry.n_steps // 4
        rows = fit_in_quarters(model, data, quarter, ScoreHoldout(workshop.holdout_data()))
    return {"rows": rows}


def data_in(way: str, workshop: Workshop, seed: int):
    """The data set of a way, a context manager."""
    if way == "grain":
        return GlobalShuffle(workshop, seed)
    if way == "everything":
        return subset_in_order("everything", workshop, seed)
    n = int(way.rpartition("_")[2])
    # Shuffled before it is shared: which images a process has depends on the seed, too.
    listed = replace(workshop, train=workshop.train.shuffled(seed))
    shares = [listed.share(process, n) for process in range(n)]
    return SideBySide(
        subset_in_order("reshuffled", share, seed * n + process, workshop.geometry.n_steps)
        for process, share in enumerate(shares)
    )


class GlobalShuffle(keras.utils.PyDataset):
    """Every image once in each pass, in an order over the whole list that Grain draws.

    Its map data sets are functions of a position, so `[step]` needs no state. Images are decoded at
    each use.
    """

    def __init__(self, workshop: Workshop, seed: int):
        super().__init__(workers=1)
        import grain  # optional: the tutorial does not need it

        self.workshop, self.seed = workshop, seed
        rows = grain.MapDataset.range(len(workshop.train)).seed(seed).shuffle().repeat()
        self.rows = rows.batch(workshop.geometry.batch_size)

    @property
    def num_batches(self):
        """None: infinite."""
        return None

    def __getitem__(self, step):
        index, size = self.workshop.train, self.workshop.geometry.size
        images, masks = read_block(index, self.rows[step], size)
        return self.workshop.augment(images, masks, np.random.default_rng((self.seed, step)))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        """Nothing is open."""
