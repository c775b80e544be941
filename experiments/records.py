"""Measurements that are kept: written with machine, versions, day and commit; resumed; read."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from helpers.files import read_json, write_json
from helpers.memory import measure_peak
from helpers.settings import BUILD, PROJECT
from helpers.windows import Geometry
from helpers.workshop import Workshop

RECORDED = PROJECT / "experiments" / "results"
NEW = BUILD / "results"  # where a new measurement goes, until someone decides to keep it
PACKAGES = (
    "grain", "keras", "numpy", "opencv-python-headless", "pillow", "simplejpeg", "tensorflow",
)  # fmt: skip


def recorded(name: str) -> dict:
    """A measurement that is kept in `experiments/results/<name>.json`.

    Raises FileNotFoundError naming those that there are.

    Notebook 05, "The verdicts".
    """
    path = RECORDED / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in RECORDED.glob("*.json")))
        raise FileNotFoundError(f"results/{path.name} does not exist; there are: {known}")
    return read_json(path)


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


def earlier_runs(path: Path, **about) -> list[dict]:
    """The `runs` that a report already holds, so that a long measurement can be resumed.

    Raises ValueError if they were made of other data or settings than `about` says.
    """
    if not path.exists():
        return []
    earlier = read_json(path)
    for name, value in json.loads(json.dumps(about)).items():
        if earlier.get(name) != value:
            raise ValueError(
                f"{path} holds runs with {name} {earlier.get(name)}, now it is {value}. "
                "Give another --output."
            )
    return earlier["runs"]


def measure_runs(
    path: Path, about: dict, function, workshop: Workshop, key: str, names, seeds
) -> Iterator[dict]:
    """`function(workshop, name, seed)` for each seed and name that `path` does not hold yet.

    Each in a fresh process, so that what one run leaves in memory cannot touch the next. The
    function returns a dict that holds the name under `key`, and `seed`. `path` is written after
    every run; `about` must be the same for all runs in it.
    """
    runs = earlier_runs(path, **about)
    done = {(run[key], run["seed"]) for run in runs}
    for seed in seeds:
        for name in names:
            if (name, seed) in done:
                continue
            run = measure_peak(
                function, workshop, name, seed, base_imports=("helpers.quiet",)
            ).value
            runs.append(run)
            write_report(path, **about, runs=runs)
            yield run


def settings_of(geometry: Geometry) -> dict:
    """The geometry that runs of different seeds share."""
    names = ("window", "stride", "size", "batch_size", "passes", "n_rounds")
    return {name: getattr(geometry, name) for name in names}


def machine() -> dict:
    """Processor, cores, memory, system and versions. No name and no path of the machine."""
    facts = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            continue
    return facts


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
