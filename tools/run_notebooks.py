"""`make run` and `make outputs`: execute the series, measure it, report it.

The executed notebooks and their HTML go to build/run, with summary.json: a list of
{"notebook", "seconds", "peak_mib", "ok"}. `make outputs` first makes the kept networks anew if
their recipe has changed, see tools/keep_networks.py.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from helpers.files import write_json
from helpers.notebook.execute import clock, execute, table
from helpers.notebook.stored import store_outputs
from helpers.settings import BUILD, PROJECT
from tools import numbers

NOTEBOOKS = PROJECT / "notebooks"
READS_KEPT = "kept_networks"  # a notebook whose code names this loads the networks that we keep
RUN = BUILD / "run"
LIVE = sys.stdout.isatty()


def report(line: str, end: bool = False) -> None:
    """On a terminal the line is rewritten in place; in a log every cell gets its own."""
    if LIVE:
        print(f"\r\x1b[K{line}", end="\n" if end else "", flush=True)
    else:
        print(line, flush=True)


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
    if options.store_outputs and any(READS_KEPT in path.read_text("utf-8") for path in paths):
        # In a process of its own: this one holds no Keras while it watches the notebooks' memory.
        subprocess.run([sys.executable, "-m", "tools.keep_networks"], cwd=PROJECT, check=True)
    outcomes = []
    for path in paths:
        outcome = execute(path.resolve(), RUN, report)
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
