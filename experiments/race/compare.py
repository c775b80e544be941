"""Several loaders, several times each, turn by turn: medians and spreads."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from tabulate import tabulate

from experiments.intervals import interval
from experiments.race.loaders import LOADERS, NO_LOADER, name_of
from experiments.race.measure import RaceSettings, measure_method
from helpers.workshop import Workshop

SPREAD = (
    "images_per_s", "loader_images_per_s", "peak_mib_over_base", "ratio_to_limit",
    "images_per_s_from_start",
)  # fmt: skip
SHARES = ("ratio_to_limit", "share_of_decoding")
LIMIT = "constant_batch"


def compare(
    methods,
    settings: RaceSettings,
    workshop: Workshop,
    repeats: int = 3,
    said: Callable = lambda line: None,
) -> list[dict]:
    """Measure each of `methods` `repeats` times; one row a method.

    They are names in `LOADERS`, or functions of such names, which are raced in their place.

    The methods take turns, in another order each time, which is drawn: a machine that slows down
    slows all of them, and none always follows the same one. Every run has a fresh process.
    Hold-outs are scored in the first turn only: the seed is the same in all of them.
    `ratio_to_limit` is a run's speed as a share of that of `constant_batch` in the same turn, if it
    takes part. `said` is given a line for each run.
    """
    runs = {name_of(method): [] for method in methods}
    for turn in range(repeats):
        for place in np.random.default_rng(turn).permutation(len(methods)):
            method = methods[place]
            score = settings.score and turn == 0
            run = measure_method(method, replace(settings, score=score), workshop)
            runs[run["method"]].append(run)
            said(f"turn {turn + 1} of {repeats}: {_line(run)}")
    for runs_of_method in runs.values():
        for run, limit in zip(runs_of_method, runs.get(LIMIT, []), strict=False):
            if "images_per_s" in run:
                run["ratio_to_limit"] = run["images_per_s"] / limit["images_per_s"]
    return [_row(name, runs_of_method) for name, runs_of_method in runs.items()]


def rows_of_turns(turns: pd.DataFrame) -> list[dict]:
    """The same rows, one a method, of a table with a row for each method and turn."""
    numbers = turns.select_dtypes("number").drop(columns="turn").groupby(turns["method"])
    return [_row(name, runs.dropna(axis="columns").to_dict("records")) for name, runs in numbers]


def _row(method: str, runs: list[dict]) -> dict:
    """Medians over the runs, and the smallest and largest value of what the figures show.

    The means of `ratio_to_limit` and `share_of_decoding` over the turns have a 95 % interval, if
    there is more than one; of the limit itself, which is 1 by definition, there is none.
    """
    chosen = LOADERS[method]
    row = {"method": method, "label": chosen.label, "kind": chosen.kind, "shuffle": chosen.shuffle}
    row["repeats"] = len(runs)
    for name in sorted({name for run in runs for name in run} - {"method"}):
        values = [run[name] for run in runs if run.get(name) is not None]
        row[name] = _plain(np.median(values)) if values else None
        if name in SPREAD and values:
            row[f"{name}_min"], row[f"{name}_max"] = min(values), max(values)
    for name in SHARES:
        shares = [run[name] for run in runs if name in run]
        if len(shares) > 1 and method != LIMIT:
            row[f"{name}_interval"] = interval(shares)
    return row


def _plain(number) -> float | int:
    return int(number) if float(number).is_integer() else float(number)


def _line(run: dict) -> str:
    words = [f"{LOADERS[run['method']].label:<26}"]
    if "images_per_s" in run:
        words.append(f"{run['images_per_s']:6.0f} images/s in training")
        words.append(f"{run['peak_mib_over_base']:6.0f} MiB")
    if "loader_images_per_s" in run:
        words.append(f"{run['loader_images_per_s']:7.0f} images/s alone")
    return ", ".join(words)


COLUMNS = (  # heading, key, format
    ("images/s", "images_per_s", ",.0f"),
    ("of limit", "ratio_to_limit", ".2f"),
    ("MiB", "peak_mib_over_base", ".0f"),
    ("decoded", "decoded_images", ",.0f"),
    ("from start", "images_per_s_from_start", ",.0f"),
    ("alone/s", "loader_images_per_s", ",.0f"),
    ("CPU ms", "loader_cpu_ms_per_image", ".2f"),
    ("mean IoU", "holdout_miou", ".3f"),
)


def table(rows: list[dict], form: str = "simple") -> str:
    """The rows as text, one line a loader; what was not measured is left blank, and a column that
    no row has is left out.

    Behind a median stand, in brackets, the lowest and the highest run where there were several.
    `form` is a table format of `tabulate`: "simple" for people, "pipe" for Markdown.

    Notebook 06, "The race".
    """
    shown = [one for one in COLUMNS if any(row.get(one[1]) is not None for row in rows)]
    cells = [[row["label"], *(_cell(row, key, form) for _, key, form in shown)] for row in rows]
    headings = ["loader", *(heading for heading, _, _ in shown)]
    align = ["left", *["right"] * len(shown)]
    return tabulate(cells, headings, form, disable_numparse=True, colalign=align)


def decoding_table(rows: list[dict], form: str = "pipe") -> str:
    """Loaders with nothing trained: what they delivered, and their share of mere decoding.

    The share is the mean of all runs with its 95 % interval: 1 would be a loader that costs nothing
    beside what it decodes. The one that delivers most stands at the top; a limit is left out.

    Notebook 06, "What a faster network would feel".
    """
    cells = []
    alone = [row for row in rows if row["method"] not in NO_LOADER]
    for row in sorted(alone, key=lambda row: -row["loader_images_per_s"]):
        low, high = row["share_of_decoding_interval"]
        cells.append(
            (
                row["label"],
                _cell(row, "loader_images_per_s", ",.0f"),
                f"{row['loader_decoded_images']:,}",
                f"{row['loader_cpu_ms_per_image']:.2f}",
                f"{row['decode_images_per_s']:,.0f}",
                f"{(low + high) / 2:.2f} ({low:.2f} to {high:.2f})",
            )
        )
    headings = ["loader", "images/s", "decoded", "CPU ms an image", "its decoder/s", "of decoding"]
    align = ["left", *["right"] * 5]
    return tabulate(cells, headings, form, disable_numparse=True, colalign=align)


def _cell(row: dict, key: str, form: str) -> str:
    if row.get(key) is None:
        return ""
    if row.get("repeats", 1) == 1 or f"{key}_min" not in row:
        return format(row[key], form)
    low, high = (format(row[key + end], form) for end in ("_min", "_max"))
    return f"{format(row[key], form)} ({low}–{high})"
