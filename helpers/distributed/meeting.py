"""Everybody is there, before the engine starts: who is missing or came twice is said in words.

JAX would wait for minutes, and then end the process from within, where Python cannot say anything.
"""

import socket
import time
from contextlib import ExitStack

GO = "go"
MARGIN_SECONDS = 5


def meet(address: str, process: int, n_processes: int, wait: float) -> None:
    """Return when all processes have come to `address` ("host:port" of process 0).

    Process 0 listens there, the others tell it their numbers. Raises ConnectionError after `wait`
    seconds, naming who is missing, and in all of them where one number comes twice.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f'The address must be "host:port" of process 0, not {address!r}.')
    deadline = time.monotonic() + wait
    if process == 0:
        _welcome(int(port), n_processes, deadline)
    else:
        _report(host, int(port), process, n_processes, deadline)


def _welcome(port, n_processes, deadline):
    """Take the others' numbers until all are there; tell all of them to go, or why not."""
    with ExitStack() as open_, socket.create_server(("", port)) as server:
        guests = {}
        problem = None
        while len(guests) < n_processes - 1 and problem is None:
            server.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                guest = open_.enter_context(server.accept()[0])
                guest.settimeout(max(0.01, deadline - time.monotonic()))
                number, of = map(int, guest.recv(100).split())
            except TimeoutError:
                missing = [str(k) for k in range(1, n_processes) if k not in guests]
                problem = (
                    f"Of {n_processes} processes these did not come in time: "
                    f"{', '.join(missing)}. Is each of them started, with this address?"
                )
            except (OSError, ValueError):
                continue  # somebody else who looks at ports
            else:
                if number in guests or of != n_processes or not 0 < number < n_processes:
                    problem = (
                        f"Process {number} of {of} came, where 1 to {n_processes - 1} of "
                        f"{n_processes} were expected, each once. Give each its own number."
                    )
                # Also who came wrongly hears about it.
                guests[number if number not in guests else -1] = guest
        for guest in guests.values():
            guest.sendall((problem or GO).encode())
    if problem:
        raise ConnectionError(problem)


def _report(host, port, process, n_processes, deadline):
    """Tell process 0 that this one is there, and wait for its word."""
    while True:
        try:
            with socket.create_connection((host, port), timeout=2) as server:
                server.sendall(f"{process} {n_processes}".encode())
                # Process 0 speaks at its own deadline, which may be a little later than this one.
                server.settimeout(max(0, deadline - time.monotonic()) + MARGIN_SECONDS)
                word = server.recv(1000).decode()
            break
        except OSError as error:
            if time.monotonic() > deadline:
                raise ConnectionError(
                    f"Nobody answers at {host}:{port} ({error}). Is process 0 started there, and "
                    "does the machine's firewall let this port through?"
                ) from None
            time.sleep(0.2)
    if word != GO:
        raise ConnectionError(word or f"Process 0 at {host}:{port} ended before all were there.")
