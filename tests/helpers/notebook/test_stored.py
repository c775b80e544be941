"""Outputs that are stored with the notebooks: clean, and tied to their source."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.notebook.stored import clean, source_hash, store_outputs

ROW = {"notebook": "01_good", "seconds": 1.5, "peak_mib": 80.2, "ok": True}


@pytest.fixture
def paths(tmp_path):
    """A notebook without outputs, and the folder `build/run` in which it was executed."""
    source, run = tmp_path / "notebooks" / "01_good.ipynb", tmp_path / "build" / "run"
    for folder in (source.parent, run, run.parent / "figures", run.parent / "results"):
        folder.mkdir(parents=True)
    cells = [new_markdown_cell("# 9 · A test"), new_code_cell("print('hello')")]
    nbformat.write(new_notebook(cells=cells), source)
    cells[1].outputs = [new_output("stream", name="stdout", text="hello\n")]
    cells[1].metadata["execution"] = {"iopub.status.busy": "now"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernel": "mine"}), run / source.name)
    return source, run


def test_stored_outputs_carry_the_hash_and_what_was_measured(paths):
    path, run = paths
    store_outputs([path], run, [ROW])
    stored = nbformat.read(path, as_version=4)
    assert stored.cells[1].outputs[0].text == "hello\n"
    assert "execution" not in stored.cells[1].metadata and "kernel" not in stored.metadata
    assert stored.metadata["bigger_than_ram"] == {
        "profile": "workshop",
        "source_sha256": source_hash(stored),
        "seconds": 1.5,
        "peak_mib": 80.2,
    }


def test_figures_and_key_numbers_are_stored_beside_those_of_other_notebooks(paths):
    path, run = paths
    figures = path.parent / "figures"
    figures.mkdir()
    (figures / "measured.json").write_text('{"00_old": {"a": 1}}', encoding="utf-8")
    (run.parent / "figures" / "leak.png").write_bytes(b"png")
    (run.parent / "results" / "01_good.json").write_text('{"b": 2}', encoding="utf-8")
    store_outputs([path], run, [ROW])
    measured = json.loads((figures / "measured.json").read_text(encoding="utf-8"))
    assert measured == {"00_old": {"a": 1}, "01_good": {"b": 2}}
    assert (figures / "leak.png").read_bytes() == b"png"


def test_the_hash_is_of_the_code_and_not_of_the_prose(paths):
    notebook = nbformat.read(paths[0], as_version=4)
    before = source_hash(notebook)
    notebook.cells[0].source = "# Another title"
    assert source_hash(notebook) == before
    notebook.cells[1].source += "  # changed"
    assert source_hash(notebook) != before


def test_live_widgets_are_dropped_and_their_neighbours_kept():
    widget = new_output("display_data", {"application/vnd.jupyter.widget-view+json": {"a": 1}})
    text = new_output("stream", name="stdout", text="kept")
    notebook = new_notebook(cells=[new_code_cell("x", outputs=[widget, text])])
    assert clean(notebook).cells[0].outputs == [text]
