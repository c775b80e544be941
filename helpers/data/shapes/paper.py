"""What the drawn data set is cut with: colours, curves, and a sheet of paper to draw one object on.

An object is drawn in its own coordinates: x to the right, y down, its outline about within -1..1.
Drawing happens several times too large and is averaged down, which smooths the edges. Points are
rounded to whole (oversampled) pixels, so the last bit of a sine cannot move an edge.
"""

import colorsys
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

TAU = 2 * np.pi
# Hue, saturation, value. All classes share the papers, so colour alone does not tell the class.
PAPERS = {
    "red": (0.01, 0.72, 0.88),
    "orange": (0.06, 0.75, 0.93),
    "ochre": (0.09, 0.64, 0.78),
    "yellow": (0.125, 0.72, 0.96),
    "teal": (0.47, 0.62, 0.68),
    "sky": (0.54, 0.62, 0.78),
    "blue": (0.62, 0.60, 0.78),
    "purple": (0.78, 0.42, 0.68),
    "pink": (0.93, 0.48, 0.90),
    "wine": (0.97, 0.68, 0.70),
}
CREAM = (250, 240, 218)
INK = (52, 44, 58)


def between(rng, low, high):
    """A uniform number; only `rng.random()` is used, the most stable stream NumPy has."""
    return low + (high - low) * rng.random()


def pick(rng, items):
    """One of the items, all equally likely."""
    return items[int(rng.random() * len(items))]


def paper_colour(rng, *favourites):
    """Three times in four one of the favourites, if there are any; else any paper."""
    names = favourites if favourites and rng.random() < 0.75 else tuple(PAPERS)
    return PAPERS[pick(rng, names)]


def tint(hsv, value=1.0, saturation=1.0, hue=0.0):
    """RGB 0..255 of a paper colour, made lighter, paler or shifted."""
    h, s, v = hsv
    rgb = colorsys.hsv_to_rgb((h + hue) % 1, min(s * saturation, 1), min(v * value, 1))
    return tuple(round(255 * c) for c in rgb)


def curve(x, y, start=0.0, stop=TAU, n=72):
    """Points (x(t), y(t)) for t from start to stop."""
    t = np.linspace(start, stop, n)
    return np.stack(np.broadcast_arrays(x(t), y(t)), axis=1)


def ellipse(x, y, rx, ry=None, n=48):
    """Outline of an ellipse around (x, y)."""
    ry = rx if ry is None else ry
    return curve(lambda t: x + rx * np.cos(t), lambda t: y + ry * np.sin(t), n=n)


def grain(height, width, rng):
    """Paper texture (height, width): fine grain and large faint blots, about ±6 grey levels."""
    fine = (rng.random((height, width), dtype=np.float32) - 0.5) * 12
    coarse = np.float32((rng.random((height // 20 + 2, width // 20 + 2)) - 0.5) * 6)
    return fine + Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


class Cutout:
    """A square sheet of paper to draw one object on."""

    def __init__(self, radius, angle=0.0, mirrored=False):
        self.factor = 4 if radius < 60 else 3 if radius < 120 else 2
        self.radius = radius
        self.side = 2 * int(np.ceil(1.15 * radius)) + 2
        c, s = np.cos(angle), np.sin(angle)
        flip = -1.0 if mirrored else 1.0
        self.turn = np.array([[c * flip, s * flip], [-s, c]]) * radius * self.factor
        self.centre = self.side * self.factor / 2
        big = (self.side * self.factor,) * 2
        self.colour, self.alpha = Image.new("RGB", big), Image.new("L", big)

    def pixels(self, points):
        """Object coordinates to oversampled pixels, as Pillow wants them."""
        xy = np.rint(np.asarray(points, dtype=float) @ self.turn + self.centre)
        return [tuple(p) for p in xy.astype(int).tolist()]

    def polygon(self, points, colour):
        """Fill a shape; colour None cuts a hole."""
        xy = self.pixels(points)
        ImageDraw.Draw(self.colour).polygon(xy, fill=colour or (0, 0, 0))
        ImageDraw.Draw(self.alpha).polygon(xy, fill=0 if colour is None else 255)

    def line(self, points, width, colour):
        """A line with round ends, never thinner than 1.6 pixels of the finished image."""
        xy = self.pixels(points)
        wide = max(round(max(width * self.radius, 1.6) * self.factor), 1)
        for image, fill in ((self.colour, colour), (self.alpha, 255)):
            pen = ImageDraw.Draw(image)
            pen.line(xy, fill=fill, width=wide, joint="curve")
            for x, y in (xy[0], xy[-1]):
                pen.ellipse([x - wide // 2, y - wide // 2, x + wide // 2, y + wide // 2], fill)

    @contextmanager
    def inside(self, points):
        """What is drawn meanwhile shows only inside the shape."""
        sheet, alpha = self.colour, self.alpha
        self.colour, self.alpha = sheet.copy(), Image.new("L", (1, 1))
        yield
        stencil = Image.new("L", sheet.size)
        ImageDraw.Draw(stencil).polygon(self.pixels(points), fill=255)
        sheet.paste(self.colour, mask=stencil)
        self.colour, self.alpha = sheet, alpha

    def finish(self):
        """float32 colour (side, side, 3), multiplied by alpha, and alpha (side, side) in 0..1.

        A light from the upper left bends the sheet: lighter and darker edges, a soft gradient.
        """
        small = self.alpha.reduce(self.factor)
        alpha = np.asarray(small, dtype=np.float32) / 255
        colour = np.asarray(self.colour.reduce(self.factor), dtype=np.float32)
        soft = small.filter(ImageFilter.BoxBlur(max(self.radius / 22, 0.6)))
        soft = np.asarray(soft, dtype=np.float32) / 255
        k = max(int(self.radius / 40), 1)
        bevel = np.roll(soft, (-k, -k), (0, 1)) - np.roll(soft, (k, k), (0, 1))
        ramp = np.linspace(0.5, -0.5, self.side, dtype=np.float32)
        light = 1 + 0.16 * (ramp[:, None] + ramp[None, :]) + 0.28 * bevel
        return np.clip(colour * light[..., None], 0, 255 * alpha[..., None]), alpha
