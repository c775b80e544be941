"""Write the measured numbers into README, docs and results, where their marks stand.

    <!--03_fcn_training:holdout_mean_iou-->0.86<!---->     a key figure of a stored notebook
    <!--minutes:03_fcn_training-->2.4<!---->               its minutes; likewise `peak`, in MiB
    <!--person:03_fcn_training-->30<!---->                 a person's minutes, as its top says
    <!--table:loaders_photographs-->…<!---->               the rows of a kept measurement
    <!--turns:race_photographs-->…<!---->           each runner of a race beside the others, by turn
    <!--summary:orders-->…<!---->           what its runs say; and the other names in SUMMARIES
    <!--gpu:peak_float32-->5,468<!---->                    GPU memory at its peak, in MiB
    <!--gpu:learn_float32-->0.872, 0.868<!---->            mean IoU of each seed

A number keeps the decimals that stand there. `make outputs` ends with this; a test holds it.

    python -m tools.numbers
"""

import re
from pathlib import Path

import nbformat

from experiments.claims.summary import (
    backends_summary,
    gaps_summary,
    head_summary,
    orders_summary,
    seeds_summary,
    shares_summary,
)
from experiments.packed import packed_summary
from experiments.race.compare import decoding_table, rows_of_turns, table
from experiments.race.gpu import feed_table
from experiments.race.turns import turns_table
from experiments.records import recorded, recorded_table
from helpers.files import read_json
from helpers.notebook.stored import FIGURES, KEY
from helpers.settings import PROJECT

NOTEBOOKS = PROJECT / "notebooks"
SUMMARIES = {
    "orders": orders_summary,
    "gaps": gaps_summary,
    "packed": packed_summary,
    "shares": shares_summary,
    "seeds": seeds_summary,
    "head": head_summary,
    "backends": backends_summary,
    "alone": lambda: decoding_table(recorded("loaders_alone")["rows"]),
    "peers": lambda: decoding_table(rows_of_turns(recorded_table("race_peers"))),
}
OURS = {"race_peers": "sliding_subset"}  # which of ours the others stand beside
RECOMMENDED = "sliding_subset_reshuffled"
MARK = re.compile(r"<!--(\w+):(\w+)-->(.*?)<!---->", flags=re.DOTALL)


def documents() -> list[Path]:
    """The README, everything in docs/, and what the kept measurements say."""
    results = PROJECT / "experiments" / "results" / "README.md"
    return [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")), results]


def filled(text: str) -> str:
    """The text with every marked number and table as measured. KeyError for an unknown one."""
    return MARK.sub(lambda mark: f"<!--{mark[1]}:{mark[2]}-->{_value(*mark.groups())}<!---->", text)


def _value(source: str, name: str, there: str) -> str:
    if source == "table":
        rows = recorded(name)["rows"]
        return f"\n{feed_table(rows) if name == 'gpu_feed' else table(rows, 'pipe')}\n"
    if source == "turns":
        return f"\n{turns_table(recorded_table(name), OURS.get(name, RECOMMENDED))}\n"
    if source == "summary":
        return f"\n{SUMMARIES[name]()}\n"
    if source in ("minutes", "peak"):
        stored = _metadata(name)
        return (
            f"{stored['seconds'] / 60:.1f}" if source == "minutes" else f"{stored['peak_mib']:,.0f}"
        )
    if source == "gpu":
        return _on_the_gpu(*name.split("_"))
    if source == "person":
        return _minutes_of_a_person(name)
    decimals = len(there.partition(".")[2])
    return f"{read_json(NOTEBOOKS / FIGURES / 'measured.json')[source][name]:,.{decimals}f}"


def _on_the_gpu(what: str, precision: str) -> str:
    """The peak of GPU memory in MiB, or the mean IoU of each seed, of a precision."""
    report = recorded("gpu_feed" if what == "peak" else "gpu_learn")
    rows = [row for row in report["rows"] if row["precision"].endswith(precision)]
    if what == "peak":
        return f"{rows[0]['peak_gpu_mib']:,.0f}"
    return ", ".join(f"{row['mean_iou']:.3f}" for row in rows)


def _metadata(notebook: str) -> dict:
    return _read(notebook).metadata[KEY]


def _minutes_of_a_person(notebook: str) -> str:
    """The first "About … minutes" of a notebook's text."""
    texts = [cell.source for cell in _read(notebook).cells if cell.cell_type == "markdown"]
    said = re.search(r"\bAbout (\d+) minutes\b", "\n".join(texts))
    if said is None:
        raise ValueError(f'notebooks/{notebook}.ipynb does not say "About … minutes" at its top')
    return said[1]


def _read(notebook: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4)


def main() -> None:
    for path in documents():
        text = path.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            path.write_text(new, encoding="utf-8")
            print(f"{path.relative_to(PROJECT)}: numbers brought up to date")


if __name__ == "__main__":
    main()
