"""`python -m tools.predict`: one image through a saved network, of a fixed size or of any."""

import keras
import numpy as np
import pytest

from helpers.data import read_mask
from tests.support import save_image
from tools.predict import main


@pytest.mark.parametrize("size", [(32, 64), (None, None)])
def test_the_mask_has_the_images_size(size, tmp_path, capsys):
    kernel = keras.initializers.Constant(np.eye(3).reshape(1, 1, 3, 3))
    layers = [keras.layers.Conv2D(3, 1, use_bias=False, kernel_initializer=kernel)]
    model = keras.Sequential([keras.Input((*size, 3)), *layers])
    model.save(tmp_path / "model.keras")
    pixels = np.zeros((70, 130, 3), np.uint8)
    pixels[:, :65, 0], pixels[:, 65:, 2] = 200, 200  # class 0 on the left, 2 on the right
    image = save_image(tmp_path / "photo.png", pixels)
    main([str(tmp_path / "model.keras"), str(image)])
    mask = read_mask(tmp_path / "photo.mask.png")
    assert mask.shape == (70, 130) and (mask[:, :62] == 0).all() and (mask[:, 68:] == 2).all()
    assert "classes 0, 2" in capsys.readouterr().out
    main([str(tmp_path / "model.keras"), str(image), "--output", str(tmp_path / "other.png")])
    assert (tmp_path / "other.png").is_file()


def test_tiles_show_the_image_in_its_own_size(tmp_path):
    seen = keras.layers.Conv2D(2, 1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((32, 32, 3)), seen])
    seen.set_weights([np.array([[1.0, 0], [0, 1], [0, 0]]).reshape(1, 1, 3, 2)])
    model.save(tmp_path / "model.keras")
    pixels = np.zeros((70, 130, 3), np.uint8)
    pixels[:, ::2, 0], pixels[:, 1::2, 1] = 200, 200  # lines of a pixel, lost when it is resized
    image = save_image(tmp_path / "photo.png", pixels)
    main([str(tmp_path / "model.keras"), str(image), "--tile", "32"])
    assert np.array_equal(read_mask(tmp_path / "photo.mask.png"), pixels[..., 1] // 200)


def test_levels_say_what_is_black_and_white_in_a_camera_of_12_bits(tmp_path, capsys):
    kernel = keras.initializers.Constant(np.array([1.0, 0, 0, 0, 0, 0]).reshape(1, 1, 3, 2))
    bias = keras.initializers.Constant([0.0, 128.0])  # class 0 where red is above 128
    layer = keras.layers.Conv2D(2, 1, kernel_initializer=kernel, bias_initializer=bias)
    keras.Sequential([keras.Input((None, None, 3)), layer]).save(tmp_path / "model.keras")
    frame = np.full((64, 64), 500, np.uint16)
    frame[:, 32:] = 3500
    image = save_image(tmp_path / "frame.tif", frame)
    asked = [str(tmp_path / "model.keras"), str(image)]
    main(asked)  # of 65,535 both are black
    assert "classes 1\n" in capsys.readouterr().out
    main([*asked, "--levels", "0", "4095"])
    mask = read_mask(tmp_path / "frame.mask.png")
    assert (mask[:, :30] == 1).all() and (mask[:, 34:] == 0).all()
