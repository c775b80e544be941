"""What every measurement that is kept says of itself: the machine, the versions, the day."""

import json
import os
import platform
from collections.abc import Iterator
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from helpers.memory import measure_peak
from helpers.results import write_json
from helpers.workshop import Workshop

PACKAGES = (
    "grain", "keras", "numpy", "opencv-python-headless", "pillow", "simplejpeg", "tensorflow",
)  # fmt: skip


def write_report(path: Path, **content) -> None:
    """Write `content` with the date and the machine as JSON, in one step."""
    write_json(path, {"date": date.today().isoformat(), "machine": machine(), **content})


def earlier_runs(path: Path, **about) -> list[dict]:
    """The `runs` that a report already holds, so that a long measurement can be resumed.

    Raises ValueError if they were made of other data or settings than `about` says.
    """
    if not path.exists():
        return []
    earlier = json.loads(path.read_text(encoding="utf-8"))
    for name, value in json.loads(json.dumps(about)).items():
        if earlier.get(name) != value:
            raise ValueError(
                f"{path} holds runs with {name} {earlier.get(name)}, now it is {value}. "
                "Give another --output."
            )
    return earlier["runs"]


def measure_runs(path: Path, about: dict, function, key: str, names, seeds) -> Iterator[dict]:
    """`function(name, seed)` for each seed and name that `path` does not hold yet.

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
            run = measure_peak(function, name, seed, base_imports=("helpers.quiet",)).value
            runs.append(run)
            write_report(path, **about, runs=runs)
            yield run


def settings_of(workshop: Workshop) -> dict:
    """The geometry that runs of different seeds share."""
    settings = {**workshop.geometry, "n_rounds": workshop.n_rounds}
    del settings["seed"]
    return settings


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
