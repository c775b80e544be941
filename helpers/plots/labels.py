"""Labels beside dots, none of them on top of another label, a dot or a line."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from helpers.plots.style import INK

# Lengths in points, but for GAP and PAD, which are pixels.
AWAY = (8, *range(14, 200, 8))
DEGREES = (0, 180, 90, 270, 30, 330, 150, 210, 60, 300, 120, 240, 285, 255, 75, 105)
DOT_RADIUS = 5
GAP = 4  # between a label and the dots of others, so that its own is the nearest
PAD = 2  # around the lines that labels keep off
ORDERS = 16


class _Place(NamedTuple):
    """A place for one label: how far from its dot, and the pixels that it takes there."""

    away: float
    offset: tuple[float, float]
    anchored: tuple[float, float]
    box: Bbox
    leader: Path


class _Taken(NamedTuple):
    """What a label has to keep off, in pixels."""

    inside: Bbox
    dots: list[Bbox]
    boxes: list[Bbox]
    leaders: list[Path]


def label_dots(
    ax: Axes,
    points: Sequence[tuple[float, float]],
    labels: Sequence[str],
    colours: Sequence[str],
    avoid: Sequence[Artist] = (),
) -> None:
    """Write `labels[k]` near `points[k]`, (x, y) in the units of the axes, on nothing of `avoid`.

    A label that is not beside its dot gets a thin line to it, in `colours[k]`. Call this last: it
    lays out the figure, and the places are free in that layout. One label after another takes the
    nearest free place; of a few orders to do so, always the same, the best one is drawn.
    """
    ax.figure.draw_without_rendering()
    scale = ax.figure.dpi / 72
    centres = ax.transData.transform(points)
    dots = [Bbox([xy - DOT_RADIUS * scale, xy + DOT_RADIUS * scale]) for xy in centres]
    avoided = [artist.get_window_extent().padded(PAD) for artist in avoid]
    choices = [
        list(_places(xy, _size(ax, label), scale))
        for xy, label in zip(centres, labels, strict=True)
    ]
    rng = np.random.default_rng(0)
    price, best = np.inf, {}
    for _ in range(ORDERS):
        order = rng.permutation(len(dots))
        price, best = min(
            (price, best),
            _place_all(choices, order, ax.bbox, dots, avoided, price),
            key=lambda tried: tried[0],
        )
    for k, place in best.items():
        _write(ax, points[k], labels[k], colours[k], place)


def _size(ax: Axes, label: str) -> np.ndarray:
    """Width and height in pixels."""
    text = ax.text(0, 0, label, fontsize=9)
    size = text.get_window_extent().size
    text.remove()
    return size


def _places(centre: np.ndarray, size: np.ndarray, scale: float) -> Iterator[_Place]:
    """Places around a dot, the nearest first; `scale` is pixels a point."""
    for away in AWAY:
        for angle in np.deg2rad(DEGREES):
            direction = np.array([np.cos(angle), np.sin(angle)])
            # The point of the text that is nearest to the dot: 0 left or bottom, 1 right or top.
            part = 0.5 - 0.5 * np.sign(np.round(direction, 1))
            end = centre + away * direction * scale
            box = Bbox([end - part * size, end + (1 - part) * size])
            leader = Path([centre + DOT_RADIUS * direction * scale, end])
            yield _Place(away, tuple(away * direction), tuple(part), box, leader)


def _place_all(
    choices: list[list[_Place]],
    order: Sequence[int],
    inside: Bbox,
    dots: list[Bbox],
    avoided: list[Bbox],
    too_much: float,
) -> tuple[float, dict[int, _Place]]:
    """(price, places by label): conflicts cost most, then the distance of labels from dots.

    Gives up as soon as the price is `too_much`.
    """
    chosen, price = {}, 0.0
    for k in order:
        taken = _Taken(
            inside,
            [dot for n, dot in enumerate(dots) if n != k],
            [*avoided, *(place.box for place in chosen.values())],
            [place.leader for place in chosen.values()],
        )
        fewest = np.inf
        for place in choices[k]:
            conflicts = _conflicts(place, taken)
            if conflicts < fewest:
                fewest, chosen[k] = conflicts, place
            if conflicts == 0:
                break
        price += 1000 * fewest + chosen[k].away
        if price >= too_much:
            break
    return price, chosen


def _conflicts(place: _Place, taken: _Taken) -> int:
    """How many things the label or its line would cover; leaving the axes counts most."""
    if not all(taken.inside.contains(*corner) for corner in (place.box.min, place.box.max)):
        return 1000
    covered = place.box.count_overlaps(taken.boxes)
    covered += place.box.padded(GAP).count_overlaps(taken.dots)
    if covered:
        return 10 * covered
    crossed = [place.leader.intersects_bbox(box, filled=False) for box in taken.boxes + taken.dots]
    crossed += [leader.intersects_bbox(place.box, filled=False) for leader in taken.leaders]
    crossed += [leader.intersects_path(place.leader, filled=False) for leader in taken.leaders]
    return sum(crossed)


def _write(ax: Axes, point: tuple, label: str, colour: str, place: _Place) -> None:
    line = {"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    x, y = place.anchored
    ax.annotate(
        label,
        point,
        place.offset,
        textcoords="offset points",
        ha={0: "left", 0.5: "center", 1: "right"}[x],
        va={0: "bottom", 0.5: "center", 1: "top"}[y],
        fontsize=9,
        color=INK,
        arrowprops=line | {"relpos": (x, y)} if place.away > AWAY[0] else None,
    )
