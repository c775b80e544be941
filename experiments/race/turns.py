"""What a recorded race says: every runner beside another one of the same turn.

A table has a row for each method and turn, as `tools/race.py` writes it.
"""

import numpy as np
import pandas as pd
from tabulate import tabulate

from experiments.intervals import interval
from experiments.race.compare import LIMIT
from experiments.race.loaders import LOADERS

SPEED = "images_per_s"


def beside(table: pd.DataFrame, other: str = LIMIT, value: str = SPEED) -> pd.DataFrame:
    """`value` of each method as a multiple of `other`'s, turn by turn.

    Returns a row for each method but `other`, the highest at the top: `method`, `label`, `kind`,
    `median` of the value itself, `ratio` (the mean over the turns), its 95 % interval `low` to
    `high`, the number of turns `n`, and a `verdict`: "level" where the interval holds 1, otherwise
    "above" or "below". Raises ValueError for fewer than two turns that have both.
    """
    values = table.pivot(index="turn", columns="method", values=value)
    rows = []
    for method, ratios in ratios_of(table, other, value).items():
        low, high = interval(ratios)
        rows.append(
            {
                "method": method,
                "label": LOADERS[method].label,
                "kind": LOADERS[method].kind,
                "median": float(np.median(values.loc[ratios.index, method])),
                "ratio": float(ratios.mean()),
                "low": low,
                "high": high,
                "n": len(ratios),
                "verdict": "above" if low > 1 else "below" if high < 1 else "level",
            }
        )
    return pd.DataFrame(rows).sort_values("ratio", ascending=False, ignore_index=True)


def ratios_of(table: pd.DataFrame, other: str = LIMIT, value: str = SPEED) -> dict[str, pd.Series]:
    """{method: `value` as a multiple of `other`'s in each turn that has both}, without `other`."""
    values = table.pivot(index="turn", columns="method", values=value)
    if other not in values:
        raise ValueError(f"{other!r} does not take part; there are: {', '.join(values)}.")
    return {
        method: (values[method] / values[other]).dropna() for method in values.columns.drop(other)
    }


def turns_table(table: pd.DataFrame, ours: str, form: str = "pipe") -> str:
    """The race as text: each runner's median speed, as a share of the limit, and beside `ours`.

    Behind a ratio stand its 95 % interval and the word that this allows.
    """
    of_limit, of_ours = (beside(table, other).set_index("method") for other in (LIMIT, ours))
    medians = table.groupby("method")[SPEED].median().sort_values(ascending=False)
    rows = [
        (LOADERS[method].label, f"{speed:,.0f}", _ratio(of_limit, method), _ratio(of_ours, method))
        for method, speed in medians.items()
    ]
    headings = ["loader", "images/s", "of limit", f"beside {LOADERS[ours].label}"]
    return tabulate(rows, headings, form, disable_numparse=True)


def _ratio(found: pd.DataFrame, method: str) -> str:
    if method not in found.index:
        return ""
    row = found.loc[method]
    return f"{row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f}), {row['verdict']}"
