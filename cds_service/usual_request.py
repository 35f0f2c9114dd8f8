"""The usual HTTP request, read in a few microseconds; anything else about a request leaves it to gunicorn's own reader.

What is read here is read as gunicorn reads it (RFC 9112): a POST of HTTP/1.1 to a plain path, each header at most once,
names of letters, digits and hyphens, values of visible ASCII, one stated length. Framing is never guessed at: chunks,
expectations, upgrades, and whatever could be read in two ways, are not usual.
"""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Iterator
from typing import Any, Final

from cds_service.computing import LEAD

Environ = dict[str, Any]

LONGEST_HEAD: Final = 4000  # bytes; a bearer token has one or two thousand
MOST_OF_A_HEAD: Final = 32 * 1024  # bytes, whatever is unusual about it
MOST_SKIPPED: Final = 64 * 1024  # bytes of a body that nobody wanted; as in gunicorn
_LONGEST_LINE: Final = 4096  # that gunicorn is asked to take, and a little more
_FIRST_READ: Final = 64 * 1024
_HEAD: Final = re.compile(rb"POST (/[A-Za-z0-9/_.~-]*) HTTP/1\.1\r\n(?:[A-Za-z0-9-]+:[\t\x20-\x7e]*\r\n){1,60}")
_LINE: Final = re.compile(rb"[A-Z]{1,32} [\x21-\x7e]+ HTTP/1\.[01]")
_EOL: Final = b"\r\n"
_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(r"0|[1-9][0-9]{0,7}")
# Headers about framing or the connection; of these only "Connection: keep-alive" is usual.
_NOT_USUAL: Final = frozenset(
    {"HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_UPGRADE", "HTTP_TRAILER", "HTTP_TE", "HTTP_HTTP2_SETTINGS"}
)
_KEYS: Final = {
    name: "HTTP_" + name.upper().replace("-", "_")
    for name in (
        "Host", "Accept", "Authorization", "Origin", "Referer", "User-Agent", "Connection", "Accept-Encoding",
        "Accept-Language", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
        "host", "accept", "authorization", "origin", "user-agent", "connection", "accept-encoding",
    )
} | {
    "Content-Type": "CONTENT_TYPE", "content-type": "CONTENT_TYPE",
    "Content-Length": "CONTENT_LENGTH", "content-length": "CONTENT_LENGTH",
}  # fmt: skip


class Incoming:
    """The body of a request: what has come with its head, and the rest when it is asked for."""

    __slots__ = ("_begun", "_connection", "_end", "_next", "_stream", "left")

    def __init__(self, connection: socket.socket, begun: bytes, length: int, start: int = 0) -> None:
        """The body starts at ``start`` of ``begun``, and has ``length`` bytes; what follows it is not of it."""
        self._connection = connection
        self._begun = begun
        self._next = start  # in what has come with the head
        self._end = min(start + length, len(begun))
        self.left = start + length - self._end  # bytes that are still to come
        self._stream: io.BufferedReader | None = None

    def whole(self) -> bytes:
        """The body, or as much of it as the caller sent."""
        if not self.left:
            return self._begun[self._next : self._end]
        # It reads past its buffer into the memory of the body itself, which is neither cleared before nor copied after.
        return io.BufferedReader(_Stream(self), 1).read(self._end - self._next + self.left)

    def read(self, size: int = -1, /) -> bytes:
        """WSGI's: like those below, for whoever does not want the body in one piece."""
        return self._opened().read(size)

    def readline(self, size: int = -1, /) -> bytes:
        return self._opened().readline(size)

    def readlines(self, hint: int = -1, /) -> list[bytes]:
        return self._opened().readlines(hint)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._opened())

    def _opened(self) -> io.BufferedReader:
        if self._stream is None:
            self._stream = io.BufferedReader(_Stream(self))
        return self._stream

    def take(self, room: memoryview) -> int:
        """Fills the room as far as may be; if that means to wait, another thread takes calls in the meantime."""
        if self._next < self._end:
            begun = memoryview(self._begun)[self._next : min(self._end, self._next + len(room))]
            room[: len(begun)] = begun
            self._next += len(begun)
            return len(begun)
        most = min(len(room), self.left)
        received = self._receive(room, most) if most else 0
        self.left -= received
        return received

    def _receive(self, room: memoryview, most: int) -> int:
        try:
            return self._connection.recv_into(room, most, socket.MSG_DONTWAIT)
        except BlockingIOError:
            LEAD.leave()
            return self._connection.recv_into(room, most, socket.MSG_WAITALL)


class _Stream(io.RawIOBase):
    """The body as a stream: made where one is wanted, as it costs more than reading the head."""

    def __init__(self, incoming: Incoming) -> None:
        super().__init__()
        self._incoming = incoming

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with memoryview(buffer) as room:
            return self._incoming.take(room)


def read_what_is_there(connection: socket.socket, most: int = _FIRST_READ) -> bytes | None:
    """The next bytes of a connection, none at its end; None if there is nothing yet."""
    try:
        return connection.recv(min(most, _FIRST_READ), socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None


def can_be_read(begun: bytes) -> bool:
    """Has a whole head come, or what can never become one? Else there is more to wait for."""
    if _END in begun:
        return True
    start = 2 if begun.startswith(_EOL) else 0  # one empty line before a request is forgiven
    end = begun.find(_EOL, start)
    if end < 0:
        return len(begun) > _LONGEST_LINE or b"\n" in begun[start:]
    return _LINE.fullmatch(begun, start, end) is None or begun.count(b"\n") != begun.count(_EOL)


def usual_request(begun: bytes, environ: Environ, connection: socket.socket) -> tuple[Environ, bytes] | None:
    """The WSGI environment of the usual request that ``begun`` starts with, and what follows it; else nothing."""
    end = begun.find(_END, 0, LONGEST_HEAD)
    head = _HEAD.fullmatch(begun, 0, end + 2) if end > 0 else None
    if head is None or not _read_headers(begun[head.end(1) + 11 : end].decode("ascii"), environ):
        return None
    path = head[1].decode("ascii")
    environ["PATH_INFO"] = environ["RAW_URI"] = path
    length, start = int(environ["CONTENT_LENGTH"]), end + 4
    environ["wsgi.input"] = Incoming(connection, begun, length, start)
    return environ, begun[start + length :]


def _read_headers(lines: str, environ: Environ) -> bool:
    for line in lines.split("\r\n"):
        name, _, value = line.partition(":")
        key = _KEYS.get(name) or _other_key(name)
        if not key or key in environ:
            return False
        environ[key] = value.strip(" \t")
    return (
        "HTTP_HOST" in environ
        and environ.get("HTTP_CONNECTION", "keep-alive").lower() == "keep-alive"
        and _LENGTH.fullmatch(environ.get("CONTENT_LENGTH", "")) is not None
    )


def _other_key(name: str) -> str:
    """Nothing where such a header is not usual."""
    key = name.upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
    return "" if key in _NOT_USUAL else key
