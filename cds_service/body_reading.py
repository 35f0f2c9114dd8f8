"""Reads a large request body in one piece.

Gunicorn hands a body on through two buffers of its own, which copies a body of some megabytes four times. Here the rest
of it comes from the socket in one call. Any other server, a small body, or a gunicorn that is built differently is read
as WSGI has it.
"""

from __future__ import annotations

import socket
from typing import Any, Final, cast

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.unreader import SocketUnreader

from cds_service.usual_request import Incoming

NO_CHUNKS: Final = (ParseException,)  # a body in chunks that are none
CUT_OFF: Final = (NoMoreData,)  # a body that ended in the middle of a chunk
WORTH_IT: Final = 128 * 1024  # bytes


def read_body(stream: Any, length: int) -> bytes:
    """The ``length`` bytes of the body, or fewer where the caller stopped sending."""
    if type(stream) is Incoming:
        return stream.whole()
    if length >= WORTH_IT and _is_untouched(stream, length):
        return _from_socket(stream.reader)
    body: bytes = stream.read(length)
    return body


def _is_untouched(stream: Any, length: int) -> bool:
    """Is it a gunicorn body of stated length, straight from a plain socket, of which nothing has been read?"""
    if type(stream) is not Body or type(stream.reader) is not LengthReader:
        return False
    source = stream.reader.unreader
    return (
        stream.reader.length == length
        and stream.buf.tell() == 0
        and type(source) is SocketUnreader
        and type(source.sock) is socket.socket
        and source.sock.getblocking()
    )


def _from_socket(reader: Any) -> bytes:
    """A bytearray, filled once and never changed: to make bytes of it would be one more copy of some megabytes."""
    length, source = reader.length, reader.unreader
    came_with_headers = source.take_buffered()
    filled = min(len(came_with_headers), length)
    source.unread(came_with_headers[length:])
    body = bytearray(length)
    with memoryview(body) as whole:
        whole[:filled] = came_with_headers[:filled]
        while filled < length:
            received = source.sock.recv_into(whole[filled:], length - filled, socket.MSG_WAITALL)
            if not received:
                break
            filled += received
    reader.length = length - filled
    del body[filled:]
    return cast(bytes, body)
