"""`make data`: draw the offline data set, in VOC's layout.

python -m tools.draw               draws data/shapes (800 images, 500×375)
python -m tools.draw --tiny        draws data/tiny (80 images, 160×120)
"""

import argparse
from pathlib import Path

from helpers.data.shapes import TINY, draw_set
from helpers.settings import DATA_FOLDERS


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Draw the offline data set in VOC's layout.")
    parser.add_argument("--tiny", action="store_true", help="draw data/tiny: 60 + 20, 160×120")
    parser.add_argument("--out", type=Path, help="folder to draw into (default: data/shapes)")
    parser.add_argument("--train", type=int, help="images in train.txt (default: 600)")
    parser.add_argument("--val", type=int, help="images in val.txt (default: 200)")
    parser.add_argument("--size", type=_parse_size, metavar="WxH", help="default: 500x375")
    given = parser.parse_args(arguments)
    settings = dict(TINY) if given.tiny else {}
    for key, value in (("n_train", given.train), ("n_val", given.val), ("size", given.size)):
        if value is not None:
            settings[key] = value
    out = given.out or DATA_FOLDERS["tiny" if given.tiny else "shapes"]
    try:
        draw_set(out, **settings)
    except (ValueError, OSError) as error:
        parser.exit(1, f"{error}\n")
    print(f"{out} is complete")


def _parse_size(text):
    try:
        width, height = map(int, text.lower().replace("×", "x").split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, such as 500x375") from None
    return height, width


if __name__ == "__main__":
    main()
