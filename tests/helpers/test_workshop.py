"""The article's geometry is scaled to the data, and the network is the settings' own."""

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from helpers import workshop
from helpers.data import read_block
from helpers.settings import DATA_FOLDERS, PROJECT, load_settings
from helpers.windows.geometry import sliding_windows
from helpers.workshop import open_workshop
from tests.layouts import lay_out


@pytest.fixture(scope="module")
def tiny():
    return open_workshop(load_settings({"TUTORIAL_PROFILE": "tiny"}))


def _with_training_images(folder, n):
    shutil.copytree(DATA_FOLDERS["tiny"], folder)
    lists = folder / "ImageSets" / "Segmentation"
    names = (lists / "train.txt").read_text(encoding="utf-8").split()
    (lists / "train.txt").write_text("\n".join(names[:n]) + "\n", encoding="utf-8")
    return {"TUTORIAL_DATA": str(folder)}


def test_tiny_has_the_articles_geometry_at_a_fiftieth(tiny):
    geometry = tiny.geometry
    assert (geometry.stride, geometry.window) == (2, 20)
    assert (len(tiny.train), len(tiny.holdout)) == (58, 20)
    assert (geometry.batch_size, geometry.passes, geometry.size) == (8, 5, (64, 64))
    windows = sliding_windows(len(tiny.train), geometry.window, geometry.stride)
    assert len(windows) == geometry.n_rounds == 20
    assert windows[-1].stop == 58


def test_what_the_settings_say_is_the_workshops_too(tiny):
    assert (tiny.size, tiny.memory_budget) == ((64, 64), "1.5 GiB")
    assert str(tiny) == (
        "Profile 'tiny' on 'tiny': 58 training images, 20 held out, "
        f"{tiny.train.n_classes} classes.\n20 rounds; window of 20 images, stride 2; 5 passes a "
        "round, batches of 8; images read as 64×64."
    )


def test_holdout_and_windows_share_no_image(tiny):
    trained = {pair.id for pair in tiny.train}
    assert trained.isdisjoint(pair.id for pair in tiny.holdout)


def test_the_shares_hold_every_image_once_and_have_a_seed_each(tiny):
    shares = [tiny.share(process, 2) for process in range(2)]
    for part in ("train", "holdout"):
        ids = sorted(pair.id for share in shares for pair in getattr(share, part))
        assert ids == sorted(pair.id for pair in getattr(tiny, part))
    assert shares[0].geometry.seed != shares[1].geometry.seed


def test_a_holdout_smaller_than_the_processes_is_an_error(tiny):
    small = replace(tiny, holdout=tiny.holdout[:3])
    assert len(small.share(2, 3).holdout) == 1
    with pytest.raises(ValueError, match="hold-out of 3 images cannot be scored by 4 processes"):
        small.share(0, 4)


def test_images_are_shuffled_once_and_always_alike(tiny):
    ids = [pair.id for pair in tiny.train]
    assert ids != sorted(ids)
    assert ids == [pair.id for pair in open_workshop(tiny.settings).train]
    other = open_workshop(replace(tiny.settings, seed=1))
    assert ids != [pair.id for pair in other.train]
    assert other.geometry.seed == 1


def test_an_image_of_both_lists_is_refused(tmp_path):
    environ = _with_training_images(tmp_path / "own", 58)
    lists = tmp_path / "own" / "ImageSets" / "Segmentation"
    first = (lists / "val.txt").read_text(encoding="utf-8").split()[0]
    with (lists / "train.txt").open("a", encoding="utf-8") as file:
        file.write(first + "\n")
    with pytest.raises(ValueError, match=rf"{first} is in train\.txt and in val\.txt"):
        open_workshop(load_settings(environ))


def test_a_folder_of_ones_own_is_opened_and_says_what_no_file_decided(tmp_path):
    root = lay_out("own_grey", tmp_path / "own", 40, 12)
    (root / "val.txt").unlink()
    (root / "classes.txt").unlink()
    environ = {"TUTORIAL_PROFILE": "tiny", "TUTORIAL_DATA": str(root)}
    workshop = open_workshop(load_settings(environ))
    assert (len(workshop.train), len(workshop.holdout)) == (29, 10)  # a fifth of 52
    assert workshop.train.class_names[:2] == ("background", "class 1")
    lines = str(workshop).splitlines()
    assert lines[2].startswith("Classes are the values found") and "was drawn" in lines[3]


def test_the_geometry_shrinks_with_the_data(tmp_path):
    environ = _with_training_images(tmp_path / "own", 59)
    workshop = open_workshop(load_settings(environ | {"TUTORIAL_PROFILE": "full"}))
    assert (workshop.geometry.stride, workshop.geometry.window) == (2, 20)
    assert len(workshop.train) == workshop.geometry.n_images == 58
    assert workshop.geometry.left_over == 0


def test_every_data_set_trains_in_a_folder_of_its_own(tmp_path):
    environs = [
        {"TUTORIAL_PROFILE": "tiny"},
        {"TUTORIAL_PROFILE": "tiny", "TUTORIAL_BACKBONE": "vgg16"},
    ]
    environs += [_with_training_images(tmp_path / name, 58) for name in ("one", "two")]
    folders = {open_workshop(load_settings(environ)).folder for environ in environs}
    assert len(folders) == 4


def test_too_few_images_is_said(tmp_path):
    environ = _with_training_images(tmp_path / "own", 28)
    hint = r"own: 28 images are too few: 20 rounds need at least 29\. Add images for training"
    with pytest.raises(ValueError, match=hint):
        open_workshop(load_settings(environ))


def test_missing_voc_names_the_command(monkeypatch):
    monkeypatch.setitem(DATA_FOLDERS, "voc2012", PROJECT / "data" / "not-there" / "VOC2012")
    with pytest.raises(FileNotFoundError, match="make voc"):
        open_workshop(load_settings({"TUTORIAL_PROFILE": "full"}))


@pytest.mark.parametrize(
    "changes", [{}, {"profile": "full"}, {"source": "custom"}, {"backbone": "vgg16"}]
)
def test_the_kept_networks_are_for_the_drawn_set_of_the_workshop_alone(tiny, changes):
    usual = replace(tiny, settings=replace(load_settings({}), **changes))
    assert usual.kept_networks == (None if changes else PROJECT / "notebooks" / "networks")
    assert tiny.kept_networks is None


def test_the_workshop_opens_without_keras():
    code = (
        "import sys\n"
        "from helpers.workshop import open_workshop\n"
        "from helpers.settings import load_settings\n"
        "open_workshop(load_settings({'TUTORIAL_PROFILE': 'tiny'}))\n"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_network_is_of_the_workshops_size_unless_told_otherwise(tiny):
    model = tiny.network()
    assert model.name == "fcn8s_small"
    assert model.input_shape == (None, 64, 64, 3)
    assert model.output_shape == (None, 64, 64, tiny.train.n_classes)
    other = tiny.network(stride=32, size=(32, 96))
    assert other.name == "fcn32s_small"
    assert other.output_shape == (None, 32, 96, tiny.train.n_classes)


def test_the_seed_decides_the_first_weights(tiny):
    def weights(seed):
        return np.concatenate([np.ravel(w) for w in tiny.network(seed=seed).get_weights()])

    assert np.array_equal(weights(None), weights(tiny.settings.seed))
    assert np.array_equal(weights(3), weights(3))
    assert not np.array_equal(weights(3), weights(None))


def with_head(workshop):
    """A workshop for a head, without the weights' file."""
    settings = replace(workshop.settings, network="head", backbone="mobilenet")
    return replace(workshop, settings=settings, geometry=replace(workshop.geometry, size=(80, 80)))


def test_a_head_is_trained_on_crops_of_larger_images(tiny):
    head = with_head(tiny)
    assert "batches of 8; images kept as 80×80, read as 64×64." in str(head)
    images, masks = read_block(head.train, range(8), head.geometry.size)
    images, masks = head.augment(images, masks, np.random.default_rng(0))
    assert images.shape == (8, 64, 64, 3) and masks.shape == (8, 64, 64)
    assert tiny.augment.__name__ == "flip_horizontally"


@pytest.mark.slow
def test_the_head_is_the_network_unless_an_fcn_is_asked_for(tiny):
    head = with_head(tiny)
    model = head.network(n_steps=100)
    assert model.name == "head_mobilenet"
    assert model.output_shape == (None, 64, 64, tiny.train.n_classes)
    model.optimizer.iterations.assign(5)  # the warm-up is over
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    model.optimizer.iterations.assign(100)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-5)
    assert head.network(stride=16).name == "fcn16s_mobilenet"


def test_what_is_recorded_keeps_the_fcn(tiny):
    fcn = with_head(tiny).with_fcn()
    assert fcn.settings.network == "fcn" and fcn.geometry == tiny.geometry
    assert tiny.with_fcn() == tiny


@pytest.mark.parametrize("n_steps", [None, 10])
def test_the_learning_rate_ends_at_zero_after_the_last_step(tiny, n_steps):
    optimizer = tiny.network(n_steps=n_steps).optimizer

    def rate_after(steps):
        optimizer.iterations.assign(steps)
        return float(optimizer.learning_rate)

    first, last = tiny.settings.learning_rate, n_steps or tiny.geometry.n_steps
    assert tiny.geometry.n_steps == 20 * 5 * 3
    assert rate_after(0) == pytest.approx(first)
    assert rate_after(last / 2) == pytest.approx(first / 2)
    assert 0 < rate_after(last - 1) < first / 20
    assert rate_after(last) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("spare", "rows_held"), [(0, 20), (-1, 8)], ids=["window", "stream"])
def test_the_holdout_is_one_window_if_it_fits_and_a_stream_if_not(
    tiny, monkeypatch, spare, rows_held
):
    n_bytes = 20 * 64 * 64 * 4
    monkeypatch.setattr(workshop, "HOLDOUT_BYTES", n_bytes + spare)
    images, masks = read_block(tiny.holdout, range(20), tiny.size)
    with tiny.holdout_data() as data:
        assert data.finite and data.geometry.window == rows_held
        batches = [*data]
        assert [len(batch[0]) for batch in batches] == [8, 8, 4]
        np.testing.assert_array_equal(np.concatenate([batch[0] for batch in batches]), images)
        np.testing.assert_array_equal(np.concatenate([batch[1] for batch in batches]), masks)
