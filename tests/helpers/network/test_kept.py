"""Kept networks: half precision there and back, and every file that does not fit is refused."""

import keras
import numpy as np
import pytest

from helpers.files import read_json, write_json
from helpers.network import build_fcn, compile_fcn
from helpers.network.kept import LIST, keep, load_kept
from helpers.scoring import predict_masks
from helpers.workshop import KEPT
from tests.support import state_of


def fcn(n_classes=3, size=(32, 32), stride=8, seed=1):
    return build_fcn(n_classes, (*size, 3), stride=stride, seed=seed)


def weights_of(model):
    return [np.asarray(weight) for weight in model.weights]


@pytest.fixture(scope="module")
def model():
    """A network whose statistics of batch normalisation are not those it starts with."""
    model = fcn()
    rng = np.random.default_rng(0)
    model.set_weights([w + 0.1 * rng.random(w.shape) for w in model.get_weights()])
    return model


@pytest.fixture
def path(model, tmp_path):
    keep(model, tmp_path / "net.npz", rounds=8, commit="abc")
    return tmp_path / "net.npz"


def test_another_network_gets_the_same_weights_to_half_precision(model, path):
    other = fcn(seed=2)
    about = load_kept(other, path)
    for ours, theirs in zip(weights_of(model), weights_of(other), strict=True):
        assert theirs.dtype == np.float32
        np.testing.assert_array_equal(theirs, ours.astype(np.float16))
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    same = predict_masks(model, images) == predict_masks(other, images)
    assert same.mean() > 0.95
    assert (about["rounds"], about["commit"]) == (8, "abc")
    assert about["fits"] == {"images": [32, 32], "classes": 3}


def test_the_file_holds_two_bytes_a_weight_and_no_optimizer(model, path):
    n_weights = sum(weight.size for weight in weights_of(model))
    assert path.stat().st_size < 2.1 * n_weights
    with np.load(path) as arrays:
        assert {arrays[name].dtype for name in arrays.files} == {np.dtype("float16")}
        assert sum(name.endswith("moving_variance") for name in arrays.files) == 9


def test_the_same_weights_give_the_same_bytes(model, path):
    before = path.read_bytes()
    keep(model, path)
    assert path.read_bytes() == before


def test_the_list_has_an_entry_for_each_and_keeps_the_others(model, path):
    keep(model, path.with_name("another.npz"), rounds=2)
    keep(model, path, rounds=9)
    listed = read_json(path.parent / LIST)
    assert {name: entry["rounds"] for name, entry in listed.items()} == {"another": 2, "net": 9}
    assert [*listed] == ["another", "net"]


def test_the_optimizer_is_left_alone(path):
    other = compile_fcn(fcn(seed=2))
    other.optimizer.build(other.trainable_variables)
    other.optimizer.iterations.assign(7)
    before = state_of(other)[len(other.weights) :]
    load_kept(other, path)
    for ours, theirs in zip(before, state_of(other)[len(other.weights) :], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_classes": 5}, r"net\.npz is for 3 classes .* 32×32, the model 5 classes .* 32×32"),
        ({"size": (64, 32)}, r"images of 32×32, the model 3 classes and images of 64×32"),
        ({"stride": 32}, r"another network: score_pool3/bias is \(3,\) in .* missing in .* fcn32s"),
    ],
)
def test_a_model_that_the_file_does_not_fit_is_refused_and_unchanged(path, changes, words):
    other = fcn(seed=2, **changes)
    before = weights_of(other)
    with pytest.raises(ValueError, match=words):
        load_kept(other, path)
    for ours, theirs in zip(before, weights_of(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_weight_of_another_shape_is_named(model, tmp_path):
    def one_convolution(kernel_size):
        layer = keras.layers.Conv2D(3, kernel_size, padding="same", name="scores")
        return keras.Sequential([keras.Input((32, 32, 3)), layer], name="one")

    narrow, wide = one_convolution(1), one_convolution(5)
    keep(narrow, tmp_path / "narrow.npz")
    with pytest.raises(ValueError, match=r"kernel is \(1, 1, 3, 3\) in .* and \(5, 5, 3, 3\) in"):
        load_kept(wide, tmp_path / "narrow.npz")


def test_a_missing_file_names_the_command(path):
    with pytest.raises(FileNotFoundError, match=r"no other\.npz .*python -m tools\.keep_networks"):
        load_kept(fcn(), path.with_name("other.npz"))
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no net\.npz"):
        load_kept(fcn(), path)


def test_a_file_that_its_entry_is_not_about_is_refused(path):
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"net\.npz is not the file that networks\.json is about"):
        load_kept(fcn(), path)


def test_what_float16_cannot_hold_is_refused_before_anything_is_written(model, tmp_path):
    other = fcn()
    other.get_layer("block1_norm1").moving_mean.assign([7e4] * 24)
    with pytest.raises(ValueError, match=r"block1_norm1/moving_mean holds 70000"):
        keep(other, tmp_path / "net.npz")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_the_networks_that_come_with_the_tutorial_fit_and_are_small(stride):
    path = KEPT / f"fcn{stride}s.npz"
    assert path.stat().st_size < 2 * 10**6
    names = read_json(KEPT / LIST)[path.stem]["class_names"]
    about = load_kept(fcn(len(names), (128, 128), stride), path)
    assert about["rounds"] == 8 and about["commit"] and about["keras"]
    assert about["mean_iou"] > 0.6


def test_one_of_the_tutorials_networks_under_the_name_of_another_is_refused(tmp_path):
    for name in ("fcn8s.npz", "fcn32s.npz", LIST):
        (tmp_path / name).write_bytes((KEPT / name).read_bytes())
    listed = read_json(tmp_path / LIST)
    write_json(tmp_path / LIST, listed | {"fcn8s": listed["fcn32s"]})
    (tmp_path / "fcn8s.npz").write_bytes((KEPT / "fcn32s.npz").read_bytes())
    with pytest.raises(ValueError, match="missing in the file and"):
        load_kept(fcn(8, (128, 128)), tmp_path / "fcn8s.npz")
