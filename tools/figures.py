"""`make figures`: the moving picture of the README, drawn by the tutorial's own function.

python -m tools.figures
"""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from helpers.plots.windows import sliding_window
from helpers.settings import PROJECT
from helpers.windows import Geometry

FILE = PROJECT / "notebooks" / "figures" / "sliding_window.gif"
# The article's proportions, with so few images that each can be drawn; their size plays no part.
GEOMETRY = Geometry.scaled(58, size=(64, 64))
DOTS_PER_INCH, MARGIN_INCHES = 150, 0.1
COLOURS = 64
MS_A_FRAME, MS_OF_THE_LAST = 700, 4000


def animate(path: Path, geometry: Geometry) -> None:
    """Write a GIF with one frame for each round; it begins anew after the last one."""
    frames = [_pixels(geometry, round_) for round_ in range(geometry.n_rounds)]
    # One set of colours for all, without dithering: what does not move then costs no bytes. Of
    # Pillow's ways to choose them, only this one leaves white white.
    sheet = Image.fromarray(np.concatenate(frames))
    palette = sheet.quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
    first, *others = (
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in frames
    )
    durations = [MS_A_FRAME] * len(others) + [MS_OF_THE_LAST]
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)


def _pixels(geometry: Geometry, round_: int) -> np.ndarray:
    """One frame, uint8 (height, width, 3)."""
    figure = sliding_window(geometry, round_)[0].figure
    figure.get_layout_engine().set(w_pad=MARGIN_INCHES, h_pad=MARGIN_INCHES)
    figure.set_dpi(DOTS_PER_INCH)
    figure.canvas.draw()
    pixels = np.array(figure.canvas.buffer_rgba())[..., :3]
    plt.close(figure)
    return pixels


def main() -> None:
    matplotlib.use("Agg")  # no screen is needed
    animate(FILE, GEOMETRY)
    print(f"{FILE.relative_to(PROJECT)}: {FILE.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
