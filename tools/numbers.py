"""Write the measured numbers into README and docs, where their marks stand.

    <!--03_fcn_training:holdout_mean_iou-->0.86<!---->     a key figure of a stored notebook
    <!--minutes:03_fcn_training-->2.4<!---->               its minutes; likewise `peak`, in MiB
    <!--table:loaders_photographs-->…<!---->               the rows of a kept measurement

A number keeps the decimals that stand there. `make outputs` ends with this; a test holds it.

    python -m tools.numbers
"""

import re
from pathlib import Path

import nbformat

from experiments.race.compare import table
from experiments.records import recorded
from helpers.files import read_json
from helpers.notebook.stored import FIGURES, KEY
from helpers.settings import PROJECT

NOTEBOOKS = PROJECT / "notebooks"
MARK = re.compile(r"<!--(\w+):(\w+)-->(.*?)<!---->", flags=re.DOTALL)


def documents() -> list[Path]:
    """The README and everything in docs/."""
    return [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]


def filled(text: str) -> str:
    """The text with every marked number and table as measured. KeyError for an unknown one."""
    return MARK.sub(lambda mark: f"<!--{mark[1]}:{mark[2]}-->{_value(*mark.groups())}<!---->", text)


def _value(source: str, name: str, there: str) -> str:
    if source == "table":
        return f"\n{table(recorded(name)['rows'], 'pipe')}\n"
    if source in ("minutes", "peak"):
        stored = _metadata(name)
        return (
            f"{stored['seconds'] / 60:.1f}" if source == "minutes" else f"{stored['peak_mib']:,.0f}"
        )
    decimals = len(there.partition(".")[2])
    return f"{read_json(NOTEBOOKS / FIGURES / 'measured.json')[source][name]:,.{decimals}f}"


def _metadata(notebook: str) -> dict:
    return nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).metadata[KEY]


def main() -> None:
    for path in documents():
        text = path.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            path.write_text(new, encoding="utf-8")
            print(f"{path.relative_to(PROJECT)}: numbers brought up to date")


if __name__ == "__main__":
    main()
