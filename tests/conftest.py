"""Fixtures for all tests: small data sets drawn into `tmp_path`."""

import numpy as np
import pytest
from PIL import Image

from helpers.classes import VOC_CLASSES, VOID, voc_palette


@pytest.fixture
def voc_folder(tmp_path):
    """A function that draws `n` random pairs in VOC's layout and returns the folder.

    The sizes differ from picture to picture. A fifth of each mask is void.
    """

    def draw(n=6, classes=VOC_CLASSES, name="VOC2012", splits=None):
        root = tmp_path / name
        lists = root / "ImageSets" / "Segmentation"
        for folder in (root / "JPEGImages", root / "SegmentationClass", lists):
            folder.mkdir(parents=True)
        stems = [f"2007_{i:06}" for i in range(n)]
        for i, stem in enumerate(stems):
            rng = np.random.default_rng(i)
            height, width = 12 + i % 5, 10 + i % 7
            pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
            ids = rng.integers(0, len(classes), (height, width)).astype(np.uint8)
            ids[: height // 5] = VOID
            mask = Image.fromarray(ids)
            mask.putpalette(voc_palette().tobytes())
            Image.fromarray(pixels).save(root / "JPEGImages" / f"{stem}.jpg")
            mask.save(root / "SegmentationClass" / f"{stem}.png")
        for split, members in (splits or {"train": stems, "val": stems[:2]}).items():
            (lists / f"{split}.txt").write_text("\n".join(members) + "\n", encoding="utf-8")
        if tuple(classes) != VOC_CLASSES:
            (root / "classes.txt").write_text("\n".join(classes) + "\n", encoding="utf-8")
        return root

    return draw
