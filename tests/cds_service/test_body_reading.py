"""A large body is read from gunicorn's socket in one piece, exactly; whatever is not just so is read as WSGI has it."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader

from cds_service.body_reading import WORTH_IT, read_body

BODY = bytes(range(256)) * (WORTH_IT // 256 + 40)


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    caller, server = socket.socketpair()
    yield caller, server
    caller.close()
    server.close()


def _send(caller: socket.socket, sent: bytes, then_close: bool = False) -> threading.Thread:
    def send() -> None:
        caller.sendall(sent)
        if then_close:
            caller.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    return sender


def _stream(server: socket.socket, length: int, with_headers: bytes = b"") -> tuple[Body, SocketUnreader]:
    source = SocketUnreader(server)
    source.unread(with_headers)
    return Body(LengthReader(source, length)), source


@pytest.mark.parametrize("with_headers", [0, 1, 5_000, len(BODY) - 1, len(BODY)])
def test_a_large_body_is_read_exactly_however_much_of_it_came_with_the_headers(wire, with_headers: int):
    caller, server = wire
    sender = _send(caller, BODY[with_headers:])
    stream, _ = _stream(server, len(BODY), BODY[:with_headers])
    assert read_body(stream, len(BODY)) == BODY
    assert stream.reader.length == 0  # the server sees that the body is used up
    assert stream.read(1) == b""
    sender.join(timeout=5)


def test_what_follows_the_body_is_left_for_the_next_request(wire):
    _, server = wire
    stream, source = _stream(server, len(BODY), BODY + b"POST /next")
    assert read_body(stream, len(BODY)) == BODY
    assert source.take_buffered() == b"POST /next"


def test_a_caller_who_stops_in_the_middle_leaves_a_short_body(wire):
    caller, server = wire
    _send(caller, BODY[:200_000], then_close=True)
    stream, _ = _stream(server, len(BODY) + 1)
    assert read_body(stream, len(BODY) + 1) == BODY[:200_000]


def test_one_call_takes_it_from_the_socket(wire, monkeypatch: pytest.MonkeyPatch):
    caller, server = wire
    _send(caller, BODY[10:])
    stream, _ = _stream(server, len(BODY), BODY[:10])
    monkeypatch.setattr(Body, "read", None)  # gunicorn's own way would call it
    assert read_body(stream, len(BODY)) == BODY


class Plain(io.BytesIO):
    """The input of another WSGI server."""


def _half_read(server: socket.socket) -> Any:
    stream, _ = _stream(server, len(BODY) + 3, b"abc" + BODY)
    assert stream.read(3) == b"abc"
    return stream


def _peeked(server: socket.socket) -> Any:
    stream, _ = _stream(server, len(BODY), BODY)
    stream.buf.write(stream.reader.read(7))
    return stream


def _chunked(server: socket.socket) -> Any:
    source = SocketUnreader(server)
    source.unread(b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n")
    return Body(ChunkedReader(type("Request", (), {"limit_request_field_size": 0, "max_buffer_headers": 0})(), source))


def _not_waiting(server: socket.socket) -> Any:
    server.setblocking(False)
    return _stream(server, len(BODY), BODY)[0]


UNUSUAL = {
    "another server": lambda server: Plain(BODY),
    "begun": _half_read,
    "looked into": _peeked,
    "chunked": _chunked,
    "a socket that does not wait": _not_waiting,
}


@pytest.mark.parametrize("unusual", UNUSUAL.values(), ids=UNUSUAL)
def test_anything_unusual_is_read_as_wsgi_has_it(wire, unusual):
    assert read_body(unusual(wire[1]), len(BODY)) == BODY


def test_a_small_body_is_read_as_wsgi_has_it(wire):
    stream, _ = _stream(wire[1], 5, b"small and more")
    assert read_body(stream, 5) == b"small"
