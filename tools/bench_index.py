"""What the index costs: seconds, and bytes an entry, each time in a fresh process.

    python -m tools.bench_index [--entries 1000000] [--files 100000] [--output FILE]

"listing": a text file of --entries names is read and made into an index; no file is looked up.
"index_voc": all of it for --files pairs that are there (empty files in a temporary folder), so
with the listing of both folders; 0 leaves it out.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from helpers.dataset import VOC_CLASSES, Index, index_voc, read_list
from helpers.memory import measure_peak
from tools.report import write_report


def measure(step, n_entries, repeats):
    """One row (a dict): medians of `repeats` fresh processes.

    `index_bytes` is what the index keeps, `peak_bytes` what the process grew by at its peak, both
    an entry.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder), n_entries, with_files=step == "index_voc")
        runs = [
            measure_peak(build, folder, step, base_imports=("helpers.dataset",))
            for _ in range(repeats)
        ]
    seconds = [run.value["seconds"] for run in runs]
    return {
        "step": step,
        "entries": runs[0].value["entries"],
        "seconds": round(float(np.median(seconds)), 3),
        "seconds_min": round(min(seconds), 3),
        "seconds_max": round(max(seconds), 3),
        "index_bytes": round(runs[0].value["bytes"] / n_entries, 1),
        "peak_bytes": round(float(np.median([run.increment_bytes for run in runs])) / n_entries, 1),
        "repeats": repeats,
    }


def build(folder, step):
    """Build the index of `folder` in this process: {"seconds", "entries", "bytes"}."""
    started = time.perf_counter()
    if step == "listing":
        stems = read_list(Path(folder) / "ImageSets" / "Segmentation", "train")
        index = Index.build("JPEGImages", "SegmentationClass", VOC_CLASSES, stems)
    else:
        index = index_voc(folder)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "entries": len(index), "bytes": index.nbytes}


def write_folder(root, n_entries, with_files):
    """VOC's layout with a list of `n_entries` names as long as VOC's, and empty files or none."""
    stems = [f"2007_{number:06}" for number in range(n_entries)]
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("\n".join(stems) + "\n", encoding="utf-8")
    for folder, suffix in (("JPEGImages", ".jpg"), ("SegmentationClass", ".png")):
        (root / folder).mkdir()
        for stem in stems if with_files else ():
            (root / folder / (stem + suffix)).touch()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    rows = []
    for step, n_entries in (("listing", options.entries), ("index_voc", options.files)):
        if n_entries:
            rows.append(measure(step, n_entries, options.repeats))
            print(
                "{step}: {entries:,} entries in {seconds:.2f} s ({seconds_min:.2f} – "
                "{seconds_max:.2f}), {index_bytes} bytes an entry kept, {peak_bytes} at the "
                "peak".format(**rows[-1])
            )
    if options.output:
        write_report(options.output, entries=options.entries, files=options.files, rows=rows)
    return rows


if __name__ == "__main__":
    main()
