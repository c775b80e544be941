"""Each notebook's key figures, as JSON, so that no number has to be copied by hand."""

from pathlib import Path

from helpers.files import write_json
from helpers.settings import BUILD

RESULTS = BUILD / "results"


def save_results(notebook: str, folder: Path = RESULTS, **numbers) -> Path:
    """Write `numbers` to `<folder>/<notebook>.json` and return the path.

    NumPy numbers are stored as plain ones.

    Notebook 01, "Take-aways".
    """
    path = folder / f"{notebook}.json"
    write_json(path, numbers)
    return path
