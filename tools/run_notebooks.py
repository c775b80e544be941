"""`make run` and `make outputs`: execute the series with nbclient, measure it, report it.

Each notebook is executed in its own kernel, as JupyterLab would. The executed copies and their
HTML go to build/run, with summary.json: a list of {"notebook", "seconds", "peak_mib", "ok"}.
"""

import argparse
import os
import re
import shutil
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from helpers.files import write_json
from helpers.settings import BUILD, PROJECT
from tools import numbers
from tools.peak import TreePeak
from tools.stored import store_outputs

NOTEBOOKS = PROJECT / "notebooks"
RUN = BUILD / "run"
CELL_TIMEOUT_SECONDS = 3600
LIVE = sys.stdout.isatty()


@dataclass
class Outcome:
    """One row of the summary; `error` and `cell` say where a notebook stopped."""

    notebook: str
    seconds: float = 0.0
    peak_mib: float = 0.0
    ok: bool = False
    error: str = field(default="", repr=False)
    cell: int = 0

    def row(self) -> dict:
        keep = ("notebook", "seconds", "peak_mib", "ok")
        return {name: value for name, value in asdict(self).items() if name in keep}


def execute(path: Path) -> Outcome:
    """Run one notebook into build/run; never raises for an error in the notebook itself."""
    notebook = nbformat.read(path, as_version=4)
    outcome = Outcome(path.stem)
    started = time.monotonic()
    peak = TreePeak()
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    n_cells = len(notebook.cells)

    def on_cell_start(cell, cell_index):
        outcome.cell = cell_index + 1
        peak.watch(client.km.provisioner.process.pid)
        elapsed = time.monotonic() - started
        report(f"{path.stem}  cell {cell_index + 1} of {n_cells}  {clock(elapsed)}")

    client.on_cell_start = on_cell_start
    with peak:
        try:
            client.execute()
            outcome.ok = True
        except Exception as error:  # the kernel may die in many ways; all of them are reported
            outcome.error = last_words(error)
    outcome.seconds = round(time.monotonic() - started, 1)
    outcome.peak_mib = round(peak.mib, 1)
    write(notebook, path.stem)
    return outcome


def last_words(error: Exception) -> str:
    """The error in one line, with the line of the cell that raised it where the kernel says so."""
    if not isinstance(error, CellExecutionError):
        return f"{type(error).__name__}: {error}"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback)
    at = re.search(r"^-+> *\d+ (.*)$", plain, flags=re.MULTILINE)
    return f"{error.ename}: {error.evalue}" + (f"  at: {at[1].strip()}" if at else "")


def write(notebook: nbformat.NotebookNode, name: str) -> None:
    RUN.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, RUN / f"{name}.ipynb")
    html, _ = HTMLExporter().from_notebook_node(notebook, {"metadata": {"name": name}})
    (RUN / f"{name}.html").write_text(html, encoding="utf-8")


def report(line: str, end: bool = False) -> None:
    """On a terminal the line is rewritten in place; in a log every cell gets its own."""
    if LIVE:
        print(f"\r\x1b[K{line}", end="\n" if end else "", flush=True)
    else:
        print(line, flush=True)


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def table(outcomes: list[Outcome]) -> str:
    lines = [f"{'notebook':<24}{'minutes':>9}{'peak MiB':>10}  "]
    for outcome in outcomes:
        verdict = "ok" if outcome.ok else "FAILED"
        minutes = f"{outcome.seconds / 60:.1f}"
        lines.append(f"{outcome.notebook:<24}{minutes:>9}{outcome.peak_mib:>10.0f}  {verdict}")
    total = sum(outcome.seconds for outcome in outcomes) / 60
    return "\n".join([*lines, f"{'together':<24}{total:>9.1f}"])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--store-outputs",
        action="store_true",
        help="run the workshop profile on the drawn set and keep its outputs in notebooks/",
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="only these (default: all)")
    options = parser.parse_args(arguments)
    if options.store_outputs:
        for name in [name for name in os.environ if name.startswith("TUTORIAL_")]:
            del os.environ[name]
        # Figures of an earlier run, perhaps in another profile, must not be stored with this one's.
        shutil.rmtree(BUILD / "figures", ignore_errors=True)
    paths = options.notebooks or sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    outcomes = []
    for path in paths:
        outcome = execute(path.resolve())
        outcomes.append(outcome)
        verdict = "ok" if outcome.ok else f"FAILED in cell {outcome.cell}: {outcome.error}"
        report(f"{outcome.notebook}  {clock(outcome.seconds)}  {verdict}", end=True)
    summary = [outcome.row() for outcome in outcomes]
    write_json(RUN / "summary.json", summary)
    print("\n" + table(outcomes))
    failed = [outcome for outcome in outcomes if not outcome.ok]
    for outcome in failed:
        print(f"{outcome.notebook}, cell {outcome.cell}: {outcome.error}", file=sys.stderr)
    if failed:
        return 1
    if options.store_outputs:
        store_outputs(paths, RUN, summary)
        numbers.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
