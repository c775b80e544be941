"""Differences with their 95 % interval, and the words that such an interval allows.

The rules are those of experiments/plan.md; the claims and the race keep to the same ones.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.scoring import scores

CONFIDENCE = 0.95


def interval(values) -> list[float]:
    """The 95 % interval of the mean of a few values, by Student's t: [low, high].

    Raises ValueError for fewer than two.
    """
    if len(values) < 2:
        raise ValueError("One value has no interval: give two or more.")
    mean, error = np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * error
    return [float(mean - half), float(mean + half)]


def mean_with_interval(runs, form: str = ".3f") -> str:
    """The mean of a few runs, one of each seed, its 95 % interval, and their number, as text."""
    mean = format(np.mean(runs), form)
    if len(runs) < 2:
        return f"{mean}, 1 seed"
    low, high = (format(value, form) for value in interval(runs))
    return f"{mean} ({low} to {high}), {len(runs)} seeds"


@dataclass(frozen=True)
class Difference:
    """The mean of `n` paired differences and its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, differences) -> "Difference":
        """Of two differences or more."""
        return cls(float(np.mean(differences)), *interval(differences), len(differences))

    def verdict(self, margin: float | None = None) -> str:
        """ "above", "below", "level" (the interval holds 0), or with a `margin` more.

        "as good": the whole interval lies within the margin and holds 0; if it does not hold 0, the
        side is said as well. "not told apart": it holds 0 and reaches beyond the margin.
        """
        side = "above" if self.low > 0 else "below" if self.high < 0 else None
        if margin is not None and -margin < self.low and self.high < margin:
            return "as good" if side is None else f"{side}, within the margin"
        if side is not None:
            return side
        return "level" if margin is None else "not told apart"

    def __str__(self) -> str:
        return f"{self.mean:+.3f} ({self.low:+.3f} to {self.high:+.3f}, n = {self.n})"


def paired(table: pd.DataFrame, way: str, one: str, other: str, value: str) -> Difference:
    """`value` of `one` minus that of `other`, paired by seed.

    `table` has a row for each way (in the column `way`) and seed. Seeds that only one of the two
    has are left out. Raises ValueError for fewer than two pairs and for a seed that is there twice.
    """
    columns = []
    for name in (one, other):
        rows = table[table[way] == name]
        if rows["seed"].duplicated().any():
            raise ValueError(f"{name!r} has a seed twice: choose one row for each run.")
        columns.append(rows.set_index("seed")[value])
    differences = (columns[0] - columns[1]).dropna()
    if len(differences) < 2:
        raise ValueError(f"{one!r} and {other!r} share {len(differences)} seeds: two are needed.")
    return Difference.of(differences.to_numpy())


def bootstrap_mean_iou(matrices, n_times: int = 1000, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of a mean IoU over images, (low, high), by drawing the images anew.

    `matrices` are the confusion matrices of single images, (n, C, C).
    """
    rng, matrices = np.random.default_rng(seed), np.asarray(matrices)
    n = len(matrices)
    # How often each image is drawn: a product in place of a million copies.
    times = rng.multinomial(n, np.full(n, 1 / n), size=n_times)
    drawn = np.tensordot(times, matrices.astype(np.int64), axes=1)
    found = [scores(matrix).mean_iou for matrix in drawn]
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.nanpercentile(found, [tail, 100 - tail])
    return float(low), float(high)


@dataclass(frozen=True)
class Line:
    """A straight line through points, with the 95 % band of its mean."""

    slope: float
    at_zero: float
    n: int
    x_mean: float
    x_spread: float  # sum of squared distances from the mean
    error: float  # standard deviation of the points about the line

    @classmethod
    def through(cls, x, y) -> "Line":
        """By least squares. Raises ValueError for fewer than three points."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        if len(x) < 3:
            raise ValueError("A band needs three points or more.")
        slope, at_zero = np.polyfit(x, y, 1)
        rest = y - (at_zero + slope * x)
        error = np.sqrt(np.sum(rest**2) / (len(x) - 2))
        spread = np.sum((x - x.mean()) ** 2)
        return cls(
            float(slope), float(at_zero), len(x), float(x.mean()), float(spread), float(error)
        )

    def at(self, x) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(mean, low, high) of the line at each x."""
        x = np.asarray(x, float)
        mean = self.at_zero + self.slope * x
        error = self.error * np.sqrt(1 / self.n + (x - self.x_mean) ** 2 / self.x_spread)
        half = stats.t.ppf((1 + CONFIDENCE) / 2, self.n - 2) * error
        return mean, mean - half, mean + half
