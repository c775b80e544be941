"""`make check-data`: look at every file of a data set, and say all that is wrong with it.

    python -m tools.check_data                  # the data that TUTORIAL_DATA names
    python -m tools.check_data FOLDER --leave-out

The report is also written to build/check.json. Ends with 1 where there is a problem. `--leave-out`
writes the images that cannot be used into FOLDER/leave_out.txt: notebooks then say that they pass
them over.
"""

import argparse
import sys
from pathlib import Path

from helpers.data.check import check_data
from helpers.data.folder import LEFT_OUT, left_out_of
from helpers.files import write_bytes, write_json
from helpers.settings import BUILD, load_settings


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("folder", nargs="?", type=Path, help="where the data set is (default: TUTORIAL_DATA)")
    add("--leave-out", action="store_true", help=f"write {LEFT_OUT} into the folder")
    add("--json", type=Path, default=BUILD / "check.json", help="where the report is written")
    chosen = parser.parse_args(arguments)
    root = chosen.folder or load_settings().data
    if not root.is_dir():
        parser.error(f"{root} is not a folder")
    report = check_data(root, BUILD / "data")
    write_json(chosen.json, report.to_dict())
    print(report)
    print(f"The whole report: {chosen.json}")
    if chosen.leave_out and report.ids:
        names = sorted(left_out_of(root)[0] | {*report.ids})
        write_bytes(root / LEFT_OUT, "".join(f"{name}\n" for name in names).encode())
        print(f"{len(names):,} images are passed over from now on: {root / LEFT_OUT} names them.")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
