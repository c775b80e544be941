"""Composes one image of the drawn data set: a scene, a few objects, and their mask."""

import math
from functools import reduce

import numpy as np
from PIL import Image, ImageFilter

from ..classes import VOID
from .cutouts import OBJECTS
from .paper import Cutout, between, grain, pick
from .scenes import SCENES

CLASS_NAMES = ("background", *(name for name, *_ in OBJECTS))
SEED = 2012


def draw_pair(i: int, size: tuple[int, int] = (375, 500)) -> tuple[np.ndarray, np.ndarray]:
    """Image i and its mask: uint8 (h, w, 3) and uint8 (h, w) of class ids, 255 = void.

    `size` is the (height, width) of most images; about one in four is upright, and one in six
    is a little flatter, as in VOC. The same i and size give the same arrays, always.
    """
    rng = np.random.default_rng([SEED, i])
    height, width = _image_size(rng, size)
    sheet = np.ascontiguousarray(pick(rng, SCENES)(height, width, rng), dtype=np.float32)
    instances = np.zeros((height, width), np.uint8)
    classes = [0]
    for k, x, y, radius in _arrange(rng, height, width):
        _, drawer, _, turn, _ = OBJECTS[k]
        paper = Cutout(radius, between(rng, -turn, turn), mirrored=rng.random() < 0.5)
        drawer(paper, rng)
        classes.append(k + 1)
        _lay_down(sheet, instances, len(classes) - 1, paper, round(x), round(y))
    sheet *= between(rng, 0.92, 1.08)
    sheet += grain(height, width, rng)[..., None] + 0.5
    mask = np.array(classes, np.uint8)[instances]
    mask[_void_border(instances)] = VOID
    return np.clip(sheet, 0, 255).astype(np.uint8), mask


def _image_size(rng, size):
    height, width = size
    upright, flat = rng.random() < 0.25, rng.random() < 1 / 6
    if flat:
        height = round(0.89 * height)
    return (width, height) if upright else (height, width)


def _arrange(rng, height, width):
    """Which objects, where and how large: a list of (row of OBJECTS, x, y, radius), large first."""
    odds = np.cumsum([weight for _, _, weight, _, _ in OBJECTS])
    n = 1 + int(np.searchsorted(np.cumsum((0.20, 0.29, 0.26, 0.16)), rng.random()))
    areas = sorted((0.012 * (0.48 / 0.012) ** rng.random() for _ in range(n)), reverse=True)
    placed = []
    for area in areas:
        k = int(np.searchsorted(odds, rng.random() * odds[-1]))
        filled = OBJECTS[k][-1]
        radius = min(0.5 * math.sqrt(area * height * width / filled), 0.46 * min(height, width))
        tries = []
        for _ in range(8):
            x = between(rng, 0.55 * radius, width - 0.55 * radius)
            y = between(rng, 0.55 * radius, height - 0.55 * radius)
            gaps = [math.hypot(x - a, y - b) / (radius + r) for _, a, b, r in placed]
            tries.append((min(gaps, default=9.0), x, y))
        closest = between(rng, 0.55, 0.9)  # below 1 they overlap
        _, x, y = next((t for t in tries if t[0] > closest), max(tries))
        placed.append((k, x, y, radius))
    return placed


def _lay_down(sheet, instances, number, paper, x, y):
    """Put a cut-out, centred at (x, y), and its shadow on the sheet; record what it covers."""
    colour, alpha = paper.finish()
    blur = max(paper.radius * 0.05, 1.0)
    shadow = Image.fromarray(np.uint8(alpha * 255)).filter(ImageFilter.GaussianBlur(blur))
    shadow = np.asarray(shadow, dtype=np.float32) / 255
    step = max(round(0.06 * paper.radius), 1)
    there, here = _overlap(sheet.shape, paper.side, x + step // 2, y + step)
    view = sheet[there]
    view *= 1 - 0.38 * shadow[here][..., None]
    there, here = _overlap(sheet.shape, paper.side, x, y)
    view = sheet[there]
    view *= 1 - alpha[here][..., None]
    view += colour[here]
    instances[there][alpha[here] >= 0.5] = number


def _overlap(shape, side, x, y):
    """Slices of the sheet and of a square of that side centred at (x, y), where they meet."""
    top, left = y - side // 2, x - side // 2
    rows = slice(max(top, 0), min(top + side, shape[0]))
    columns = slice(max(left, 0), min(left + side, shape[1]))
    here = (slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left))  # fmt: skip
    return (rows, columns), here


def _void_border(instances):
    """True along every outline: 3 pixels outside and 1 inside at VOC's size, at least 1 outside."""
    scale = min(instances.shape) / 375
    outside, inside = max(round(3 * scale), 1), round(scale)
    most, least = _spread(instances, inside, np.maximum), _spread(instances, inside, np.minimum)
    near = _spread(instances, outside, np.maximum) > 0
    return (most != least) | (near & (instances == 0))


def _spread(values, reach, choose):
    """The largest (np.maximum) or smallest value within `reach` pixels, rows then columns."""
    height, width = values.shape
    padded = np.pad(values, reach, mode="edge")
    shifts = range(2 * reach + 1)
    rows = reduce(choose, (padded[s : s + height] for s in shifts))
    return reduce(choose, (rows[:, s : s + width] for s in shifts))
