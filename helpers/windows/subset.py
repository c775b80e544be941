"""A batch is a function of its step: the data set that feeds Keras from one window in memory.

The article reloads its whole window of 1,000 images 20 times. Neighbouring windows share 900 of
them, so here the 100 new ones are read, while the network trains on the window before.
"""

import copy
import gc
import threading
from contextlib import contextmanager

import keras
import numpy as np

from ..data.classes import VOID
from ..data.read import read_block
from .geometry import Geometry
from .ring import RingBuffer

# Keras asks a few steps ahead of the training, also at the end of it; more than so many is a
# mistake, such as a `fit` without `steps_per_epoch`, whose first epoch would never end.
STEPS_PAST_THE_END = 100


class SlidingSubset(keras.utils.PyDataset):
    """The batches of all steps of a `Geometry`; only one window of the index is in memory.

        with SlidingSubset(index, geometry) as subset:
            model.fit(subset, steps_per_epoch=subset.steps_per_round, epochs=subset.n_rounds,
                      shuffle=False)

    `subset[step]` is the batch of that step: fresh arrays (images uint8 (b, h, w, 3), masks uint8
    (b, h, w)), the same bytes in whatever order it is asked. Asked in order, each image is decoded
    once. To Keras the data set is infinite (`num_batches` is None): it asks for ever higher steps
    through one iterator, so an epoch is as many steps as one likes, here a round. `len()` and a
    loop cover all steps.

                      num_batches    past the end
        training      None           the last batch, for as far as Keras looks ahead
        finite=True   len(subset)    IndexError; for `validation_data`, `evaluate`, `predict`

    The last batch is repeated, too, where a geometry with `tail` ends with a shorter round: the
    rounds of a `fit` are equally long.

    Memory, `nbytes`: the window, and a staging buffer of one stride in which the next images are
    decoded meanwhile. Nothing is decoded before the first batch. An image that cannot be read
    raises OSError with its name, at the latest when its window begins.

    `augment(images, masks, rng)` returns the batch changed, see `flip_horizontally` and
    `by_layers`; it may crop to one fixed shape. Its rng is drawn from (seed, round, pass, batch)
    alone; ValueError if it draws from another one, which the first batch shows. `read` replaces
    `read_block`, and may give other arrays, see `RingBuffer`.

    `weights`, one number for each class, give batches a third array for Keras, the weight of each
    pixel, float32 (b, h, w): that of its class, and 0 for void. The masks then hold class 0 for
    void, so any loss and any weighted metric can take them.

    Raises ValueError if the geometry is made for another number of images.

    Over a list that is shuffled anew for each pass, `index.reshuffled(...)`, with windows of one
    pass each, the batches come close to a shuffle of everything (notebook 06; the idea is
    CorgiPile's, https://arxiv.org/abs/2206.05830).

    Notebook 02, "A batch is a function of its step".
    """

    def __init__(
        self, index, geometry: Geometry, augment=None, *, finite=False, read=read_block,
        weights=None,
    ):  # fmt: skip
        super().__init__(workers=1)
        if len(index) != geometry.n_images:
            raise ValueError(
                f"The index holds {len(index)} images, the geometry is made for "
                f"{geometry.n_images}. Make it for this index, or cut the index."
            )
        self.index, self.geometry, self.augment, self.finite = index, geometry, augment, finite
        self._weight_of = None if weights is None else _weight_of_ids(weights, index.n_classes)
        self._augment_is_checked = augment is None
        n_staged = min(geometry.stride, geometry.window) if geometry.n_rounds > 1 else 0
        self.ring = RingBuffer(index, geometry.size, geometry.window, n_staged, read)
        # How many steps of each round were asked for, shared with the views of `from_round`:
        # `SaveRounds` sees by it that `fit` was given this data set, and from the right round.
        self.steps_asked = np.zeros(geometry.n_rounds, int)
        self._askers = set()  # the threads that have asked for a batch, shared as well
        self._first = 0  # the step of the geometry that is our step 0
        # Keras gathers batches in a thread of its own, and an iterator that it has given up may
        # still ask for one. The lock makes a batch wholly of one window.
        self._lock = threading.RLock()

    @property
    def workers(self):
        """Always 1: batches are copied from memory, and decoding has a thread of its own."""
        return 1

    @workers.setter
    def workers(self, value):
        if value != 1:
            raise ValueError("Leave workers at 1: with more, rounds would be decoded twice.")

    @property
    def num_batches(self):
        """What Keras asks: None for "infinite", the number of steps with `finite=True`."""
        return len(self) if self.finite else None

    @property
    def steps_per_round(self):
        """Batches of one round, for `fit(steps_per_epoch=...)`."""
        return self.geometry.steps_per_round

    @property
    def n_rounds(self):
        """Number of rounds in all, for `fit(epochs=...)`."""
        return self.geometry.n_rounds

    @property
    def closed(self):
        """Whether `close` was called, here or on a view."""
        return self.ring.closed

    @property
    def decoded(self):
        """Number of images decoded so far."""
        return self.ring.decoded

    @property
    def nbytes(self):
        """Bytes of the window and of the staging buffer; 0 once closed."""
        return self.ring.nbytes

    def __len__(self):
        return self.geometry.n_steps - self._first

    def __iter__(self):
        return (self[step] for step in range(len(self)))

    def __getitem__(self, step):
        geometry, step = self.geometry, self._step_of_geometry(step)
        place = geometry.place(step)
        with _collector_paused(), self._lock:
            self._askers.add(threading.get_ident())
            self.steps_asked[place.round] += 1
            self.ring.hold(geometry.rows(place.round))
            batch = self.ring.take(geometry.batch(step))
            if place.round + 1 < geometry.n_rounds:
                self.ring.prepare(geometry.rows(place.round + 1))
        if self.augment is not None:
            batch = self._augmented(batch, (*geometry.seeds(place.round, place.pass_), place.batch))
        if self._weight_of is None:
            return batch
        images, masks = batch
        return images, np.where(masks == VOID, 0, masks), self._weight_of[masks]

    def _augmented(self, batch, seeds):
        copies = None if self._augment_is_checked else [array.copy() for array in batch]
        found = self.augment(*batch, np.random.default_rng(seeds))
        if copies is not None:
            again = self.augment(*copies, np.random.default_rng(seeds))
            if not all(np.array_equal(*pair) for pair in zip(found, again, strict=True)):
                raise ValueError(
                    f"{self.augment!r} gave two batches for one and the same rng. All that it "
                    "draws must come from the rng it is given: a step has the same bytes whenever "
                    "it is asked for."
                )
            self._augment_is_checked = True
        return found

    def _step_of_geometry(self, step):
        """Our step, counted from the geometry's first; a few past the end are the last."""
        n_steps = len(self)
        past = 0 if self.finite else max(self.steps_per_round, STEPS_PAST_THE_END)
        if step < 0 or step >= n_steps + past:
            raise IndexError(
                f"There is no step {step}: the steps are 0 to {n_steps - 1}. Fit with "
                "steps_per_epoch=subset.steps_per_round, epochs=subset.n_rounds."
            )
        return self._first + min(step, n_steps - 1)

    def from_round(self, round_):
        """This data set from a round on, for `fit(..., initial_epoch=round_)`.

        A view: `view[i]` is `subset[round_ * steps_per_round + i]`, from the same memory; closing
        one closes both. `n_rounds` stays the number in all; from there, a view has no steps, and
        the `fit` of a run that is done ends at once.
        """
        if not 0 <= round_ <= self.n_rounds:
            raise IndexError(
                f"There is no round {round_}: the rounds are 0 to {self.n_rounds - 1}."
            )
        view = copy.copy(self)
        view._first = min(round_ * self.steps_per_round, self.geometry.n_steps)
        return view

    def explain(self, step):
        """What a step holds, in words: a text of a few lines. Rounds, passes, batches count from 0.

        Computed from the geometry, as if the steps were asked in order; nothing is decoded.

        Notebook 02, "A batch is a function of its step".
        """
        geometry, meant = self.geometry, self._step_of_geometry(step)
        place, rows = geometry.place(meant), geometry.batch(meant)
        held = geometry.rows(place.round)
        begins = place.round * self.steps_per_round
        before = geometry.rows(place.round - 1) if begins > self._first else []
        new = np.setdiff1d(held, before)
        lines = [
            f"step {step}: round {place.round}, pass {place.pass_}, batch {place.batch}",
            f"the window holds rows {held[0]} to {held[-1]}",
            f"this batch: rows {_words(rows)}; slots {_words(rows % geometry.window)}",
        ]
        if step + self._first == begins:
            how = "copied from the staging buffer" if len(before) else "decoded now"
            lines.append(f"new in the window: rows {new[0]} to {new[-1]}, {how}")
        if place.round + 1 < self.n_rounds:
            following = np.setdiff1d(geometry.rows(place.round + 1), held)
            lines.append(
                f"prepared meanwhile for round {place.round + 1}: rows {following[0]} to "
                f"{following[-1]}"
            )
        return "\n".join(lines)

    def close(self):
        """Join the decoding thread and free the memory, even if Keras still holds this object."""
        with self._lock:
            self.ring.close()
        # A `fit` that was stopped in mid-epoch leaves a circle of objects with TensorFlow's
        # iterator in it, whose thread asks for batches. Freed only when Python ends, it would wait
        # for a thread that Python no longer lets run.
        if self._askers - {threading.get_ident()}:
            gc.collect()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def _weight_of_ids(weights, n_classes):
    """The weight of each of the 256 values of a mask, float32: 0 for void."""
    weights = np.asarray(weights, np.float32)
    if weights.shape != (n_classes,) or not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(
            f"weights must be {n_classes} numbers of 0 or more, one for each class: got "
            f"{weights.tolist()}."
        )
    table = np.zeros(256, np.float32)
    table[:n_classes] = weights
    return table


@contextmanager
def _collector_paused():
    """No search for circles of objects meanwhile, in any thread.

    A `fit` that is stopped in mid-epoch leaves such a circle, and in it TensorFlow's iterator. Who
    frees it waits for the thread that gathers our batches; if that were the thread that decodes, or
    one that holds our lock, while the former waits for it here, both would wait for ever.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _words(numbers):
    return " ".join(map(str, numbers))
