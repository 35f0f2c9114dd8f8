"""Threads that take calls in turn: in order, to the byte, and nobody waits for somebody else's waiting."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse

import pytest

from tests.cds_service.waiting_app import LARGE
from tests.hostile.registered import free_port

PATIENCE = 15.0


class Server:
    """The running application and its address."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def connection(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def wire(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def is_quick(self) -> bool:
        """Is another call answered while the one before is not?"""
        started = time.monotonic()
        assert posted(self.connection(), "/quick") == b"/quick 3"
        return time.monotonic() - started < 1.0


@pytest.fixture
def server() -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "tests.cds_service.waiting_app", str(port), "3"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield Server(port, _when_up(port, process))
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def _when_up(port: int, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            assert time.monotonic() < ends, "it did not come up"
            time.sleep(0.02)


def posted(connection: HTTPConnection, path: str, body: bytes = b"abc") -> bytes:
    connection.request("POST", path, body)
    return connection.getresponse().read()


def a_post(path: str, body: bytes = b"abc", *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def test_a_connection_is_kept_for_call_after_call_of_every_size(server: Server) -> None:
    connection = server.connection()
    for length in (0, 3, 70_000, 1_500_000, 10, 200_000):
        assert posted(connection, "/call", b"x" * length) == b"/call %d" % length


def test_calls_sent_in_one_go_are_answered_one_by_one_in_order(server: Server) -> None:
    usual, unusual = a_post("/one"), a_post("/two", b"four", "X-Name: \t\xe4")
    with server.wire() as wire:
        wire.sendall(usual + unusual + a_post("/three") + a_post("/four", b"", "Connection: close"))
        answers = b"".join(iter(lambda: wire.recv(65536), b""))
    said = [answer.partition(b"\r\n\r\n")[2].split(b"HTTP")[0] for answer in answers.split(b"HTTP/1.1 200")[1:]]
    assert said == [b"/one 3", b"/two 4", b"/three 3", b"/four 0"]


def test_a_call_that_comes_byte_by_byte_is_answered(server: Server) -> None:
    with server.wire() as wire:
        for byte in a_post("/dripping"):
            wire.sendall(bytes((byte,)))
            time.sleep(0.005)
        assert wire.recv(65536).endswith(b"/dripping 3")


@pytest.mark.parametrize("path", ["/wait", "/slowly"])
def test_a_call_that_waits_holds_up_no_other(server: Server, path: str) -> None:
    with ThreadPoolExecutor(2) as callers:
        waiting = [callers.submit(posted, server.connection(), path) for _ in range(2)]
        time.sleep(0.3)
        assert server.is_quick()
        assert not any(each.done() for each in waiting)
        assert [each.result(PATIENCE) for each in waiting] == [b"%s 3" % path.encode()] * 2


def test_calls_beyond_the_threads_are_answered_once_one_is_free(server: Server) -> None:
    with ThreadPoolExecutor(7) as callers:
        answers = [callers.submit(posted, server.connection(), "/wait") for _ in range(7)]
        assert [each.result(PATIENCE) for each in answers] == [b"/wait 3"] * 7
    assert server.is_quick()


def test_a_body_that_is_slow_to_come_holds_up_no_other(server: Server) -> None:
    with server.wire() as wire:
        request = a_post("/call", b"x" * 300_000)
        wire.sendall(request[:-10])
        time.sleep(0.2)
        assert server.is_quick()
        wire.sendall(request[-10:])
        assert wire.recv(65536).endswith(b"/call 300000")


HELD = {
    "a letter": b"P",
    "half a line": b"GET /call",
    "an empty line": b"\r\n",
    "a head without end": b"POST /call HTTP/1.1\r\nHost: a\r\nX-Name: b",
    "an unusual head without end": b"GET /call?a=b HTTP/1.0\r\nX-N\xe4me: b\r\n",
    "a long head without end": b"POST /call HTTP/1.1\r\n" + b"X-Name: a\r\n" * 1_000,
    "an unwanted body that never comes": b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
    "one that is too long to wait for": b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n",
    "one in chunks": b"POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an end that the caller ignores": b"GET /call HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("sent", HELD.values(), ids=HELD)
def test_callers_that_stop_in_the_middle_hold_up_no_other_and_are_let_go(server: Server, sent: bytes) -> None:
    wires = [server.wire() for _ in range(9)]
    for wire in wires:
        wire.sendall(sent)
    time.sleep(0.3)
    for _ in range(3):
        assert server.is_quick()
    for wire in wires:
        assert b"HTTP/1.1 4" not in b"".join(iter(lambda wire=wire: wire.recv(65536), b""))  # type: ignore[misc]


@pytest.mark.parametrize("piece", [1, 7, 60])
@pytest.mark.parametrize("gap", [0.0, 0.002])
def test_calls_that_come_in_pieces_are_answered_whatever_is_unusual_about_them(
    server: Server, piece: int, gap: float
) -> None:
    whole = (
        b"\r\n"
        + a_post("/one")
        + a_post("/two", b"four", "X-Name: \xe4")
        + a_post("/unread")
        + a_post("/four", b"x" * 500)
    )
    whole += a_post("/five", b"", "Connection: close")
    with server.wire() as wire:
        for start in range(0, len(whole), piece):
            wire.sendall(whole[start : start + piece])
            time.sleep(gap)
        answers = b"".join(iter(lambda: wire.recv(65536), b""))
    said = [answer.partition(b"\r\n\r\n")[2].split(b"HTTP")[0] for answer in answers.split(b"HTTP/1.1 200")[1:]]
    assert said == [b"/one 3", b"/two 4", b"/unread 0", b"/four 500", b"/five 0"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"canary\r\n", 400),
        (b"GET / HTTP/9.9\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n", 400),
        (b"GET /" + b"a" * 5_000, 414),
        (b"GET / HTTP/1.1\r\n" + b"X-Name: a\r\n" * 4_000, 431),
    ],
)
def test_what_can_never_become_a_request_is_refused_before_it_ends(server: Server, sent: bytes, status: int) -> None:
    with server.wire() as wire:
        wire.sendall(sent)
        assert wire.recv(65536).startswith(b"HTTP/1.1 %d " % status)
    assert server.is_quick()


def test_an_answer_that_is_read_slowly_holds_up_no_other_and_arrives_whole(server: Server) -> None:
    connection = server.connection()
    connection.request("POST", "/large", b"")
    time.sleep(0.3)
    assert server.is_quick()
    answer: HTTPResponse = connection.getresponse()
    assert len(answer.read()) == LARGE
    assert posted(connection, "/call") == b"/call 3"


def test_a_body_that_nobody_read_is_not_taken_for_the_next_call(server: Server) -> None:
    connection = server.connection()
    assert posted(connection, "/unread", b"POST /x HTTP/1.1\r\n\r\n" * 2_600) == b"/unread 0"
    assert posted(connection, "/call") == b"/call 3"
    with server.wire() as wire:
        wire.sendall(a_post("/unread", b"x" * 10_000_000)[:500_000])  # too much to be read for nothing
        assert b"/unread 0" in wire.recv(65536)
        with pytest.raises(OSError, match=r"reset|Broken"):
            wire.sendall(b"x" * 9_500_000)
    assert server.is_quick()


def test_a_head_that_would_be_two_is_not_sent(server: Server) -> None:
    with server.wire() as wire:
        wire.sendall(a_post("/broken"))
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"X-Added" not in answer
    assert server.is_quick()


def test_silent_connections_are_closed_in_time_and_busy_ones_are_not(server: Server) -> None:
    silent, busy = server.wire(), server.connection()
    ends = time.monotonic() + 4.0
    while time.monotonic() < ends:
        assert posted(busy, "/call") == b"/call 3"
        time.sleep(0.5)
    silent.settimeout(0.1)
    assert silent.recv(1) == b""


def test_a_hundred_connections_are_all_served(server: Server) -> None:
    connections = [server.connection() for _ in range(100)]
    for each in connections:
        each.request("POST", "/call", b"abc")
    assert [each.getresponse().read() for each in connections] == [b"/call 3"] * 100
    for each in connections:
        each.close()
    assert server.is_quick()


def test_calls_that_are_answered_aside_at_the_same_time_never_get_into_one_another(server: Server) -> None:
    body = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" * 6_000  # calls, to whom takes it for them

    def calls(_: int) -> set[bytes]:
        connection = server.connection()
        return {posted(connection, "/aside", body) for _ in range(60)}

    with ThreadPoolExecutor(8) as callers:
        assert set().union(*callers.map(calls, range(8))) == {b"/aside %d" % len(body)}
    assert server.is_quick()


def test_a_stop_lets_a_call_finish_and_does_not_wait_for_silent_connections(server: Server) -> None:
    silent = server.wire()
    with ThreadPoolExecutor(1) as callers:
        waiting = callers.submit(posted, server.connection(), "/wait")
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert waiting.result(PATIENCE) == b"/wait 3"
    assert server.process.wait(timeout=PATIENCE) == 0
    assert silent.recv(1) == b""
