"""Answers that go wrong on the wire."""

from __future__ import annotations

import gzip
import socket
import struct
from collections.abc import Callable
from functools import cache
from typing import Protocol

import msgspec

from sandbox.fhir_server.behaviour import Fault
from sandbox.fhir_server.shapes import outcome


class _Output(Protocol):
    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


_HUNG = 30.0  # seconds, or until the server ends
_JSON = b"Content-Type: application/fhir+json\r\n"
_PIECE = b" " * 65536


def fail(fault: Fault, content: bytes, connection: socket.socket, out: _Output, pause: Callable[[float], bool]) -> bool:
    """Answer as the fault has it. True: the connection can be used again. ``pause`` ends early when the server ends."""
    if fault.kind in _WHOLE:
        out.write(_WHOLE[fault.kind](fault, content))
        out.flush()
        return True
    _PARTIAL[fault.kind](fault, content, connection, out, pause)
    return False


def _message(status: str, headers: bytes, content: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status.encode(), headers, len(content), content)


def _status(fault: Fault, _: bytes) -> bytes:
    headers = _JSON
    if fault.retry_after:
        headers += b"Retry-After: %s\r\n" % fault.retry_after.encode()
    if fault.location:
        headers += b"Location: %s\r\n" % fault.location.encode()
    return _message(f"{fault.status} Something", headers, fault.body or _outcome())


def _outcome() -> bytes:
    return msgspec.json.encode(outcome("error", "transient"))


@cache
def bomb() -> bytes:
    """A few kilobytes that unpack to fifty megabytes."""
    return gzip.compress(bytes(50 * 1024 * 1024), 6)


def _packed(_: Fault, __: bytes) -> bytes:
    return _message("200 OK", _JSON + b"Content-Encoding: gzip\r\n", bomb())


_WHOLE: dict[str, Callable[[Fault, bytes], bytes]] = {
    "answer": _status,
    "html": lambda _, __: _message("200 OK", b"Content-Type: text/html\r\n", b"<html><body>Log in</body></html>"),
    "broken": lambda _, content: _message("200 OK", _JSON, content[: len(content) // 2]),
    "outcome": lambda _, __: _message("200 OK", _JSON, _outcome()),
    "packed": _packed,
}


def _hang(_: Fault, __: bytes, ___: socket.socket, ____: _Output, pause: Callable[[float], bool]) -> None:
    pause(_HUNG)


def _reset(_: Fault, __: bytes, connection: socket.socket, ___: _Output, ____: Callable[[float], bool]) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _half(_: Fault, content: bytes, connection: socket.socket, out: _Output, __: Callable[[float], bool]) -> None:
    whole = _message("200 OK", _JSON, content)
    out.write(whole[: len(whole) - len(content) // 2 - 1])
    out.flush()
    connection.shutdown(socket.SHUT_WR)


def _drip(fault: Fault, content: bytes, _: socket.socket, out: _Output, pause: Callable[[float], bool]) -> None:
    whole = _message("200 OK", _JSON, content)
    start = 0
    if fault.kind == "drip":
        start = len(whole) - len(content)
        out.write(whole[:start])
    for place in range(start, len(whole)):
        out.write(whole[place : place + 1])
        out.flush()
        if pause(fault.seconds or 0.05):
            return


def _endless(_: Fault, __: bytes, ___: socket.socket, out: _Output, pause: Callable[[float], bool]) -> None:
    out.write(b"HTTP/1.1 200 OK\r\n%sConnection: close\r\n\r\n" % _JSON)
    while not pause(0.0005):
        out.write(_PIECE)
        out.flush()


_PARTIAL: dict[
    str, Callable[[Fault, bytes, socket.socket, _Output, Callable[[float], bool]], None]
] = {
    "hang": _hang,
    "reset": _reset,
    "half": _half,
    "drip": _drip,
    "drip-headers": _drip,
    "endless": _endless,
}  # fmt: skip
