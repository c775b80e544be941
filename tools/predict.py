"""A photograph through a saved network: `python -m tools.predict MODEL IMAGE [--output MASK]`.

The mask is a palette PNG of class ids in the size of the image. MODEL is a .keras file that takes
uint8 images; a size that it asks for is the size at which it sees the image. With `--tile` it sees
the image in its own size, one tile after the other.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.data import read_image
from helpers.data.rewrite import save_ids
from helpers.quiet import keras
from helpers.scoring import predict_masks
from helpers.scoring.large import predict_large


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("--output", type=Path, help="IMAGE.mask.png by default")
    parser.add_argument(
        "--levels", type=int, nargs=2, metavar=("BLACK", "WHITE"),
        help="the values that are black and white in grey images of more than 8 bits",
    )  # fmt: skip
    parser.add_argument(
        "--tile", type=int, metavar="SIDE",
        help="cut the image into tiles of SIDE pixels that overlap by half, for a large one",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    model = keras.saving.load_model(chosen.model, compile=False)
    image = read_image(chosen.image, levels=chosen.levels)
    if chosen.tile:
        ids = predict_large(model, image, (chosen.tile, chosen.tile), overlap=chosen.tile // 2)
    else:
        height, width = model.input_shape[1:3]
        size = (height, width) if height else _divisible(image.shape[:2])
        shown = Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR)
        ids = Image.fromarray(predict_masks(model, np.asarray(shown)[None])[0])
        ids = np.asarray(ids.resize(image.shape[1::-1], Image.Resampling.NEAREST))
    output = chosen.output or chosen.image.with_suffix(".mask.png")
    save_ids(output, ids)
    print(f"{output}: classes {', '.join(map(str, np.unique(ids)))}")


def _divisible(shape, by=32):
    """The shape rounded to multiples that a network which halves five times can take."""
    return tuple(max(by, round(length / by) * by) for length in shape)


if __name__ == "__main__":
    main()
