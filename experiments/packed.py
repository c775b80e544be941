"""Many small files, or the same bytes in one ArrayRecord: how fast Grain reads them, in any order.

A record is one pair: the length of the image's file, the image's bytes, the mask's bytes.
"""

import io
import struct
import time
from pathlib import Path

import numpy as np

from experiments.intervals import interval
from experiments.records import recorded_table
from helpers.data import Index, Pair, read_pair

LENGTH = struct.Struct("<I")
WAYS = {
    "files": "files, two for each pair",
    "array_record": "one ArrayRecord",
}


def packed_summary() -> str:
    """The kept measurement as a Markdown table: speeds, and the packed one beside the files."""
    table = recorded_table("packed").pivot(index="turn", columns="way", values="images_per_s")
    low, high = interval(table["array_record"] / table["files"])
    lines = ["| read from | images/s, median (lowest to highest) |", "|---|---|"]
    lines += [
        f"| {words} | {table[way].median():,.0f} ({table[way].min():,.0f} to "
        f"{table[way].max():,.0f}) |"
        for way, words in WAYS.items()
    ]
    return "\n".join(lines) + (
        "\n\nThe packed file beside the files of the same turn, mean of "
        f"{len(table)} turns: 95 % interval {low:.3f} to {high:.3f}."
    )


def pack(index: Index, path: Path) -> int:
    """Write the files of an index into one ArrayRecord, as they are; the bytes written."""
    from array_record.python.array_record_module import ArrayRecordWriter

    # Groups of one: any record can be read without those beside it.
    writer = ArrayRecordWriter(str(path), "group_size:1")
    for pair in index:
        image, mask = pair.image.read_bytes(), pair.mask.read_bytes()
        writer.write(LENGTH.pack(len(image)) + image + mask)
    writer.close()
    return path.stat().st_size


def decode(record: bytes, index: Index, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(image uint8 (h, w, 3), mask uint8 (h, w)) of a record of `pack`."""
    (n,) = LENGTH.unpack_from(record)
    image, mask = record[LENGTH.size : LENGTH.size + n], record[LENGTH.size + n :]
    pair = Pair("a record", io.BytesIO(image), io.BytesIO(mask))
    return read_pair(pair, size, index.n_classes, index.palette)


def source(way: str, index: Index, path: Path, size: tuple[int, int]):
    """A map data set of Grain: pairs by their number."""
    import grain

    if way == "files":
        rows = grain.MapDataset.range(len(index))
        return rows.map(lambda row: index.read(int(row), size))
    if way != "array_record":
        raise ValueError(f"{way!r} is not a way; there are: {', '.join(WAYS)}.")
    records = grain.sources.ArrayRecordDataSource([str(path)])
    return grain.MapDataset.source(records).map(lambda record: decode(record, index, size))


def read_all(index: Index, path: Path, size, way: str, turn: int) -> dict:
    """Every pair once, in an order drawn by `turn`, in two threads; a dict of `rows`, one row."""
    import grain

    options = grain.ReadOptions(num_threads=2, prefetch_buffer_size=16)
    pairs = source(way, index, path, size).seed(turn).shuffle().to_iter_dataset(options)
    began, total = time.perf_counter(), 0
    for image, _ in pairs:
        total += int(image.sum(dtype=np.int64))
    seconds = time.perf_counter() - began
    return {"rows": [{"images_per_s": len(index) / seconds, "sum_of_pixels": total}]}
