"""`make distributed N=2`: train the workshop's FCN with several processes on this machine.

    python -m tools.distributed --processes 2
    TUTORIAL_PROFILE=tiny python -m tools.distributed --processes 3 --anew

Needs JAX: `make distributed` installs it. A run that was stopped or killed goes on from the last
round that all processes have finished. On several machines each process is started by itself, see
docs/distributed.md.
"""

import argparse
import sys
from pathlib import Path

from tabulate import tabulate

from helpers.distributed import ProcessFailed, launch
from helpers.settings import BUILD
from helpers.windows import Geometry
from helpers.workshop import open_workshop

LIVE = sys.stdout.isatty()


def main(arguments: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--processes", type=int, default=2, metavar="N", help="(%(default)s)")
    add("--folder", type=Path, help="for checkpoints and logs (a folder in build/distributed)")
    add("--anew", action="store_true", help="begin afresh, whatever the folder holds")
    chosen = parser.parse_args(arguments)
    if chosen.processes < 1:
        parser.error("--processes must be 1 or more")
    try:
        workshop = open_workshop()  # draws the set, if that is to be done, before all look for it
        fcn = workshop.with_fcn()
        share = fcn.share(0, chosen.processes)
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    folder = chosen.folder or BUILD / "distributed" / f"{workshop.folder.name}-{chosen.processes}"
    print(f"{chosen.processes} processes, each with {share}", flush=True)
    if said := what_was_rounded(fcn.geometry, share.geometry, chosen.processes):
        print(said, flush=True)
    try:
        rows = launch(chosen.processes, folder, anew=chosen.anew, tell=tell)
    except ProcessFailed as error:
        parser.exit(1, f"\n{error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "\nStopped. The same command goes on from the last round that all have.\n")
    print("\n" + table(rows))
    if rows[0]["left_over"]:
        print(f"In no share: {', '.join(rows[0]['left_over'])}.")
    if len({row["weights"] for row in rows}) > 1:
        parser.exit(1, "The weights are not the same on all processes.\n")
    print(f"Mean IoU of the hold-out, all parts together: {rows[0]['mean_ious'][-1]:.3f}.")
    return 0


def what_was_rounded(whole: Geometry, share: Geometry, n_processes: int) -> str:
    """Where the numbers of the whole geometry do not divide: what it becomes; else nothing."""
    batch = share.batch_size * n_processes
    if (share.n_steps, batch) == (whole.n_steps, whole.batch_size):
        return ""
    return (
        f"Rounded: {share.n_steps:,} steps with batches of {batch} of all together, where one "
        f"process takes {whole.n_steps:,} with {whole.batch_size}; the learning rate is the same."
    )


def tell(row: dict) -> None:
    """One line for the whole run on a terminal; in a log one for each round."""
    line = (
        f"round {row['round']} of {row['rounds']}: loss {row['loss']:.4f}, mean IoU "
        f"{row['mean_iou']:.3f}, {row['images_per_s']:.0f} images/s"
    )
    print(f"\r\x1b[K{line}" if LIVE else line, end="" if LIVE else "\n", flush=True)


def table(rows: list[dict]) -> str:
    """A line for each process."""
    lines = [
        (
            row["process"], f"{row['images']:,}", f"{row['window_mib']:.1f}",
            f"{row['losses'][0]:.5f}", f"{row['losses'][-1]:.5f}", row["weights"],
            f"{row['images_per_s']:.0f}", f"{row['peak_mib']:,.0f}",
        )
        for row in rows
    ]  # fmt: skip
    headings = [
        "process", "images", "window, MiB", "first loss", "last loss", "weights",
        "images/s of all", "peak, MiB",
    ]  # fmt: skip
    return tabulate(lines, headings, disable_numparse=True)


if __name__ == "__main__":
    sys.exit(main())
