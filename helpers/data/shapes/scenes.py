"""The six backgrounds of the drawn data set: layers of paper, one before the other.

A scene is a float32 array (height, width, 3) with values 0..255. Edges are drawn as distances
to the edge in pixels, clipped to 0..1, which smooths them without oversampling.
"""

import numpy as np
from PIL import Image

from .paper import TAU, between, pick


def gradient(height, width, top, bottom):
    """A sheet that changes colour from top to bottom."""
    return np.repeat(shades(height, top, bottom), width, axis=1)


def shades(height, top, bottom):
    """One column of a gradient, float32 (height, 1, 3)."""
    t = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return np.float32(top) * (1 - t) + np.float32(bottom) * t


def blend(sheet, alpha, colour):
    """Lay a colour over the sheet where alpha is 1, in place."""
    sheet += (np.float32(colour) - sheet) * alpha[..., None]


def disc(sheet, x, y, radius, colour, glow=0.0):
    """A disc at (x, y) in pixels; glow adds a halo of that many radii."""
    rows, columns = np.ogrid[: sheet.shape[0], : sheet.shape[1]]
    distance = np.sqrt((rows - y) ** 2 + (columns - x) ** 2).astype(np.float32)
    solid = np.clip(radius - distance + 0.5, 0, 1)
    if glow:
        np.maximum(solid, 0.55 * np.exp(-distance / (glow * radius)), out=solid)
    blend(sheet, solid, colour)


def layer(sheet, edge, top, bottom):
    """A sheet of paper below the line `edge` (width,), with a soft shadow on what is behind."""
    height = len(sheet)
    first = min(max(int(edge.min()) - height // 12, 0), height)
    last = min(max(int(edge.max()) + 2, first), height)
    colours = shades(height - first, top, bottom)
    # Only the rows that the edge and its shadow cross need blending.
    view = sheet[first:last]
    below = np.arange(first, last, dtype=np.float32)[:, None] - edge.astype(np.float32)
    view *= 1 - 0.2 * np.exp(np.minimum(below, 0) / (0.018 * height))[..., None]
    view += (colours[: last - first] - view) * np.clip(below + 0.5, 0, 1)[..., None]
    sheet[last:] = colours[last - first :]


def waves(rng, width, base, swing, cycles):
    """A smooth line: three sines of falling size around `base`, in pixels."""
    x = np.linspace(0, 1, width)
    line = np.full(width, float(base))
    for k in range(3):
        line += swing * 0.55**k * np.sin(TAU * (x * cycles * 1.9**k + rng.random()))
    return line


def clouds(sheet, rng, n, colour):
    """Flat-bottomed heaps of discs in the upper third."""
    height, width = sheet.shape[:2]
    for _ in range(n):
        x, y = between(rng, 0, width), between(rng, 0.06, 0.34) * height
        size = between(rng, 0.04, 0.08) * height
        rows = slice(max(int(y - 2 * size), 0), int(y + size))
        columns = slice(max(int(x - 3.5 * size), 0), int(x + 3.5 * size))
        sky = sheet[rows, columns]
        down, right = np.ogrid[rows.start : rows.start + len(sky), columns.start : columns.stop]
        right, solid = right[:, : sky.shape[1]], np.zeros(sky.shape[:2], np.float32)
        for k in (-1.7, -0.7, 0.4, 1.5):
            r = size * (1.0 - 0.22 * abs(k)) * between(rng, 0.9, 1.25)
            distance = np.sqrt((down - y) ** 2 + (right - x - k * size) ** 2)
            np.maximum(solid, np.clip(r - distance + 0.5, 0, 1), out=solid)
        blend(sky, 0.85 * solid * np.clip(y + 0.25 * size - down, 0, 1), colour)


def hills(height, width, rng):
    """Green ridges under a morning sky."""
    sheet = gradient(height, width, (126, 186, 222), (248, 236, 206))
    x, y = between(rng, 0.1, 0.9) * width, between(rng, 0.12, 0.3) * height
    disc(sheet, x, y, 0.075 * height, (255, 240, 190), glow=1.6)
    clouds(sheet, rng, 3, (255, 252, 246))
    greens = ((154, 196, 178), (120, 172, 136), (88, 146, 100), (62, 116, 78))
    for k, green in enumerate(greens):
        line = waves(rng, width, (0.46 + 0.14 * k) * height, 0.05 * height, between(rng, 0.6, 1.5))
        layer(sheet, line, green, np.multiply(green, 0.84))
    return sheet


def sea(height, width, rng):
    """Rows of waves to the horizon."""
    sky = pick(rng, (((250, 206, 176), (252, 236, 212)), ((150, 206, 228), (240, 244, 236))))
    sheet = gradient(height, width, *sky)
    x = between(rng, 0.1, 0.9) * width
    disc(sheet, x, between(rng, 0.14, 0.3) * height, 0.085 * height, (255, 226, 160), glow=1.4)
    clouds(sheet, rng, 2, (255, 250, 244))
    position = np.arange(width) / height
    for k in range(6):
        length = 0.09 + 0.035 * k
        crest = np.abs(np.sin(np.pi * (position / length + rng.random())))
        line = (0.40 + 0.105 * k) * height + (0.012 + 0.005 * k) * height * crest
        top = np.float32((128, 196, 204)) * (1 - k / 6) + np.float32((34, 92, 132)) * k / 6
        layer(sheet, line, top * 1.04, top * 0.88)
    return sheet


def meadow(height, width, rng):
    """Blades of grass and flowers under a strip of sky."""
    sheet = gradient(height, width, (178, 216, 226), (236, 242, 220))
    clouds(sheet, rng, 1, (255, 255, 250))
    layer(
        sheet,
        waves(rng, width, 0.24 * height, 0.03 * height, 1.0),
        (132, 176, 132),
        (120, 168, 112),
    )
    edge = waves(rng, width, 0.33 * height, 0.025 * height, 0.8)
    layer(sheet, edge, (158, 196, 104), (86, 142, 72))
    blades = rng.random((max(height // 14, 2), max(width // 2, 2)))
    blades = Image.fromarray(np.float32(blades)).resize((width, height), Image.Resampling.BICUBIC)
    grass = np.clip(np.arange(height)[:, None] - edge, 0, 1)
    sheet *= (1 + (np.asarray(blades) - 0.5) * 0.22 * grass)[..., None].astype(np.float32)
    for _ in range(46):
        depth = rng.random()
        x, y = rng.random() * width, (0.42 + 0.57 * depth) * height
        size = (0.005 + 0.009 * depth) * height
        petal = pick(rng, ((255, 250, 240), (252, 216, 110), (236, 150, 160)))
        flower(sheet, int(x), int(y), size, petal)
    return sheet


def flower(sheet, x, y, size, petal):
    """A small disc with a yellow heart, drawn on its own few pixels."""
    reach = int(3 * size) + 2
    view = sheet[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach]
    at = (min(x, reach), min(y, reach))
    disc(view, *at, size, petal)
    disc(view, *at, 0.4 * size, (240, 176, 60))


def evening(height, width, rng):
    """Mountains at dusk, a moon, the first stars."""
    sheet = gradient(height, width, (42, 44, 92), (236, 150, 128))
    for _ in range(60):
        x, y = int(rng.random() * width), int(rng.random() ** 1.5 * 0.5 * height)
        sheet[y, x] += (255 - sheet[y, x]) * np.float32(between(rng, 0.4, 1.0))
    x, y = between(rng, 0.1, 0.9) * width, between(rng, 0.12, 0.25) * height
    disc(sheet, x, y, 0.06 * height, (250, 240, 214), glow=1.8)
    for k, violet in enumerate(((168, 116, 146), (126, 90, 136), (88, 70, 116), (60, 50, 92))):
        knots = np.linspace(0, width - 1, 7 + 2 * k)
        peaks = (0.46 + 0.14 * k) * height + (rng.random(len(knots)) - 0.5) * 0.2 * height
        line = np.interp(np.arange(width), knots, peaks)
        layer(sheet, line, np.multiply(violet, 1.1), np.multiply(violet, 0.8))
    return sheet


def forest(height, width, rng):
    """Rows of firs in the mist."""
    sheet = gradient(height, width, (204, 220, 216), (246, 238, 214))
    x, y = between(rng, 0.1, 0.9) * width, between(rng, 0.14, 0.3) * height
    disc(sheet, x, y, 0.07 * height, (255, 244, 214), glow=1.4)
    column = np.arange(width, dtype=float)
    for k, green in enumerate(((176, 202, 192), (132, 172, 158), (86, 134, 118), (48, 96, 86))):
        line = waves(rng, width, (0.54 + 0.14 * k) * height, 0.02 * height, 1.0)
        ground, trees, spacing = line.copy(), 26 - 4 * k, width / (26 - 4 * k)
        for j in range(trees):
            x, tall = (
                (j + rng.random()) * spacing,
                between(rng, 0.10, 0.22) * height * (1 + 0.2 * k),
            )
            away = np.abs(column - x) / (0.3 * tall)
            # Branches: the slope falls back a little at every step.
            steps = np.clip(away + 0.2 * (np.mod(away * 4, 1) - 0.5), 0, None)
            line = np.minimum(line, np.where(away < 1, ground - tall * (1 - steps), ground))
        layer(sheet, line, green, np.multiply(green, 0.86))
    return sheet


def room(height, width, rng):
    """Wallpaper, a skirting board and floor boards."""
    wall = np.float32(
        pick(rng, ((206, 190, 170), (176, 196, 194), (214, 186, 176), (186, 184, 206)))
    )
    sheet = gradient(height, width, wall * 1.05, wall * 0.95)
    rows, columns = np.ogrid[:height, :width]
    period = 0.11 * height
    if rng.random() < 0.5:
        pattern = np.clip(np.sin(TAU * columns / period) * 3, -1, 1) * np.ones((height, 1))
    else:
        dots = np.cos(TAU * rows / period) + np.cos(TAU * columns / period)
        pattern = np.clip(dots * 4 - 5.5, -0.3, 1)
    sheet *= (1 + 0.045 * pattern)[..., None].astype(np.float32)
    floor = between(rng, 0.66, 0.76) * height
    layer(sheet, np.full(width, floor - 0.05 * height), wall * 1.16, wall * 1.1)
    layer(sheet, np.full(width, floor), (170, 126, 88), (196, 148, 104))
    below = np.clip((rows - floor) / (height - floor), 0, 1)
    spread = (columns - width / 2) / (0.35 + 0.65 * below) / width
    seam = np.abs(np.mod(spread * 7, 1) - 0.5) < 0.03
    tone = 1 + 0.07 * np.sin(np.floor(spread * 7 + 0.5) * 2.4)
    boards = np.where(rows > floor, np.where(seam, 0.78, tone), 1)
    sheet *= boards[..., None].astype(np.float32)
    return sheet


SCENES = (hills, sea, meadow, evening, forest, room)
