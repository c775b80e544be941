"""The seven objects of the drawn data set: each has a shape and a texture of its own.

Every drawer gets an empty `Cutout` and a random generator. Each has favourite colours, as things
have, but may take any: a red object is often a mushroom, and not always.
"""

import numpy as np

from .paper import CREAM, INK, TAU, between, curve, ellipse, paper_colour, pick, tint


def balloon(paper, rng):
    """Smooth and glossy, on a wavy string."""
    hsv, wave = paper_colour(rng, "pink", "purple"), between(rng, 0.07, 0.12)
    string = curve(lambda t: wave * np.sin(9 * (t - 0.3)), lambda t: t, 0.3, 1.1, 40)
    paper.line(string, 0.055, tint(hsv, 0.6, 0.7))
    outline = curve(
        lambda t: np.sin(t) * (0.62 + 0.1 * np.cos(t)), lambda t: -0.36 - 0.68 * np.cos(t)
    )
    paper.polygon([(0, 0.26), (-0.11, 0.42), (0.11, 0.42)], tint(hsv, 0.72))
    paper.polygon(outline, tint(hsv, 0.84))
    with paper.inside(outline):
        paper.polygon(ellipse(-0.08, -0.46, 0.56, 0.62), tint(hsv))
        paper.polygon(ellipse(-0.16, -0.56, 0.40, 0.44), tint(hsv, 1.08, 0.86))
        paper.polygon(ellipse(-0.24, -0.70, 0.13, 0.19), tint(hsv, 1.3, 0.25))


def fish(paper, rng):
    """Rows of scales, a forked tail, an eye."""
    hsv, hue = paper_colour(rng, "teal", "sky"), pick(rng, (-0.06, 0.05, 0.4))
    fin = tint(hsv, 0.9, 1.0, hue)
    paper.polygon([(0.42, 0), (0.98, -0.48), (0.84, 0), (0.98, 0.48)], fin)
    paper.polygon([(-0.38, -0.36), (0.0, -0.68), (0.38, -0.52), (0.36, -0.2)], fin)
    paper.polygon([(-0.1, 0.36), (0.22, 0.64), (0.34, 0.24)], fin)
    for y in (-0.24, 0, 0.24):
        paper.line([(0.66, y / 3), (0.86, y)], 0.03, tint(hsv, 0.65, 1.0, hue))
    t = np.linspace(0, np.pi, 40)
    x, y = -0.94 + 1.55 * (1 - np.cos(t)) / 2, 0.46 * np.sin(t) ** 0.85
    outline = np.concatenate([np.stack([x, -y], 1), np.stack([x, y], 1)[::-1]])
    paper.polygon(outline, tint(hsv, 0.95))
    with paper.inside(outline):
        for i in range(9, -1, -1):
            for j in range(-4, 5):
                at = (-0.38 + 0.13 * i, 0.17 * j + (0.085 if i % 2 else 0))
                paper.polygon(ellipse(*at, 0.125, n=20), tint(hsv, 0.68))
                paper.polygon(ellipse(at[0] - 0.035, at[1], 0.11, n=20), tint(hsv, 1.08, 0.8))
        paper.polygon(ellipse(-0.88, 0, 0.46, 0.62), tint(hsv, 0.72))
        paper.polygon(ellipse(-0.92, 0, 0.46, 0.62), tint(hsv, 1.0, 0.9))
    paper.polygon(ellipse(-0.64, -0.1, 0.105), CREAM)
    paper.polygon(ellipse(-0.66, -0.1, 0.055), INK)
    paper.line([(-0.92, 0.1), (-0.8, 0.12), (-0.74, 0.09)], 0.03, tint(hsv, 0.5))


def mushroom(paper, rng):
    """A spotted cap over gills and a pale stem."""
    hsv, bend = paper_colour(rng, "red", "wine"), between(rng, -0.12, 0.12)
    stem = [(-0.2, -0.05), (0.2, -0.05), (0.24 + bend, 0.88), (0.1 + bend, 0.96)]
    stem += [(-0.1 + bend, 0.96), (-0.24 + bend, 0.88)]
    paper.polygon(stem, CREAM)
    with paper.inside(stem):
        for x in (-0.1, 0.02, 0.13):
            paper.line([(x, 0.3), (x + bend, 0.95)], 0.025, (222, 206, 178))
    paper.polygon([(-0.27, 0.2), (0.27, 0.2), (0.33, 0.36), (-0.33, 0.36)], (236, 222, 196))
    paper.polygon(ellipse(0, 0.02, 0.86, 0.24), (226, 204, 172))
    for x in np.linspace(-0.7, 0.7, 11):
        paper.line([(0.35 * x, 0.02), (x, 0.14)], 0.02, (190, 160, 130))
    cap = curve(lambda t: 0.95 * np.cos(t), lambda t: 0.04 - 0.92 * np.sin(t) ** 0.8, 0, np.pi, 48)
    rim = curve(lambda t: 0.95 * np.cos(t), lambda t: 0.04 + 0.08 * np.sin(t), np.pi, 0, 24)
    cap = np.concatenate([cap, rim])
    paper.polygon(cap, tint(hsv))
    with paper.inside(cap):
        paper.polygon(ellipse(-0.2, -0.5, 0.62, 0.42), tint(hsv, 1.07, 0.9))
        for x, y, r in ((-0.5, -0.2, 0.16), (-0.12, -0.56, 0.17), (0.1, -0.1, 0.14),
                        (0.42, -0.42, 0.15), (0.72, -0.08, 0.12), (-0.82, 0.0, 0.1)):  # fmt: skip
            x, y = x + between(rng, -0.05, 0.05), y + between(rng, -0.05, 0.05)
            paper.polygon(ellipse(x, y, r, 0.85 * r), CREAM)


def star(paper, rng):
    """Five points, folded into light and dark facets."""
    hsv, inner = paper_colour(rng, "yellow"), between(rng, 0.42, 0.5)
    angle = np.arange(11) * TAU / 10
    radius = np.where(np.arange(11) % 2, inner, 1.0)
    tips = np.stack([radius * np.sin(angle), -radius * np.cos(angle)], axis=1)
    paper.polygon(tips, tint(hsv, 0.9))
    for i in range(10):
        shade = tint(hsv, 1.12, 0.8) if i % 2 else tint(hsv, 0.74)
        paper.polygon([(0, 0), tips[i], tips[i + 1]], shade)


def wheel(paper, rng):
    """A tyre, a rim, spokes; what lies behind shows between the spokes."""
    hsv, n = paper_colour(rng, "ochre"), pick(rng, (5, 6, 7))
    paper.polygon(ellipse(0, 0, 0.98, n=96), tint(hsv, 0.52, 0.8))
    paper.polygon(ellipse(0, 0, 0.84, n=96), tint(hsv, 1.05, 0.75))
    paper.polygon(ellipse(0, 0, 0.67, n=96), None)
    for i in range(n):
        x, y = np.sin(TAU * i / n), -np.cos(TAU * i / n)
        paper.line([(0.1 * x, 0.1 * y), (0.74 * x, 0.74 * y)], 0.09, tint(hsv, 0.9))
    paper.polygon(ellipse(0, 0, 0.22), tint(hsv, 0.6))
    paper.polygon(ellipse(0, 0, 0.12), CREAM)


def kite(paper, rng):
    """A diamond of four quarters, a tail with bows."""
    hsv, other = paper_colour(rng, "orange"), paper_colour(rng)
    swing = between(rng, 0.12, 0.2) * pick(rng, (-1, 1))
    tail = curve(lambda t: swing * np.sin(8 * (t - 0.36)), lambda t: t, 0.36, 1.12, 40)
    paper.line(tail, 0.055, tint(hsv, 0.5))
    for i in (14, 25, 36):
        x, y = tail[i]
        bow = [(-0.17, -0.1), (0.17, 0.1), (0.17, -0.1), (-0.17, 0.1)]
        paper.polygon(np.add(bow, (x, y)), tint(other))
    top, right, low, left, mid = (0, -1), (0.66, -0.38), (0, 0.4), (-0.66, -0.38), (0, -0.38)
    light, dark = tint(hsv), tint(other, 1.0, 0.25)
    paper.polygon([top, right, low, left], light)
    paper.polygon([top, right, mid], dark)
    paper.polygon([low, left, mid], dark)
    paper.line([top, low], 0.035, INK)
    paper.line([left, right], 0.035, INK)


def umbrella(paper, rng):
    """A striped canopy with a scalloped hem, a thin handle that ends in a hook."""
    hsv, other = paper_colour(rng, "blue"), tint(paper_colour(rng), 1.15, 0.22)
    hook = curve(lambda t: 0.15 - 0.15 * np.cos(t), lambda t: 0.82 + 0.16 * np.sin(t), 0, np.pi, 24)
    paper.line(np.concatenate([[(0, -0.9)], [(0, 0.82)], hook]), 0.065, INK)
    paper.line([(0, -1.0), (0, -0.8)], 0.05, INK)
    edges = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 7)) * 0.98
    for i in range(6):
        left, right = edges[i], edges[i + 1]
        rise = np.linspace(0, 1, 24)
        up = np.stack([left * np.cos(rise * np.pi / 2), 0.02 - 0.9 * np.sin(rise * np.pi / 2)], 1)
        down = np.stack([right * np.cos(rise * np.pi / 2), up[:, 1]], 1)[::-1]
        hem = np.linspace(right, left, 16)
        sag = np.sin(np.linspace(0, np.pi, 16)) * 0.13
        panel = np.concatenate([up, down, np.stack([hem, 0.02 - sag], 1)])
        paper.polygon(panel, other if i % 2 else tint(hsv))


# Name, drawer, how often it is chosen, most turn from upright (radians), and about how much of the
# square around it is filled (less makes the class larger). In the order of the class ids from 1.
OBJECTS = (
    ("balloon", balloon, 0.23, 0.4, 0.36),
    ("fish", fish, 0.18, 0.45, 0.33),
    ("mushroom", mushroom, 0.15, 0.4, 0.40),
    ("star", star, 0.13, np.pi, 0.30),
    ("wheel", wheel, 0.12, np.pi, 0.40),
    ("kite", kite, 0.10, 0.5, 0.22),
    ("umbrella", umbrella, 0.09, 0.45, 0.25),
)
