"""One notebook executed in a kernel of its own, as JupyterLab would, and what it took.

The executed copy and its HTML go to a folder of the caller's choice (`make run`: build/run).
"""

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from helpers.memory.tree import TreePeak

CELL_TIMEOUT_SECONDS = 3600


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


def execute(path: Path, out: Path, progress: Callable[[str], None]) -> Outcome:
    """Run one notebook into `out`; an error in the notebook itself is told in the outcome.

    `progress` gets a line at the start of each cell.
    """
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
        progress(f"{path.stem}  cell {cell_index + 1} of {n_cells}  {clock(elapsed)}")

    client.on_cell_start = on_cell_start
    with peak:
        try:
            client.execute()
            outcome.ok = True
        except Exception as error:  # the kernel may die in many ways; all of them are reported
            outcome.error = _last_words(error)
    outcome.seconds = round(time.monotonic() - started, 1)
    outcome.peak_mib = round(peak.mib, 1)
    _write(notebook, out, path.stem)
    return outcome


def clock(seconds: float) -> str:
    """Seconds as minutes:seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def table(outcomes: list[Outcome]) -> str:
    """Minutes and peak memory of each notebook, as text."""
    lines = [f"{'notebook':<24}{'minutes':>9}{'peak MiB':>10}  "]
    for outcome in outcomes:
        verdict = "ok" if outcome.ok else "FAILED"
        minutes = f"{outcome.seconds / 60:.1f}"
        lines.append(f"{outcome.notebook:<24}{minutes:>9}{outcome.peak_mib:>10.0f}  {verdict}")
    total = sum(outcome.seconds for outcome in outcomes) / 60
    return "\n".join([*lines, f"{'together':<24}{total:>9.1f}"])


def _last_words(error: Exception) -> str:
    """The error in one line, with the line of the cell that raised it where the kernel says so."""
    if not isinstance(error, CellExecutionError):
        return f"{type(error).__name__}: {error}"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback)
    at = re.search(r"^-+> *\d+ (.*)$", plain, flags=re.MULTILINE)
    return f"{error.ename}: {error.evalue}" + (f"  at: {at[1].strip()}" if at else "")


def _write(notebook: nbformat.NotebookNode, out: Path, name: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, out / f"{name}.ipynb")
    html, _ = HTMLExporter().from_notebook_node(notebook, {"metadata": {"name": name}})
    (out / f"{name}.html").write_text(html, encoding="utf-8")
