"""What the kept tables of learning runs say, as rows of a Markdown table."""

import pandas as pd

from experiments.claims.analysis import gaps
from experiments.intervals import mean_with_interval, paired
from experiments.records import recorded_table

DATA = ("drawn", "photographs")
WAYS_OF = {  # the column that names what was done, in tables of several machines
    "orders_drawn": "order",
    "orders_photographs": "order",
    "claims_drawn": "variant",
    "claims_photographs": "variant",
    "claims_sizes": "variant",
    "shares_drawn": "way",
    "head_photographs": "way",
}
FIRST = "tensorflow"  # beside which the other backends are set
HEAD_SCORES = {
    "mean_iou": "17 classes",
    "frequent_iou": "7 frequent classes",
    "third_mean_iou": "third set",
    "third_frequent_iou": "third set, frequent",
}


def orders_summary() -> str:
    """Mean IoU of the hold-out at the end of each order, on each data."""
    tables = {data: recorded_table(f"orders_{data}") for data in DATA}
    last = {
        data: table.groupby(["order", "seed"], sort=False)["mean_iou"].last()
        for data, table in tables.items()
    }
    return _rows("order", last, ".3f")


def gaps_summary() -> str:
    """How much higher mean IoU is on a run's own splits than on new images: last ten rounds."""
    found = {}
    for data in DATA:
        by_run = gaps(recorded_table(f"claims_{data}")).set_index(["variant", "seed"])
        found[data] = by_run["last_rounds"]
    return _rows("variant", found, "+.3f")


def shares_summary() -> str:
    """Mean IoU of the hold-out at the end of each way to share the images among processes."""
    last = recorded_table("shares_drawn").groupby(["way", "seed"], sort=False)["mean_iou"].last()
    return _rows("way", {"drawn": last}, ".3f")


def head_summary() -> str:
    """Mean IoU of a head on a backbone, on photographs, each way: over two sets of classes.

    Each on the hold-out, and on the third set, on which choices were made. Where the network was
    asked several times as well, that is a line of its own.
    """
    runs = recorded_table("head_photographs")
    columns = {f"averaged_{score}": score for score in HEAD_SCORES}
    averaged = runs.dropna(subset=[*columns])[["way", "seed", *columns]].rename(columns=columns)
    averaged["way"] += ", averaged"
    runs = pd.concat([runs, averaged]).set_index(["way", "seed"])
    return _rows("way", {words: runs[score] for score, words in HEAD_SCORES.items()}, ".3f")


def backends_summary() -> str:
    """The same training on Keras' backends: score, MiB, and speed (medians of the runs)."""
    table = recorded_table("backends")
    lines = []
    for name, runs in table.groupby("backend", sort=False):
        numbers = runs[["base_mib", "peak_mib", "window_mib", "images_per_s"]].median()
        beside = "" if name == FIRST else paired(table, "backend", name, FIRST, "mean_iou")
        score = mean_with_interval(runs["mean_iou"])
        lines.append([name, score, str(beside), *(f"{number:,.0f}" for number in numbers)])
    headings = ["backend", "mean IoU", f"minus {FIRST}'s", "libraries, MiB", "peak, MiB"]
    return _markdown([*headings, "window, MiB", "images/s"], lines)


def seeds_summary() -> str:
    """Which seeds of each way a table holds, a column for each machine."""
    lines = {}
    for table, way in WAYS_OF.items():
        runs = recorded_table(table)
        for (name, processor), seeds in runs.groupby([way, "processor"], sort=False)["seed"]:
            key = f"`{table}`", name
            lines.setdefault(key, {})[processor] = ", ".join(map(str, sorted(seeds.unique())))
    processors = sorted({processor for found in lines.values() for processor in found})
    rows = [
        [*key, *(found.get(processor, "") for processor in processors)]
        for key, found in lines.items()
    ]
    return _markdown(["table", "way", *processors], rows)


def _rows(name: str, by_data: dict[str, pd.Series], form: str) -> str:
    """A line for each name in the index, a column for each data; blank where there is no run."""
    names = list(dict.fromkeys(key for runs in by_data.values() for key, _ in runs.index))
    rows = []
    for key in names:
        cells = [
            mean_with_interval(runs[key], form) if key in runs.index.get_level_values(0) else ""
            for runs in by_data.values()
        ]
        rows.append([key, *cells])
    return _markdown([name, *by_data], rows)


def _markdown(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table of cells that are text."""
    heading, *lines = (f"| {' | '.join(cells)} |" for cells in (headings, *rows))
    return "\n".join([heading, "|---" * len(headings) + "|", *lines])
