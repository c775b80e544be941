"""What runs in each fresh process of the window's memory: each kind of work, and its counts."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.race import window_child as child
from helpers.data import index_voc, read_block


@pytest.fixture
def small(monkeypatch, voc_folder):
    """Images of 32×32 in batches of 4; gives the folder."""
    monkeypatch.setattr(child, "SIZE", (32, 32))
    monkeypatch.setattr(child, "BATCH", 4)
    return str(voc_folder(5))


@pytest.mark.slow
@pytest.mark.parametrize("work", ["decode", "loop", "step", "fit"])
@pytest.mark.parametrize("painted", [True, False])
def test_each_kind_of_work_does_what_it_says(monkeypatch, small, work, painted):
    readers, asked = Counter(), Counter()

    def counting(read):
        def read_and_count(index, rows, *rest, **options):
            readers[read.__name__] += len(rows)
            return read(index, rows, *rest, **options)

        return read_and_count

    class Subset(child.CountedSubset):
        def __getitem__(self, step):
            asked[self.geometry.window] += 1
            return super().__getitem__(step)

    monkeypatch.setattr(child, "CountedSubset", Subset)
    monkeypatch.setattr(child, "read_block", counting(read_block))
    monkeypatch.setattr(child, "paint", counting(child.paint))
    found = child.run(work, small, 10, 5, rounds=3, passes=2, painted=painted)
    assert found["decoded"] == 20 and found["arrays"] == 15 * 4 * 32 * 32
    warm_up = 9 + 4  # always of real images
    assert readers == ({"paint": 20, "read_block": warm_up} if painted else {"read_block": 33})
    # Three rounds of six batches; `fit` asks for a few before it begins, and ahead of the training.
    assert asked[10] >= 18 if work == "fit" else asked[10] == (18 if work == "loop" else 3)
    assert len(found["rss"]) == (3 if work == "fit" else 0)
    assert 1 <= found["ahead"] <= 9 if work == "fit" else found["ahead"] == 0


def test_batches_ahead_are_those_asked_for_and_not_yet_trained_on():
    subset = SimpleNamespace()
    notes = child.Notes(subset)
    for epoch, steps in enumerate([(0, 1, 4, 5), (6, 8, 8, 8)]):
        for batch, subset.highest in enumerate(steps):
            notes.on_train_batch_end(batch)
        notes.on_epoch_end(epoch)
    # After the sixth step, steps 0 to 8 were asked for: three were not yet done.
    assert notes.ahead == 3 and len(notes.rss) == 2


def test_painting_writes_all_of_both_arrays(voc_folder):
    index = index_voc(voc_folder(2))
    images, masks = np.zeros((2, 8, 6, 3), np.uint8), np.zeros((2, 8, 6), np.uint8)
    child.paint(index, [0, 1], (8, 6), images, masks)
    assert images.all() and masks.all()
