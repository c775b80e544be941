"""Everybody is there, before the engine starts: who is missing or came twice is said in words.

JAX would wait for minutes, and then end the process from within, where Python cannot say anything.
"""

import socket
import time
from contextlib import ExitStack

GO = "go"
# Before every word of process 0: an engine that listens at the same port talks otherwise.
MARK = "bigger-than-ram: "
MARGIN_SECONDS = 5
# Who comes says its number at once; somebody who only looks at ports says nothing.
SILENT_SECONDS = 2


def meet(address: str, process: int, n_processes: int, wait: float) -> None:
    """Return when all processes have come to `address` ("host:port" of process 0).

    Process 0 listens there, the others tell it their numbers. Raises ConnectionError: in process 0
    after `wait` seconds, naming who is missing; in the others when it says so, or after `wait`
    seconds in which nobody answers; in all of them where one number comes twice; and on a machine
    that the others could not find by its own name.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f'The address must be "host:port" of process 0, not {address!r}.')
    _refuse_a_name_for_itself_only(host)
    if process == 0:
        _welcome(int(port), n_processes, wait)
    else:
        _report(host, int(port), process, n_processes, wait)


def _refuse_a_name_for_itself_only(host):
    """ConnectionError where this machine's name means "this machine", and others are elsewhere.

    gloo, through which the engine talks, tells the others the address that its own name has here.
    Debian and Ubuntu write 127.0.1.1 for it into /etc/hosts.
    """
    name = socket.gethostname()
    try:
        at, own = socket.gethostbyname(host), socket.gethostbyname(name)
    except OSError:
        return  # whoever needs the name will say so
    if own.startswith("127.") and not at.startswith("127."):
        raise ConnectionError(
            f"This machine calls itself {name!r}, and that name means {own} here, where no other "
            "machine finds it. Let it mean the address that the others see: in /etc/hosts, a line "
            f"such as: 192.168.1.10 {name}"
        )


def _welcome(port, n_processes, wait):
    """Take the others' numbers until all are there; tell all of them to go, or why not."""
    deadline = time.monotonic() + wait
    with ExitStack() as open_:
        try:
            server = open_.enter_context(socket.create_server(("", port)))
        except OSError as error:
            raise ConnectionError(
                f"Process 0 cannot listen at port {port} ({error}): give all of them another."
            ) from None
        guests, problem = {}, None
        while problem is None and len(guests) < n_processes - 1:
            server.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                guest = open_.enter_context(server.accept()[0])
            except TimeoutError:
                problem = _missing(guests, n_processes)
                break
            said = _said_by(guest)
            if said is None:
                continue
            number, of = said
            guests = {k: other for k, other in guests.items() if not _has_left(other)}
            if number in guests or of != n_processes or not 0 < number < n_processes:
                problem = (
                    f"Process {number} of {of} came, where 1 to {n_processes - 1} of "
                    f"{n_processes} were expected, each once. Give each its own number."
                )
                number = -1  # who came wrongly hears about it as well
            guests[number] = guest
        for guest in guests.values():
            _tell(guest, problem or GO)
    if problem:
        raise ConnectionError(problem)


def _missing(guests, n_processes):
    missing = [str(k) for k in range(1, n_processes) if k not in guests]
    return (
        f"Of {n_processes} processes these did not come in time: {', '.join(missing)}. Is each of "
        "them started, with this address?"
    )


def _said_by(guest):
    """(number, number of all) that a guest says; None for somebody who only looks at ports."""
    guest.settimeout(SILENT_SECONDS)
    try:
        number, of = map(int, guest.recv(100).split())
    except (OSError, ValueError):
        return None
    return number, of


def _has_left(guest):
    """Has it ended meanwhile? A guest says nothing more, so what can be read is its end."""
    guest.setblocking(False)
    try:
        return not guest.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _tell(guest, word):
    """To one that has ended meanwhile nothing is told: the engine will miss it."""
    try:
        guest.setblocking(True)
        guest.sendall((MARK + word).encode())
    except OSError:
        pass


def _report(host, port, process, n_processes, wait):
    """Tell process 0 that this one is there, and wait for its word."""
    deadline = time.monotonic() + wait
    while True:
        try:
            with socket.create_connection((host, port), timeout=2) as server:
                server.sendall(f"{process} {n_processes}".encode())
                # It may have been started just now, and then waits as long for the others.
                server.settimeout(wait + MARGIN_SECONDS)
                word = server.recv(1000).decode(errors="replace")
            if not word.startswith(MARK):
                raise ConnectionError("who answered is not process 0, or it has ended")
            break
        except OSError as error:
            if time.monotonic() > deadline:
                raise ConnectionError(
                    f"Nobody answers at {host}:{port} ({error}). Is process 0 started there, and "
                    "does the machine's firewall let this port through?"
                ) from None
            time.sleep(0.2)
    if word != MARK + GO:
        raise ConnectionError(word.removeprefix(MARK))
