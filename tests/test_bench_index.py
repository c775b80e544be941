"""The benchmark of the index: what it builds, counts and writes. Never how long it takes."""

import json

from tools import bench_index


def test_both_steps_build_the_same_index(tmp_path):
    bench_index.write_folder(tmp_path / "with", 30, with_files=True)
    bench_index.write_folder(tmp_path / "without", 30, with_files=False)
    listed = bench_index.build(tmp_path / "without", "listing")
    found = bench_index.build(tmp_path / "with", "index_voc")
    for built in (listed, found):
        del built["seconds"]
    assert listed == found and listed["entries"] == 30


def test_the_rows_are_printed_and_written(tmp_path, capsys):
    output = tmp_path / "index.json"
    options = ["--entries", "4000", "--files", "40", "--repeats", "2", "--output", str(output)]
    rows = bench_index.main(options)
    stored = json.loads(output.read_text(encoding="utf-8"))
    assert stored["rows"] == rows and stored["date"] and stored["machine"]["numpy"]
    assert (stored["entries"], stored["files"]) == (4000, 40)
    assert [(row["step"], row["entries"]) for row in rows] == [("listing", 4000), ("index_voc", 40)]
    # The stem's 11 bytes and the numbers of its two suffixes; and VOC's palette of 63 bytes.
    assert rows[0]["index_bytes"] == 13 and rows[1]["index_bytes"] == round(13 + 63 / 40, 1)
    assert all(row["seconds_min"] <= row["seconds"] <= row["seconds_max"] for row in rows)
    assert all(row["peak_bytes"] > 0 and row["repeats"] == 2 for row in rows)
    assert "listing: 4,000 entries" in capsys.readouterr().out


def test_without_files_there_is_one_row():
    rows = bench_index.main(["--entries", "10", "--files", "0", "--repeats", "1"])
    assert [row["step"] for row in rows] == ["listing"]
