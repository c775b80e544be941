"""All are there, or everybody hears who is not; in threads of one process."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.distributed.local import free_port
from helpers.distributed.meeting import meet
from tests.support import knock


def arrive(numbers, n, wait=10.0):
    """The processes of these numbers meet; the error of each, None where all is well."""
    address = f"127.0.0.1:{free_port()}"

    def come(number):
        try:
            meet(address, number, n, wait)
        except ConnectionError as error:
            return str(error)

    with ThreadPoolExecutor(len(numbers)) as pool:
        return [*pool.map(come, numbers)]


@pytest.mark.parametrize("numbers", [(0, 1), (2, 1, 0), (3, 0, 2, 1)])
def test_all_go_when_all_are_there_in_whatever_order_they_come(numbers):
    assert arrive(numbers, len(numbers)) == [None] * len(numbers)


def test_who_is_missing_is_named_to_all():
    began = time.monotonic()
    said = arrive((0, 2), 4, wait=1)
    assert all("did not come in time: 1, 3. Is each" in words for words in said), said
    assert time.monotonic() - began < 20


def test_one_that_came_early_waits_as_long_as_process_0_does():
    address = f"127.0.0.1:{free_port()}"

    def later(number, seconds):
        time.sleep(seconds)
        meet(address, number, 3, 2.0)

    with ThreadPoolExecutor(3) as pool:
        # The last comes when the first has been there for longer than it would look for process 0.
        list(pool.map(later, (1, 0, 2), (0, 1.5, 3)))


def test_a_number_that_comes_twice_is_told_to_all():
    said = arrive((0, 1, 1), 3)
    assert all(words.startswith("Process 1 of 3 came, where 1 to 2 of 3") for words in said), said


def test_another_number_of_processes_is_told():
    address = f"127.0.0.1:{free_port()}"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(meet, address, 0, 3, 10.0)
        with pytest.raises(ConnectionError, match="Process 1 of 2 came, where 1 to 2 of 3"):
            meet(address, 1, 2, 10.0)
        assert "Process 1 of 2 came" in str(first.exception())


def test_nobody_at_the_address_is_an_error_that_says_where():
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(ConnectionError, match=f"Nobody answers at {address}"):
        meet(address, 1, 2, 0.5)


@pytest.mark.parametrize("words", [b"", b"\xff\x00\x12 something else", b"go"])
def test_who_does_not_speak_as_process_0_does_is_not_process_0(words):
    """An engine of before that still listens: whoever comes tries again, and finds process 0."""
    port = free_port()
    with ThreadPoolExecutor(2) as pool:
        with socket.create_server(("127.0.0.1", port)) as other:
            guest = pool.submit(meet, f"127.0.0.1:{port}", 1, 2, 20.0)
            came = other.accept()[0]
            came.recv(100)
            came.sendall(words)
            came.close()
        first = pool.submit(meet, f"127.0.0.1:{port}", 0, 2, 20.0)
        assert guest.result() is first.result() is None


def test_a_machine_whose_name_means_itself_cannot_be_found_by_others(monkeypatch):
    addresses = {
        socket.gethostname(): "127.0.1.1",
        "first": "192.168.1.10",
        "localhost": "127.0.0.1",
    }
    monkeypatch.setattr(socket, "gethostbyname", addresses.__getitem__)
    for process in (0, 1):
        with pytest.raises(ConnectionError, match=r"means 127\.0\.1\.1 here.*/etc/hosts"):
            meet("first:9876", process, 2, 0.1)
    with pytest.raises(ConnectionError, match="Nobody answers"):
        meet(f"localhost:{free_port()}", 1, 2, 0.1)
    addresses[socket.gethostname()] = "192.168.1.11"
    with pytest.raises(ConnectionError, match="did not come in time: 1"):
        meet(f"first:{free_port()}", 0, 2, 0.1)


def test_somebody_who_only_looks_at_ports_is_passed_over():
    port, silent = free_port(), []

    def look():
        for words in (b"", b"GET / HTTP/1.0\r\n\r\n"):
            with knock(port) as server:
                server.sendall(words)
        silent.append(knock(port))  # and stays
        meet(f"127.0.0.1:{port}", 1, 2, 10.0)

    guest = threading.Thread(target=look)
    guest.start()
    meet(f"127.0.0.1:{port}", 0, 2, 10.0)
    guest.join(10)
    assert not guest.is_alive()
    silent[0].close()


def test_one_that_was_ended_and_started_again_is_no_second_one():
    port = free_port()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(meet, f"127.0.0.1:{port}", 0, 3, 10.0)
        with knock(port) as server:
            server.sendall(b"1 3")
        with ThreadPoolExecutor(2) as others:
            list(others.map(lambda number: meet(f"127.0.0.1:{port}", number, 3, 10.0), (1, 2)))
        assert first.exception() is None


def test_a_port_that_is_taken_is_an_error_that_says_so():
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionError, match=f"cannot listen at port {port}"):
            meet(f"127.0.0.1:{port}", 0, 2, 1)


@pytest.mark.parametrize("address", ["", "host", "host:", ":80", "host:port"])
def test_an_address_is_a_host_and_a_port(address):
    with pytest.raises(ValueError, match='must be "host:port" of process 0'):
        meet(address, 1, 2, 1)
