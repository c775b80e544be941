"""Each notebook's key figures, as JSON, so that no number has to be copied by hand."""

import json
from pathlib import Path

from helpers.run_folder import replacing
from helpers.settings import BUILD, PROJECT

RESULTS = BUILD / "results"


def save_results(notebook: str, folder: Path = RESULTS, **numbers) -> Path:
    """Write `numbers` to `<folder>/<notebook>.json` and return the path.

    NumPy numbers are stored as plain ones. The file is replaced in one step, so a reader never
    sees half of it.
    """
    path = folder / f"{notebook}.json"
    write_json(path, numbers)
    return path


def write_json(path: Path, content: dict) -> None:
    """Write `content` as JSON in one step, NumPy numbers as plain ones; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2, default=_plain)
    with replacing(path) as file:
        file.write_text(text + "\n", encoding="utf-8")


def load_results(notebook: str, folder: Path = RESULTS) -> dict:
    """Read what `save_results` wrote. Raises FileNotFoundError naming the notebook to run."""
    path = folder / f"{notebook}.json"
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is not there yet: run notebooks/{notebook}.ipynb")
    return json.loads(path.read_text(encoding="utf-8"))


def recorded(name: str) -> dict:
    """A measurement that is kept in the repository: `results/<name>.json`.

    It was made by a command that `results/README.md` names, on the machine that it names itself.
    Raises FileNotFoundError if there is none of this name.
    """
    path = PROJECT / "results" / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(found.stem for found in path.parent.glob("*.json")))
        raise FileNotFoundError(f"results/{name}.json does not exist; there are: {known}")
    return json.loads(path.read_text(encoding="utf-8"))


def _plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"results hold numbers, texts, lists and dicts, not {type(value).__name__}")
