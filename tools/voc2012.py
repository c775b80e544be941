"""`make voc`: download Pascal VOC 2012 and unpack what segmentation needs.

python -m tools.voc2012                        into data/VOCdevkit/VOC2012
python -m tools.voc2012 --archive FILE.tar     without a download
"""

import argparse
from pathlib import Path

from helpers.data.voc2012 import ARCHIVE, fetch_voc2012
from helpers.settings import PROJECT, voc_urls


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Fetch Pascal VOC 2012 for segmentation.")
    parser.add_argument("--archive", type=Path, help=f"a copy of {ARCHIVE} that you have")
    parser.add_argument("--out", type=Path, default=PROJECT / "data", help="folder to put it in")
    given = parser.parse_args(arguments)
    try:
        root = fetch_voc2012(given.out, given.archive, voc_urls())
    except (ValueError, OSError) as error:
        parser.exit(1, f"{error}\n")
    print(f"VOC 2012 is in {root}")
    kept = given.out / ARCHIVE
    if kept.exists():
        print(f"{kept} is no longer needed and may be deleted.")
    print("The 'full' profile finds it in data/. To use it with any profile, set")
    print(f"  TUTORIAL_DATA={root.resolve()}")


if __name__ == "__main__":
    main()
