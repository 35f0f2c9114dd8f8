"""Requests that drip, stop, lie about their length, or are no HTTP: cut off in time, and never a leak or a trace."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cds_service.service_under_test import SELECT, a_call
from tests.hostile.registered import Closed, a_token

PATIENCE = 8.0  # seconds; the service under test cuts off after two


@contextmanager
def connected(closed: Closed) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", closed.port), timeout=PATIENCE) as connection:
        yield connection


def head(closed: Closed, length: int, *more: str) -> bytes:
    lines = [
        f"POST {SELECT} HTTP/1.1",
        f"Host: 127.0.0.1:{closed.port}",
        "Content-Type: application/json",
        f"Authorization: Bearer {a_token(closed.base + SELECT)}",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def drip(connection: socket.socket, pieces: Iterator[bytes]) -> float:
    """Sends piece by piece until the other side ends it; returns after how many seconds it did."""
    started = time.monotonic()
    connection.settimeout(0.1)
    for piece in pieces:
        try:
            connection.sendall(piece)
            if connection.recv(65536) == b"":
                break
            break
        except TimeoutError:
            pass
        except OSError:
            break
        assert time.monotonic() - started < PATIENCE, "it was let drip on"
    return time.monotonic() - started


def test_a_body_that_drips_is_cut_off(closed: Closed) -> None:
    with connected(closed) as connection:
        connection.sendall(head(closed, 100_000))
        assert drip(connection, iter(lambda: b" ", None)) < PATIENCE
    closed.assert_good_call_is_answered()


def test_a_large_body_that_drips_is_cut_off(closed: Closed) -> None:
    with connected(closed) as connection:
        connection.sendall(head(closed, 900_000) + b" " * 300_000)
        assert drip(connection, iter(lambda: b" " * 10, None)) < PATIENCE
    closed.assert_good_call_is_answered()


def test_headers_that_drip_are_cut_off(closed: Closed) -> None:
    with connected(closed) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n")
        assert drip(connection, iter(lambda: b"X-A: b\r\n", None)) < PATIENCE
    closed.assert_good_call_is_answered()


def test_as_many_slow_callers_as_there_are_threads_hold_the_service_up_for_a_moment_only(closed: Closed) -> None:
    slow = [socket.create_connection(("127.0.0.1", closed.port), timeout=PATIENCE) for _ in range(8)]
    try:
        for each in slow:
            each.sendall(head(closed, 50_000) + b"{")
        started = time.monotonic()
        closed.assert_good_call_is_answered()
        assert time.monotonic() - started < PATIENCE
    finally:
        for each in slow:
            each.close()


def test_a_body_that_ends_early_is_a_408_that_says_so(closed: Closed) -> None:
    for more in ((), ("Content-Encoding: identity",)):
        body = json.dumps(a_call()).encode()
        with connected(closed) as connection:
            connection.sendall(head(closed, len(body) + 10, *more) + body)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 408"), answer[:100]
        assert b"OperationOutcome" in answer
    closed.assert_good_call_is_answered()


@pytest.mark.parametrize("length", [100_000, 900_000])
@pytest.mark.parametrize("more", [(), ("Content-Encoding: identity",), ("X-Name: \xe4",)])
def test_a_caller_that_vanishes_in_the_middle_of_a_body_is_no_defect_of_the_service(
    closed: Closed, length: int, more: tuple[str, ...]
) -> None:
    before = len(closed.log())
    with connected(closed) as connection:
        connection.sendall(head(closed, length, *more) + b" " * 90_000)
        time.sleep(0.2)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes((1, 0, 0, 0, 0, 0, 0, 0)))  # ends with a reset
    closed.assert_good_call_is_answered()
    ends = time.monotonic() + PATIENCE
    while '"status":408' not in closed.log()[before:]:
        assert time.monotonic() < ends, closed.log()[before:]
        time.sleep(0.05)
    assert '"status":500' not in closed.log()[before:]


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"zz\r\ncanary\r\n0\r\n\r\n", 400),
        (b"5\r\ncanary\r\n0\r\n\r\n", 400),
        (b"6\r\ncanary\r\n0\r\nContent-Length: 4\r\n\r\n", 400),
        (b"6\r\ncanary\r\n0\r\n", 400),
        (b"6\r\ncan", 408),
        (b"6\ncanary\n0\n\n", 408),
        (b"6\r\ncanary\r\n", 408),
    ],
)
def test_a_body_in_chunks_that_are_none_is_refused_and_ends_the_connection(
    closed: Closed, chunks: bytes, status: int
) -> None:
    with connected(closed) as connection:
        whole = head(closed, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        connection.sendall(whole + chunks)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:100]
    assert answer.count(b"HTTP/1.1") == 1
    assert b"OperationOutcome" in answer
    assert b"canary" not in answer
    closed.assert_good_call_is_answered()


BROKEN = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03canary\r\n\r\n", 400),
    "an unknown version": (b"GET /canary HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    "a line without end": (b"GET /" + b"canary" * 1000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "an endless header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-Canary: " + b"canary" * 2000 + b"\r\n\r\n", 431),
    "headers without end": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Canary: canary\r\n" * 100 + b"\r\n", 431),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n canary\r\n\r\n", 400),
    "a header name with a space": (b"GET / HTTP/1.1\r\nHost: x\r\ncanary canary: b\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "an unknown coding": (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: canary\r\n\r\n", 501),
    "a length that is none": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_http_gets_an_outcome_that_repeats_nothing(closed: Closed, name: str) -> None:
    request, status = BROKEN[name]
    answer = closed.raw(request)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"OperationOutcome" in answer
    assert b"default-src 'none'" in answer
    assert b"canary" not in answer
    assert b"Traceback" not in answer
    assert "canary" not in closed.log()
    closed.assert_good_call_is_answered()


def test_a_gzip_bomb_is_refused_unread(closed: Closed) -> None:
    bomb = gzip.compress(b"[" * 50_000_000)
    for coding in ("gzip", "deflate", "br", "x-gzip"):
        answer = closed.ask(body=bomb, Content_Encoding=coding)
        assert answer.status_code == 415
        assert answer.json()["resourceType"] == "OperationOutcome"
    closed.assert_good_call_is_answered()


def test_a_body_of_unauthenticated_gigabytes_is_not_read(closed: Closed) -> None:
    with connected(closed) as connection:
        connection.sendall(
            f"POST {SELECT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Content-Length: 9999999999\r\n\r\n".encode()
        )
        assert connection.recv(12) == b"HTTP/1.1 401"
    closed.assert_good_call_is_answered()
