"""The quick reading of a usual request says what gunicorn's own reading says, and leaves everything else to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from hypothesis import given
from hypothesis import strategies as st

from cds_service.usual_request import Incoming, can_be_read, usual_request

PATH = "/cds-services/lumbar-imaging-order-select"
HEADERS = ("Host: ehr.example.org", "Content-Type: application/json", "Content-Length: 4")


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    caller, server = socket.socketpair()
    yield caller, server
    caller.close()
    server.close()


def _request(*headers: str, line: str = f"POST {PATH} HTTP/1.1", body: bytes = b"{ } ") -> bytes:
    return "\r\n".join((line, *headers, "", "")).encode("latin-1") + body


def _quickly(request: bytes, connection: Any = None) -> tuple[dict[str, Any], bytes] | None:
    return usual_request(request, {"REQUEST_METHOD": "POST"}, connection)


def _by_gunicorn(request: bytes) -> dict[str, Any]:
    config = Config()
    config.set("forwarded_allow_ips", "")
    read = Request(config, IterUnreader([request]), ("127.0.0.1", 4711))
    _, environ = wsgi.create(read, None, ("127.0.0.1", 4711), ("127.0.0.1", 8090), config)
    return {**environ, "body": environ["wsgi.input"].read()}


def _said(environ: dict[str, Any]) -> dict[str, Any]:
    names = ("PATH_INFO", "RAW_URI", "CONTENT_TYPE", "CONTENT_LENGTH", "REQUEST_METHOD")
    return {name: value for name, value in environ.items() if name in names or name.startswith("HTTP_")}


USUAL = {
    "plain": (),
    "a token": ("Authorization: Bearer abc.def-_=.ghi",),
    "a browser": ("Origin: https://ehr.example.org", "User-Agent: Mozilla/5.0 (X11)", "Accept-Language: en, de;q=0.5"),
    "a proxy": ("X-Forwarded-For: 10.0.0.1, 10.0.0.2", "x-forwarded-proto: https", "Forwarded: for=10.0.0.1"),
    "kept alive": ("Connection: Keep-Alive", "Keep-Alive: timeout=5"),
    "spaces around a value": ("Accept: \t application/json \t",),
    "an empty value": ("X-Empty:",),
    "a colon in a value": ("X-Time: 12:30:00",),
    "a header nobody knows": ("X-9-Lives: yes",),
}


@pytest.mark.parametrize("more", USUAL.values(), ids=USUAL)
def test_a_usual_request_is_read_as_gunicorn_reads_it(more: tuple[str, ...]) -> None:
    request = _request(*HEADERS, *more)
    found = _quickly(request + b"POST /next")
    assert found is not None
    environ, rest = found
    assert rest == b"POST /next"
    expected = _by_gunicorn(request)
    assert _said(environ) == _said(expected)
    assert environ["wsgi.input"].read() == expected["body"] == b"{ } "


UNUSUAL = {
    "another method": _request(*HEADERS, line=f"GET {PATH} HTTP/1.1"),
    "an older version": _request(*HEADERS, line=f"POST {PATH} HTTP/1.0"),
    "a query": _request(*HEADERS, line=f"POST {PATH}?a=b HTTP/1.1"),
    "an escaped path": _request(*HEADERS, line="POST /%2e%2e HTTP/1.1"),
    "a whole address": _request(*HEADERS, line="POST http://ehr.example.org/ HTTP/1.1"),
    "no host": _request(*HEADERS[1:]),
    "no length": _request(*HEADERS[:2]),
    "chunks": _request(*HEADERS[:2], "Transfer-Encoding: chunked"),
    "length and chunks": _request(*HEADERS, "Transfer-Encoding: chunked"),
    "two lengths": _request(*HEADERS, "Content-Length: 4"),
    "two lengths in one": _request(*HEADERS[:2], "Content-Length: 4, 4"),
    "a signed length": _request(*HEADERS[:2], "Content-Length: +4"),
    "a length with zeros before it": _request(*HEADERS[:2], "Content-Length: 04"),
    "a length in other digits": _request(*HEADERS[:2], "Content-Length: \xb2"),
    "an enormous length": _request(*HEADERS[:2], "Content-Length: 999999999999"),
    "a header twice": _request(*HEADERS, "Origin: https://a.example.org", "origin: https://b.example.org"),
    "an expectation": _request(*HEADERS, "Expect: 100-continue"),
    "the last request of a connection": _request(*HEADERS, "Connection: close"),
    "an upgrade": _request(*HEADERS, "Connection: Upgrade", "Upgrade: h2c"),
    "trailers": _request(*HEADERS, "Trailer: X-A"),
    "an underscore in a name": _request(*HEADERS, "X_Forwarded_For: 10.0.0.1"),
    "a space in a name": _request(*HEADERS, "X Name: a"),
    "a space before the colon": _request(*HEADERS, "X-Name : a"),
    "a folded header": _request(*HEADERS, "X-Name: a", " b"),
    "a value that is not ASCII": _request(*HEADERS, "X-Name: \xe4"),
    "a control character": _request(*HEADERS, "X-Name: a\x00b"),
    "a line that ends with a bare LF": _request(*HEADERS, "X-Name: a\nX-Other: b"),
    "a line that ends with a bare CR": _request(*HEADERS, "X-Name: a\rX-Other: b"),
    "an empty line first": b"\r\n" + _request(*HEADERS),
    "no headers": b"POST / HTTP/1.1\r\n\r\n",
    "too many headers": _request(*HEADERS, *(f"X-{number}: a" for number in range(60))),
    "a very long head": _request(*HEADERS, "X-Name: " + "a" * 4000),
    "half a head": _request(*HEADERS)[:60],
    "nothing of HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("request_", UNUSUAL.values(), ids=UNUSUAL)
def test_anything_unusual_is_left_to_gunicorn(request_: bytes) -> None:
    assert _quickly(request_) is None


TOKENS = st.sampled_from(
    ["POST", "GET", " ", "/", PATH, "HTTP/1.1", "HTTP/1.0", "\r\n", "\n", "\r", "\t", ":", ": ", "Host", "4", "0", "a",
     "Content-Length", "content-length", "Transfer-Encoding", "chunked", "Connection", "keep-alive", "X-A", "X_A", ",",
     "\xe4", "\x00", "\r\n\r\n", "Host: a\r\n", "Content-Length: 4\r\n", "X-B: c\r\n", f"POST {PATH} HTTP/1.1\r\n"]
)  # fmt: skip


@given(st.lists(TOKENS, max_size=12))
def test_whatever_is_taken_as_usual_means_the_same_to_gunicorn(pieces: list[str]) -> None:
    request = (f"POST {PATH} HTTP/1.1\r\nHost: a\r\n" + "".join(pieces)).encode("latin-1") + b"\r\n\r\nbody"
    found = _quickly(request)
    if found is None:
        return
    environ, rest = found
    expected = _by_gunicorn(request)
    assert _said(environ) == _said(expected)
    length = int(environ["CONTENT_LENGTH"])
    assert expected["body"] == request.partition(b"\r\n\r\n")[2][:length]
    assert rest == request.partition(b"\r\n\r\n")[2][length:]


@pytest.mark.parametrize("with_head", [0, 1, 99_999, 100_000])
def test_a_body_is_read_exactly_however_much_of_it_came_with_the_head(wire: Any, with_head: int) -> None:
    caller, server = wire
    body = bytes(range(250)) * 400
    found = _quickly(_request(*HEADERS[:2], f"Content-Length: {len(body)}", body=body[:with_head]), server)
    assert found is not None
    caller.sendall(body[with_head:] + b"POST /next")
    incoming = found[0]["wsgi.input"]
    assert incoming.whole() == body
    assert incoming.left == 0
    assert server.recv(100) == b"POST /next"


def test_a_body_can_be_read_in_pieces_and_ends(wire: Any) -> None:
    caller, server = wire
    incoming = Incoming(server, b"first line\nsec", 20)
    caller.sendall(b"ond li")
    assert incoming.readline() == b"first line\n"
    assert incoming.read(3) == b"sec"
    assert incoming.read() == b"ond li"
    assert incoming.read() == b""


def test_a_caller_who_stops_in_the_middle_leaves_a_short_body(wire: Any) -> None:
    caller, server = wire
    incoming = Incoming(server, b"{", 100)
    caller.sendall(b"half")
    caller.shutdown(socket.SHUT_WR)
    assert incoming.whole() == b"{half"
    assert incoming.left == 95


WHOLE = {
    "a whole head": _request(*HEADERS),
    "one with an empty line before it": b"\r\n" + _request(*HEADERS),
    "no request line": b"canary\r\n",
    "a version that is none": b"GET / HTTP/2.0\r\n",
    "a line that ends with a bare LF": b"GET / HTTP/1.1\n",
    "a header that ends with a bare LF": b"GET / HTTP/1.1\r\nHost: a\n",
    "an endless line": b"GET /" + b"a" * 5_000,
}
HALF = {
    "nothing": b"",
    "a letter": b"P",
    "an empty line": b"\r\n",
    "half a line": b"GET /cds-ser",
    "a line, half ended": b"GET / HTTP/1.1\r",
    "a line": b"GET / HTTP/1.1\r\n",
    "half a head": _request(*HEADERS)[:-7],
    "a head, half ended": b"GET / HTTP/1.1\r\nHost: a\r\n\r",
}


@pytest.mark.parametrize("begun", WHOLE.values(), ids=WHOLE)
def test_a_whole_head_and_what_can_never_become_one_are_read_at_once(begun: bytes) -> None:
    assert can_be_read(begun)


@pytest.mark.parametrize("begun", HALF.values(), ids=HALF)
def test_a_head_that_has_not_come_in_full_is_waited_for(begun: bytes) -> None:
    assert not can_be_read(begun)
