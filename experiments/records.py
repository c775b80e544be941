"""Measurements that are kept: written with machine, versions, day and commit; resumed; read."""

import io
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from helpers.files import read_json, replacing, write_bytes, write_json
from helpers.memory import measure_peak
from helpers.settings import BUILD, PROJECT
from helpers.windows import Geometry
from helpers.workshop import Workshop

RECORDED = PROJECT / "experiments" / "results"
NEW = BUILD / "results"  # where a new measurement goes, until someone decides to keep it
PACKAGES = (
    "array-record", "grain", "jax", "keras", "monai", "numpy", "opencv-python-headless",
    "pillow", "simplejpeg", "tensorflow", "torch",
)  # fmt: skip


def recorded(name: str) -> dict:
    """A measurement that is kept in `experiments/results/<name>.json`.

    Raises FileNotFoundError naming those that there are.

    Notebook 06, "The full table".
    """
    path = RECORDED / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in RECORDED.glob("*.json")))
        raise FileNotFoundError(f"results/{path.name} does not exist; there are: {known}")
    return read_json(path)


def recorded_table(name: str) -> pd.DataFrame:
    """The rows of `experiments/results/<name>.csv`; `recorded` has what they have in common.

    Raises FileNotFoundError naming those that there are.

    Notebook 05, "A map".
    """
    path = RECORDED / f"{name}.csv"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in RECORDED.glob("*.csv")))
        raise FileNotFoundError(f"results/{path.name} does not exist; there are: {known}")
    return read_rows(path)


def recorded_arrays(name: str) -> dict[str, np.ndarray]:
    """The arrays of `experiments/results/<name>.npz`, which stand beside a table of that name."""
    with np.load(RECORDED / f"{name}.npz") as file:
        return dict(file)


def read_rows(path: Path) -> pd.DataFrame:
    """The table of a CSV file; a commit stays text, also one of figures alone."""
    return pd.read_csv(path, dtype={"commit": str})


def write_report(path: Path, **content) -> None:
    """Write `content` with the date, the commit and the machine as JSON, in one step."""
    about = {"date": date.today().isoformat(), "commit": commit(), "machine": machine()}
    write_json(path, about | content)


def commit() -> str | None:
    """The commit that is measured, with a "+" if files differ from it; None without git."""
    try:
        found = [
            subprocess.run(
                ["git", *words], cwd=PROJECT, capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (["rev-parse", "--short=10", "HEAD"], ["status", "--porcelain"])
        ]
    except (OSError, subprocess.CalledProcessError):
        return None
    return found[0] + ("+" if found[1] else "")


def check_about(path: Path, about: dict) -> None:
    """Raise ValueError if `path` says that its runs are of other data or settings than `about`.

    A file that is not there yet says nothing.
    """
    if not path.exists():
        return
    earlier = read_json(path)
    for name, value in json.loads(json.dumps(about)).items():
        if earlier.get(name) != value:
            raise ValueError(
                f"{path} holds runs with {name} {earlier.get(name)}, now it is {value}. "
                "Give another --output."
            )


def measure_tables(
    stem: Path, about: dict, measure: Callable, keys: tuple[str, str], names, numbers
) -> Iterator[dict]:
    """`measure(name, number)` for each number and name that the tables do not hold yet.

    `keys` are the columns for the two, such as ("variant", "seed"). What is measured is a dict of
    `rows`, a list of dicts, and perhaps of more lists of dicts and a dict `arrays` of nested lists
    of whole numbers. They are added to `<stem>.csv`, to `<stem>_<name>.csv` for each other list,
    and to `<stem>.npz`; `<stem>.json` holds `about`, which must be the same for all runs. All is on
    disk before a run is given, and what is there is not measured again, so a long measurement can
    be stopped and resumed. Every row says of which run it is, on which processor (and GPU, if there
    is one) and at which commit.
    """
    check_about(_with_suffix(stem, ".json"), about)
    rows = _with_suffix(stem, ".csv")
    there = read_rows(rows) if rows.exists() else pd.DataFrame({key: [] for key in keys})
    done = set(there[[*keys]].itertuples(index=False, name=None))
    for number in numbers:
        for name in names:
            if (name, number) in done:
                continue
            run, who = measure(name, number), dict(zip(keys, (name, number), strict=True))
            write_report(_with_suffix(stem, ".json"), **about)
            _keep(stem, who, run)
            yield who | run


def in_a_fresh_process(function: Callable, workshop: Workshop) -> Callable:
    """`function(workshop, name, number)` as a function of name and number, a process for each call.

    So what one run leaves in memory cannot touch the next.
    """
    return lambda *which: (
        measure_peak(function, workshop, *which, base_imports=("helpers.quiet",)).value
    )


def _keep(stem: Path, who: dict, run: dict) -> None:
    """Add a run to its files; the rows come last, because by them a run is known to be done."""
    if "arrays" in run:
        path, kept = _with_suffix(stem, ".npz"), {}
        if path.exists():
            with np.load(path) as file:
                kept = dict(file)
        prefix = "/".join(map(str, who.values()))
        for name, numbers in run["arrays"].items():
            kept[f"{prefix}/{name}"] = np.array(numbers, np.min_scalar_type(np.max(numbers)))
        with replacing(path) as partial:
            np.savez_compressed(partial, **kept)
    where = {"processor": ", ".join(filter(None, (_processor(), _gpu().get("gpu"))))}
    for name in sorted({*run} - {"arrays"}, key="rows".__eq__):
        path = _with_suffix(stem, ".csv" if name == "rows" else f"_{name}.csv")
        table = pd.DataFrame([who | row | where | {"commit": commit()} for row in run[name]])
        if path.exists():
            earlier = read_rows(path)
            # Of a run that was stopped between two files, one has rows and the other none.
            same = (earlier[[*who]] == pd.Series(who)).all(axis=1)
            table = pd.concat([earlier[~same], table], ignore_index=True)
        text = io.StringIO()
        table.to_csv(text, index=False, float_format="%.6g", lineterminator="\n")
        write_bytes(path, text.getvalue().encode())


def _with_suffix(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def settings_of(geometry: Geometry) -> dict:
    """The geometry that runs of different seeds share."""
    names = ("window", "stride", "size", "batch_size", "passes", "n_rounds")
    return {name: getattr(geometry, name) for name in names}


def machine() -> dict:
    """Processor, GPU, cores, memory, system, versions. No name and no path of the machine."""
    facts = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    if gpu := _gpu():
        facts |= gpu
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            continue
    return facts


def _gpu() -> dict:
    """The first GPU that nvidia-smi knows, and its driver; empty where there is none."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    name, _, driver = found.partition("\n")[0].partition(", ")
    return {"gpu": name, "gpu_driver": driver}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
