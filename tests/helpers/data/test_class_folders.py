"""A folder of folders: labels in place of masks, through the same window."""

import keras
import numpy as np
import pytest

from helpers.data.class_folders import index_class_folders, read_labelled
from helpers.windows import Geometry, SlidingSubset
from tests.support import save_image


@pytest.fixture
def root(tmp_path):
    """Three classes; an image's first channel is its class's, the second its number."""
    for label, name in enumerate(("ant", "bee", "cat")):
        (tmp_path / name).mkdir()
        for k in range(6):
            pixels = np.full((8, 8, 3), (80 * label, 9 * k, 0), np.uint8)
            save_image(tmp_path / name / f"{k}.PNG", pixels)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no class")
    (tmp_path / "ant" / "notes.txt").write_text("no image")
    return tmp_path


def test_folders_are_classes_and_their_images_rows(root):
    index = index_class_folders(root)
    assert index.class_names == ("ant", "bee", "cat") and len(index) == 18
    assert index[7].image == root / "bee" / "1.PNG" and index[7].id == "bee/1"


def test_a_label_lies_beside_its_image(root):
    index = index_class_folders(root).shuffled(0)
    geometry = Geometry(18, 6, 3, (8, 8), batch_size=4, passes=1)
    with SlidingSubset(index, geometry, read=read_labelled) as subset:
        for step, (images, labels) in enumerate(subset):
            assert labels.dtype == np.int64 and labels.shape == (len(images),)
            assert np.array_equal(images[:, 0, 0, 0], 80 * labels)
            names = [index[row].mask.name for row in geometry.batch(step)]
            assert [index.class_names[label] for label in labels] == names
        assert subset.decoded == 18


@pytest.mark.slow
def test_a_small_network_learns_the_classes(root):
    index = index_class_folders(root).shuffled(0)
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.GlobalAveragePooling2D()]
    model = keras.Sequential([keras.Input((8, 8, 3)), *layers, keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.3), loss, metrics=["accuracy"])
    geometry = Geometry(18, 12, 3, (8, 8), batch_size=6, passes=10)
    with SlidingSubset(index, geometry, read=read_labelled) as subset:
        model.fit(
            subset, steps_per_epoch=subset.steps_per_round, epochs=3, shuffle=False, verbose=0
        )
    whole = Geometry.one_window(18, (8, 8), batch_size=6)
    with SlidingSubset(index, whole, finite=True, read=read_labelled) as data:
        assert model.evaluate(data, verbose=0, return_dict=True)["accuracy"] == 1


def test_too_few_classes_and_a_torn_file_are_named(root, tmp_path):
    with pytest.raises(ValueError, match="holds 0 folders with images"):
        index_class_folders(root / "ant")
    with pytest.raises(FileNotFoundError, match="gone is not a folder"):
        index_class_folders(root / "gone")
    index = index_class_folders(root)
    index[0].image.write_bytes(b"torn")
    arrays = [np.empty((2, *shape), dtype) for shape, dtype in read_labelled.declare(index, (8, 8))]
    with pytest.raises(OSError, match=r"0\.PNG cannot be decoded"):
        read_labelled(index, np.arange(2), (8, 8), *arrays)
