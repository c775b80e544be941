"""The tiny drawn set in the layouts of other data sets, as their own hosts lay them out."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.data import Index, index_voc
from helpers.data.cityscapes import TRAINED
from helpers.settings import DATA_FOLDERS
from tests.support import palette_mask, save_image

SUFFIXES = (".png", ".JPG", ".bmp", ".tif")
CITIES = {"train": ("aachen", "bochum"), "val": ("frankfurt", "lindau")}
LAYOUTS = ("own_grey", "own_palette", "cityscapes", "coco")


def drawn(split: str) -> Index:
    """The images of the tiny set that are for training, or held out ("val")."""
    return index_voc(DATA_FOLDERS["tiny"], split)


def lay_out(layout: str, root: Path, n_train: int = 60, n_holdout: int = 20) -> Path:
    """Write a miniature in one of the `LAYOUTS` into the new folder `root`; return it."""
    root.mkdir(parents=True)
    sets = {"train": drawn("train")[:n_train], "val": drawn("val")[:n_holdout]}
    writers = {"cityscapes": _cityscapes, "coco": _coco}
    writers.get(layout, _own)(root, sets, palette=layout == "own_palette")
    return root


def _own(root, sets, palette):
    for name in ("images", "masks"):
        (root / name).mkdir()
    number = 0
    for index in sets.values():
        for row, pair in enumerate(index):
            image, mask = index.read(row)
            suffix = SUFFIXES[number % len(SUFFIXES)]
            save_image(root / "images" / f"{pair.id}{suffix}", image)
            save = palette_mask if palette else save_image
            save(root / "masks" / f"{pair.id}.png", mask)
            number += 1
    (root / "val.txt").write_text("".join(f"{pair.id}\n" for pair in sets["val"]))
    (root / "classes.txt").write_text("\n".join(sets["train"].class_names))


def _cityscapes(root, sets, palette):
    labels = np.full(256, 0, np.uint8)  # void becomes "unlabeled"
    labels[: len(TRAINED)] = [*TRAINED]
    for split, index in sets.items():
        for row in range(len(index)):
            city = CITIES[split][row % 2]
            name = f"{city}/{city}_{row:06}_000019"
            image, mask = index.read(row)
            for folder, end, array in (
                ("leftImg8bit", "leftImg8bit", image),
                ("gtFine", "gtFine_labelIds", labels[mask]),
            ):
                path = root / folder / split / f"{name}_{end}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                save_image(path, array)


def _coco(root, sets, palette):
    for split, index in sets.items():
        name = f"{split}2017"
        masks = root / "annotations" / f"panoptic_{name}"
        masks.mkdir(parents=True)
        (root / name).mkdir()
        images, annotations = [], []
        for row in range(len(index)):
            image, mask = index.read(row)
            number = {"train": 1000, "val": 5000}[split] + row
            save_image(root / name / f"{number:012}.jpg", image, quality=95)
            # Each class of a picture is one object here, with a number that says nothing.
            objects = {
                one: 70_000 * (one + 1) + row for one in np.unique(mask).tolist() if one != 255
            }
            codes = np.zeros(mask.shape, int)
            for class_id, code in objects.items():
                codes[mask == class_id] = code
            pixels = np.stack([codes >> shift & 255 for shift in (0, 8, 16)], axis=-1)
            save_image(masks / f"{number:012}.png", pixels.astype(np.uint8))
            images.append({"id": number, "file_name": f"{number:012}.jpg"})
            parts = [
                {"id": int(code), "category_id": 10 + class_id, "iscrowd": 0}
                for class_id, code in objects.items()
            ]
            annotation = {"image_id": number, "file_name": f"{number:012}.png"}
            annotations.append(annotation | {"segments_info": parts})
        categories = [
            {"id": 10 + class_id, "name": class_name, "isthing": int(class_id > 0)}
            for class_id, class_name in enumerate(index.class_names)
        ]
        report = {"images": images, "annotations": annotations, "categories": categories}
        path = root / "annotations" / f"panoptic_{name}.json"
        path.write_text(json.dumps(report))


def microscope(root: Path, n_slides: int = 8, n_each: int = 6, side: int = 2048) -> Path:
    """What a microscope leaves in the new folder `root`: 12 bits of 16, masks of 0 and 255.

    What 255 means and which images are of one slide is said in classes.csv and groups.csv.
    """
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    rng, groups = np.random.default_rng(0), ["image,group"]
    y, x = np.mgrid[-1:1:160j, -1:1:160j]
    for slide, number in np.ndindex(n_slides, n_each):
        image = rng.normal(300 + 50 * slide, 60, (side, side))
        mask = np.zeros((side, side), np.uint8)
        for _ in range(rng.integers(25, 60)):
            top, left = rng.integers(side - 160, size=2)
            height, width = rng.uniform(0.3, 0.9, 2)
            cell = (y / height) ** 2 + (x / width) ** 2 < 1
            part = slice(top, top + 160), slice(left, left + 160)
            image[part] += cell * rng.uniform(500, 1500)
            mask[part][cell] = 255
        name = f"slide{slide}_{number}"
        Image.fromarray(image.clip(0, 4095).astype(np.uint16)).save(root / "images" / f"{name}.TIF")
        save_image(root / "masks" / f"{name}.png", mask)
        groups.append(f"{name},slide{slide}")
    (root / "groups.csv").write_text("\n".join(groups) + "\n")
    (root / "classes.csv").write_text("name,value\nbackground,0\ncell,255\n")
    return root


def stack(path: Path, n_pages: int = 3) -> Path:
    """A TIFF of several pages."""
    pages = [Image.new("L", (8, 8), value) for value in range(n_pages)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    return path
