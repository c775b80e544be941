"""What several processes compute together, in one: their shares' batches side by side."""

import keras
import numpy as np


class SideBySide(keras.utils.PyDataset):
    """The batches of several `SlidingSubset`s with equally many steps, joined: `[step]`.

    To one process what the shares of several are to all of them: the same images in each step. All
    their windows are in its memory. Infinite to Keras, as a `SlidingSubset` is; a context manager
    that closes them.

    Notebook 09, "Two processes, live".
    """

    def __init__(self, subsets):
        super().__init__(workers=1)
        self.subsets = [*subsets]
        lengths = {len(subset) for subset in self.subsets}
        if len(lengths) != 1:
            raise ValueError(f"The subsets have different numbers of steps: {sorted(lengths)}.")

    @property
    def num_batches(self):
        """None: infinite."""
        return None

    @property
    def steps_per_round(self):
        """Batches of one round, for `fit(steps_per_epoch=...)`."""
        return self.subsets[0].steps_per_round

    @property
    def n_rounds(self):
        """Number of windows of each, for `fit(epochs=...)`."""
        return self.subsets[0].n_rounds

    @property
    def decoded(self):
        """Number of images decoded so far, by all."""
        return sum(subset.decoded for subset in self.subsets)

    @property
    def nbytes(self):
        """Bytes of all windows and staging buffers."""
        return sum(subset.nbytes for subset in self.subsets)

    def __len__(self):
        return len(self.subsets[0])

    def __getitem__(self, step):
        parts = [subset[step] for subset in self.subsets]
        return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for subset in self.subsets:
            subset.close()
