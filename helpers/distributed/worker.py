"""One of several processes, on any machine.

    KERAS_BACKEND=jax python -m helpers.distributed.worker --process 1 --processes 2 \\
        --address 192.168.1.10:9876 --folder build/distributed

Process 0 listens at the address, the others look for it there. What is to be trained is said by the
TUTORIAL_* variables, the same on all machines. A line of JSON is printed after each round, and one
at the end. It ends with status 0 if all is well, with 1 after an error, whose text is the last
thing it writes, and with 3 if the error came from what all do together: another one has ended.
"""

import argparse
import json
import os
import shutil
import sys
import threading
import traceback
from dataclasses import replace
from pathlib import Path

from helpers.quiet import keras  # noqa: F401  (before anything that imports Keras)

from helpers.distributed.group import WAIT_SECONDS, join  # isort: skip
from helpers.distributed.local import FAILED_TOGETHER
from helpers.distributed.train import train_as, train_share
from helpers.settings import load_settings
from helpers.workshop import open_workshop

STDIN = 0
FAILED, INTERRUPTED = 1, 130


def main(arguments: list[str] | None = None) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--process", type=int, required=True, metavar="K", help="its number, from 0")
    add("--processes", type=int, required=True, metavar="N", help="how many there are")
    add("--address", required=True, metavar="HOST:PORT", help="of process 0")
    add("--folder", type=Path, required=True, help="for checkpoints, a folder in it for each")
    add("--wait", type=int, default=WAIT_SECONDS, metavar="S", help="for the others (%(default)s)")
    add("--anew", action="store_true", help="begin afresh, whatever the folder holds")
    add("--batch-size", type=int, metavar="N", help="of all together (the profile's)")
    add("--as", type=int, metavar="N", dest="played", help="alone, with the batches of N")
    add("--launched", action="store_true", help="end when the program that started it ends")
    chosen = parser.parse_args(arguments)
    if chosen.launched:
        threading.Thread(target=_end_with_the_launcher, daemon=True).start()
    workshop = open_workshop(load_settings().with_fcn())
    if chosen.batch_size:
        geometry = replace(workshop.geometry, batch_size=chosen.batch_size)
        workshop = replace(workshop, geometry=geometry)
    if chosen.played:
        _tell(train_as(chosen.played, workshop, _tell))
        return
    group = join(chosen.address, chosen.process, chosen.processes, chosen.wait)
    folder = chosen.folder / f"process-{group.process}-of-{group.n_processes}"
    if chosen.anew:
        shutil.rmtree(folder, ignore_errors=True)
    _tell(train_share(workshop, group, folder, _tell))


def is_of_all(error: Exception) -> bool:
    """Whether an error came from what all processes do together: another one has ended.

    By its name: who failed before it came to compute has not imported JAX. Where a value is
    assigned on all processes, JAX hands gloo's words on as a ValueError.
    """
    return type(error).__name__ == "JaxRuntimeError" or "Gloo" in str(error)


def _tell(row: dict) -> None:
    print(json.dumps(row), flush=True)


def _end_with_the_launcher() -> None:
    """Its end of our input closes when it ends, however that comes about."""
    while os.read(STDIN, 1024):  # not `sys.stdin`, whose lock Python wants at its own end
        pass
    os._exit(FAILED)


if __name__ == "__main__":
    # Not `sys.exit`: at a regular end JAX waits for the others, who wait for this one.
    try:
        main()
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    except Exception as error:
        traceback.print_exc()
        # Some of JAX's messages hold whole arrays.
        first = str(error).partition("\n")[0][:500]
        print(f"\n{type(error).__name__}: {first}", file=sys.stderr, flush=True)
        os._exit(FAILED_TOGETHER if is_of_all(error) else FAILED)
