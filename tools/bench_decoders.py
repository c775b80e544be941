"""JPEG decoders compared: pictures a second, processor time, and pixels against plain Pillow.

    python -m tools.bench_decoders [--data FOLDER ...] [--labels NAME ...] [--output FILE]

What is timed is all it takes to get an array of the size asked for: read, decode, resize. The
files were read just before, so the disk has no part in it.
"""

import argparse
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from helpers.dataset import index_voc
from helpers.images import read_image
from helpers.settings import DATA_FOLDERS
from tools.decoders import METHODS, shrinkage
from tools.report import write_report

THREADS = (1, 2)


def measure(paths, methods, size, repeats, label):
    """One row (a dict) for each method and number of threads, on the pictures `paths`.

    Speeds are medians of `repeats` passes over all the pictures, the methods taking turns.
    Differences are absolute, in levels of 0 … 255, against plain Pillow: a picture's mean (or its
    largest), averaged over the pictures.
    """
    expected = [read_image(path, size) for path in paths]
    differences = {name: _differences(methods[name], paths, expected) for name in methods}
    passes = defaultdict(list)
    for _ in range(repeats):
        for threads in THREADS:
            for name, decode in methods.items():
                passes[name, threads].append(_timed(decode, paths, size, threads))
    rows = []
    for (name, threads), times in passes.items():
        speeds = [len(paths) / seconds for seconds, _ in times]
        cpu = np.median([worked for _, worked in times]) / len(paths)
        mean, largest = differences[name]
        rows.append({
            "data": label,
            "method": name,
            "size": size[0],
            "threads": threads,
            "images_per_s": round(float(np.median(speeds)), 1),
            "images_per_s_min": round(min(speeds), 1),
            "images_per_s_max": round(max(speeds), 1),
            "cpu_ms_per_image": round(float(cpu) * 1000, 3),
            "mean_difference": round(mean, 3),
            "max_difference": round(largest, 1),
            "repeats": repeats,
        })  # fmt: skip
    return rows


def usable(names, paths, size):
    """{name: function} of the methods that can be measured; the others are named in a line."""
    methods = {}
    for name in names:
        function, module = METHODS[name]
        if find_spec(module) is None:
            print(f"{name}: left out, {module} is not installed")
        elif name == "OpenCV half" and np.median([shrinkage(p, size) for p in paths]) < 2:
            print(f"{name} at {size[0]}: left out, most pictures are not twice as large")
        else:
            methods[name] = function
    return methods


def table(rows):
    """The rows as text, one a line."""
    head = f"{'data':<12}{'size':>5}  {'method':<18}{'threads':>7}{'images/s':>10}"
    lines = [head + f"{'(min':>8} – {'max)':<8}{'CPU ms':>7}{'mean diff':>11}{'max diff':>10}"]
    for row in sorted(rows, key=lambda row: (row["data"], row["size"], row["threads"])):
        lines.append(
            f"{row['data']:<12}{row['size']:>5}  {row['method']:<18}{row['threads']:>7}"
            f"{row['images_per_s']:>10.0f}{row['images_per_s_min']:>8.0f} – "
            f"{row['images_per_s_max']:<8.0f}{row['cpu_ms_per_image']:>7.2f}"
            f"{row['mean_difference']:>11.2f}{row['max_difference']:>10.1f}"
        )
    return "\n".join(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", nargs="+", type=Path, help="VOC folders (default: data/shapes)")
    parser.add_argument("--labels", nargs="+", help="what to call them (default: folder names)")
    parser.add_argument("--sizes", nargs="+", type=int, default=[96, 224, 320], help="squares")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--pictures", type=int, default=200, help="from each folder")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    folders = options.data or [DATA_FOLDERS["shapes"]]
    labels = options.labels or ([f.resolve().name for f in folders] if options.data else ["drawn"])
    if len(labels) != len(folders):
        parser.error(f"--labels names {len(labels)} folders, --data {len(folders)}")
    rows = []
    for folder, label in zip(folders, labels, strict=True):
        index = index_voc(folder)
        # Spread over the list, since neighbours in it may be alike.
        picked = np.linspace(0, len(index) - 1, min(options.pictures, len(index))).astype(int)
        paths = [pair.image for pair in index[picked]]
        for size in options.sizes:
            methods = usable(options.methods, paths, (size, size))
            rows += measure(paths, methods, (size, size), options.repeats, label)
    print(table(rows))
    if options.output:
        write_report(options.output, rows=rows)
    return rows


def _differences(decode, paths, expected):
    means, largest = [], []
    for path, shown in zip(paths, expected, strict=True):
        apart = np.abs(decode(path, shown.shape[:2]).astype(np.int16) - shown)
        means.append(apart.mean())
        largest.append(apart.max())
    return float(np.mean(means)), float(np.mean(largest))


def _timed(decode, paths, size, threads):
    """(seconds, seconds of processor time) for all the pictures once."""
    started, worked = time.perf_counter(), time.process_time()
    if threads == 1:
        for path in paths:
            decode(path, size)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(lambda path: decode(path, size), paths):
                pass
    return time.perf_counter() - started, time.process_time() - worked


if __name__ == "__main__":
    main()
