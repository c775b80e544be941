"""A backbone with a head: what is trained and how, any size of image, the head's seed."""

import keras
import numpy as np
import pytest

from helpers.network.head import GentleAdamW, build_head, compile_head


@pytest.fixture(scope="module")
def model():
    return build_head(3, weights=None, seed=1)


def of_backbone(model):
    return model.get_layer("mobilenet").weights


@pytest.mark.slow
def test_logits_have_the_size_of_any_image_that_16_divides(model):
    rng = np.random.default_rng(0)
    for height, width in ((64, 96), (128, 64)):
        images = rng.integers(0, 256, (2, height, width, 3)).astype(np.uint8)
        logits = keras.ops.convert_to_numpy(model(images))
        assert logits.shape == (2, height, width, 3) and logits.dtype == np.float32
        assert np.isfinite(logits).all()


@pytest.mark.slow
def test_the_backbone_stays_and_the_head_learns(model):
    before = [weight.numpy() for weight in of_backbone(model)]
    compile_head(model, 4)
    scores = model.get_layer("scores").kernel.numpy()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 64, 64, 3)).astype(np.uint8)
    model.fit(images, rng.integers(0, 3, (4, 64, 64)), batch_size=2, verbose=0)
    after = [weight.numpy() for weight in of_backbone(model)]
    assert all(map(np.array_equal, before, after))
    assert not np.array_equal(scores, model.get_layer("scores").kernel.numpy())
    n_head = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert 300_000 < n_head < 700_000


@pytest.mark.slow
def test_only_kernels_shrink_also_after_a_file(model, tmp_path):
    compile_head(model, 100).optimizer.build(model.trainable_variables)
    model.save(tmp_path / "head.keras")
    for one in (model, keras.saving.load_model(tmp_path / "head.keras")):
        kinds = {"shrink": set(), "stay": set()}
        for variable in one.trainable_variables:
            shrinks = one.optimizer._use_weight_decay(variable)
            kinds["shrink" if shrinks else "stay"].add(variable.path.split("/")[-1])
        assert kinds == {"shrink": {"kernel"}, "stay": {"bias", "gamma", "beta"}}


@pytest.mark.slow
def test_from_a_layer_on_the_backbone_is_trained_with_its_norms():
    model = compile_head(build_head(3, weights=None, size=(64, 64), train_from="conv_dw_6"), 10)
    backbone = model.get_layer("mobilenet")
    trained = [w.path for w in backbone.trainable_weights]
    assert {path.split("/")[1] for path in trained} == {"kernel", "gamma", "beta"}
    numbers = {int(path.split("conv_")[1].split("_")[1].split("/")[0]) for path in trained}
    assert numbers == {6, 7, 8, 9, 10, 11}
    before = {w.path: keras.ops.convert_to_numpy(w) for w in backbone.weights}
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 64, 64, 3)).astype(np.uint8)
    model.fit(images, rng.integers(0, 3, (4, 64, 64)), batch_size=2, verbose=0)
    changed = {w.path for w in backbone.weights if not np.array_equal(before[w.path], w)}
    numbers = {int(path.split("conv_")[1].split("_")[1].split("/")[0]) for path in changed}
    kinds = {path.split("/")[1] for path in changed}
    # With random weights next to nothing reaches the deeper layers, and gammas stay as they are.
    assert numbers == {6, 7, 8, 9, 10, 11} and kinds - {"gamma"} == {
        "kernel", "beta", "moving_mean", "moving_variance",
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"MobileNet has no layer 'block_6'; it has: .*conv_dw_6"):
        build_head(3, weights=None, train_from="block_6")


def moved(optimizer, layer, gradient):
    """How far one step moves a kernel of ones."""
    with keras.name_scope(layer):
        kernel = keras.Variable(np.ones(3), name="kernel")
    optimizer.apply([keras.ops.convert_to_tensor(np.float32(gradient))], [kernel])
    return keras.ops.convert_to_numpy(kernel) - 1


@pytest.mark.parametrize(
    ("layer", "share"), [("conv1", 5), ("conv_dw_6", 5), ("conv2d_6", 1), ("scores", 1)]
)
def test_a_step_of_the_backbone_is_a_fifth_as_long(layer, share):
    usual = moved(keras.optimizers.AdamW(0.01, weight_decay=0), layer, [1, -2, 3])
    gentle = moved(GentleAdamW(0.01, weight_decay=0), layer, [1, -2, 3])
    assert abs(usual).min() > 0.005 and gentle == pytest.approx(usual / share, rel=1e-4)
    # The weight decay is the same for all.
    assert moved(GentleAdamW(0.01, weight_decay=0.5), layer, [0, 0, 0]) == pytest.approx(-0.005)


@pytest.mark.slow
def test_the_seed_decides_the_heads_first_weights(model):
    again, other = build_head(3, weights=None, seed=1), build_head(3, weights=None, seed=2)
    name = "whole_image"
    first, same, different = (
        np.asarray(one.get_layer(name).kernel)
        for one in (build_head(3, weights=None, seed=1), again, other)
    )
    assert np.array_equal(first, same) and not np.array_equal(first, different)


def test_a_weights_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises((OSError, ValueError), match=r"nothing\.weights\.h5"):
        build_head(3, weights=tmp_path / "nothing.weights.h5")
