"""Outputs that are committed with the notebooks: clean, small, and tied to their source.

People read the notebooks on GitHub, so the outputs of a workshop run are stored. The hash of the
code cells goes into the notebook's metadata; tests/test_notebooks.py fails when someone edits a
cell without running `make outputs` again.
"""

import hashlib
import shutil
from pathlib import Path

import nbformat

from helpers.files import read_json, write_json

WIDGET = "application/vnd.jupyter.widget-view+json"
KEY = "bigger_than_ram"
FIGURES = "figures"


def source_hash(notebook: nbformat.NotebookNode) -> str:
    """SHA-256 of the code cells' sources, in order; prose may change without a new run."""
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            digest.update(cell.source.encode() + b"\0")
    return digest.hexdigest()


def store_outputs(paths: list[Path], run: Path, summary: list[dict]) -> None:
    """Copy the executed notebooks' outputs back into their sources.

    Beside them go the figures they saved and, in figures/measured.json, the key numbers of each,
    which the README quotes.
    """
    for path, row in zip(paths, summary, strict=True):
        executed = clean(nbformat.read(run / path.name, as_version=4))
        executed.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            KEY: {
                "profile": "workshop",
                "source_sha256": source_hash(executed),
                "seconds": row["seconds"],
                "peak_mib": row["peak_mib"],
            },
        }
        nbformat.validate(executed)
        nbformat.write(executed, path)
    figures = paths[0].parent / FIGURES
    figures.mkdir(exist_ok=True)
    for figure in (run.parent / FIGURES).glob("*.png"):
        shutil.copyfile(figure, figures / figure.name)
    file = figures / "measured.json"
    measured = read_json(file) if file.exists() else {}
    for path in paths:
        result = run.parent / "results" / f"{path.stem}.json"
        if result.exists():
            measured[path.stem] = read_json(result)
    write_json(file, dict(sorted(measured.items())))


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop live widgets: GitHub cannot draw them, and each one has a static figure beside it."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if WIDGET not in o.get("data", {})]
    return notebook
