"""Networks that come with the tutorial: their weights at half precision, and how they were made.

    fcn8s.npz        one float16 array for each weight, under the weight's path in the model
    networks.json    {"fcn8s": {...}}, an entry for each file: what it fits, and who made it how

Two bytes a weight instead of the twelve of a checkpoint, which also holds Adam's two moments: such
a file is there to predict with, not to go on training from.
"""

import hashlib
import io
from pathlib import Path

import keras
import numpy as np

from helpers.files import read_json, write_bytes, write_json

LIST = "networks.json"
REMEDY = "Check the file out again, or make it anew: python -m tools.keep_networks --anew"


def keep(model: keras.Model, path, **about) -> None:
    """Write the weights of `model`, statistics of batch normalisation included, to `path` (.npz).

    `about` is what its entry in networks.json says beside sizes and checksum: numbers, texts,
    lists, dicts. The same weights give the same bytes. Raises ValueError for a weight that float16
    cannot hold (above 65,504, nan).
    """
    path = Path(path)
    weights = {weight.path: _half(weight) for weight in model.weights}
    file = io.BytesIO()
    np.savez_compressed(file, **weights)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, file.getvalue())
    entry = {"fits": _fits(model), "sha256": _sha256(path), **about}
    networks = _listed(path.parent) | {path.stem: entry}
    write_json(path.parent / LIST, dict(sorted(networks.items())))


def load_kept(model: keras.Model, path) -> dict:
    """Give `model` the weights that `keep` wrote to `path`; returns the entry about them.

    The model is the same kind of network, compiled or not; its optimizer is left alone. Raises
    FileNotFoundError where there is no such file, and ValueError, with the model untouched, for one
    that was made for other classes or another size of image, that is no such network, or that is
    not what its entry was written about.

    Notebook 04, "A real network".
    """
    path = Path(path)
    about = _listed(path.parent).get(path.stem)
    if about is None or not path.is_file():
        raise FileNotFoundError(f"There is no {path.name} with an entry in {LIST}. {REMEDY}")
    if _sha256(path) != about["sha256"]:
        raise ValueError(f"{path.name} is not the file that {LIST} is about. {REMEDY}")
    if (asked := _fits(model)) != about["fits"]:
        raise ValueError(f"{path.name} is for {_said(about['fits'])}, the model {_said(asked)}.")
    with np.load(path, allow_pickle=False) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    shapes = {weight.path: tuple(weight.shape) for weight in model.weights}
    for name in sorted(shapes.keys() | weights.keys()):
        there = weights[name].shape if name in weights else "missing"
        if there != shapes.get(name):
            raise ValueError(
                f"{path.name} is of another network: {name} is {there} in the file and "
                f"{shapes.get(name, 'missing')} in the model {model.name}."
            )
    for weight in model.weights:
        weight.assign(weights[weight.path].astype(np.float32))
    return about


def _half(weight) -> np.ndarray:
    values = keras.ops.convert_to_numpy(weight)
    with np.errstate(over="ignore"):  # said below, with the weight's name
        half = values.astype(np.float16)
    if not np.isfinite(half).all():
        raise ValueError(f"{weight.path} holds {np.abs(values).max()}: more than float16 can hold.")
    return half


def _fits(model: keras.Model) -> dict:
    """What a caller may get wrong; the weights of an FCN alone do not tell the size of its image.

    Lists and numbers, as JSON gives them back.
    """
    return {"images": list(model.input_shape[1:3]), "classes": model.output_shape[-1]}


def _said(fits: dict) -> str:
    height, width = fits["images"]
    return f"{fits['classes']} classes and images of {height}×{width}"


def _listed(folder: Path) -> dict:
    file = folder / LIST
    return read_json(file) if file.is_file() else {}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
