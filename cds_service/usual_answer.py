"""The answer to a usual request as it goes over the wire, in one piece."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Final

from gunicorn import SERVER, util

from cds_service.computing import LEAD
from cds_service.security_headers import OVER_HTTPS

# What gunicorn lets through in an answer's head (RFC 9110, 5.5).
_HEAD: Final = re.compile(
    r"HTTP/1\.1 [0-9]{3} [ \t\x21-\x7e]*\r\n(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+: [ \t\x21-\x7e\x80-\xff]*\r\n)*"
)

# Of no hop, and the same for many answers: nothing of a caller's is kept from one to the next.
_PLAIN: Final = frozenset({"Content-Type", "Vary", *(name for name, _ in OVER_HTTPS)})
_known_heads: Final[dict[tuple[str, tuple[tuple[str, str], ...], bool], bytes]] = {}
_MOST_HEADS: Final = 64
_END: Final = b"\r\n\r\n"


class InvalidHead(ValueError):
    """An answer whose status or headers would not be HTTP."""


class UsualAnswer:
    """What the application says about its answer: WSGI's ``start_response``."""

    __slots__ = ("_headers", "_status", "_written")

    def __init__(self) -> None:
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._written: list[bytes] = []

    def start(self, status: str, headers: list[tuple[str, str]], problem: Any = None, /) -> Callable[[bytes], object]:
        """``start_response``; nothing is sent before all of it is known, so a later word replaces an earlier one."""
        self._status, self._headers = status, headers
        return self._written.append

    def message(self, content: bytes, keep_alive: bool) -> bytes:
        """The whole answer."""
        if self._written:
            content = b"".join((*self._written, content))
        length = str(len(content))
        headers = tuple([each for each in self._headers if each != ("Content-Length", length)])
        usual = self._status, headers, keep_alive
        head = _known_heads.get(usual) or _head(*usual)
        return b"".join((head, b"Date: ", _now(), b"\r\nContent-Length: ", length.encode("ascii"), _END, content))


def _head(status: str, headers: tuple[tuple[str, str], ...], keep_alive: bool) -> bytes:
    head = _lines(status, headers, keep_alive).encode("latin-1")
    if len(_known_heads) < _MOST_HEADS and _PLAIN.issuperset([name for name, _ in headers]):
        _known_heads[status, headers, keep_alive] = head
    return head


def _lines(status: str, headers: tuple[tuple[str, str], ...], keep_alive: bool) -> str:
    """The head of an answer, but for its date and length."""
    lines = [f"HTTP/1.1 {status}", f"Server: {SERVER}", f"Connection: {'keep-alive' if keep_alive else 'close'}"]
    for name, value in headers:
        if name.lower() == "content-length":
            raise InvalidHead  # it would be another than the length of what is sent
        if not util.is_hoppish(name):
            lines.append(f"{name}: {value}")
    head = "\r\n".join((*lines, ""))
    if head.count("\n") != len(lines) or _HEAD.fullmatch(head) is None:
        raise InvalidHead
    return head


class _Clock:
    second = 0
    text = b""


def _now() -> bytes:
    """The date of an answer, made once a second."""
    second = int(time.time())
    if second != _Clock.second:
        _Clock.text = formatdate(second, usegmt=True).encode("ascii")
        _Clock.second = second
    return _Clock.text


def send(connection: socket.socket, message: bytes) -> None:
    """Sends it all; if the other side reads slowly, another thread takes calls in the meantime."""
    try:
        sent = connection.send(message, socket.MSG_DONTWAIT)
    except BlockingIOError:
        sent = 0
    if sent < len(message):
        LEAD.leave()
        connection.sendall(memoryview(message)[sent:])
