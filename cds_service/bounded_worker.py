"""Gunicorn's threaded worker with a bound on how long one request may take to arrive, and errors in FHIR's form."""

from __future__ import annotations

import socket
import time
from http import HTTPStatus
from typing import Any, Final

from gunicorn import util
from gunicorn.http import errors

from cds_service.call_loop import CallLoopWorker
from cds_service.errors import OtherHttpFailure, Unexpected, operation_outcome, status_of
from cds_service.operator_log import OperatorLog
from cds_service.security_headers import HEADERS

# What of a request that is no HTTP is said to whom; nothing of the request itself.
_SAID: Final[tuple[tuple[type[Exception], int, str], ...]] = (
    (errors.LimitRequestLine, 414, "the request line is too long"),
    (errors.LimitRequestHeaders, 431, "too many headers, or one that is too long"),
    (errors.ExpectationFailed, 417, "the only expectation that is met is 100-continue"),
    (errors.UnsupportedTransferCoding, 501, "this transfer coding is not read"),
    (errors.ForbiddenProxyRequest, 403, "the PROXY protocol is not spoken here"),
    (errors.ParseException, 400, "the request is not HTTP/1.1 as RFC 9112 has it"),
)


class BoundedThreadWorker(CallLoopWorker):
    """A request that has not arrived in full within ``seconds`` is cut off, however steadily it drips."""

    log_level = "info"

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._busy: dict[int, tuple[float, Any]] = {}
        self._operator = OperatorLog(self.log_level)

    def handle(self, conn: Any) -> bool:
        """One request, whose time counts from its first byte."""
        key = id(conn)
        self._busy[key] = (conn.since, conn)
        try:
            return super().handle(conn)
        finally:
            del self._busy[key]

    def notify(self) -> None:
        """Called about once a second by the worker's main thread."""
        super().notify()
        now = time.monotonic()
        for started, conn in tuple(self._busy.values()):
            if now - started > 3 * self.seconds:  # the answer is not being read
                _shut(conn.sock, socket.SHUT_RDWR)
            elif now - started > self.seconds:
                _shut(conn.sock, socket.SHUT_RD)  # wakes whoever waits for more; an answer can still be sent

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answers what is no HTTP with an OperationOutcome, and logs its kind."""
        failure = _failure(exc)
        level = "error" if status_of(failure) >= 500 else "warning"
        self._operator.write(level, "request-refused", f"{status_of(failure)} {type(exc).__name__}")
        status = HTTPStatus(status_of(failure))
        body = operation_outcome(failure)
        head = [f"HTTP/1.1 {status.value} {status.phrase}", "Connection: close", "Content-Type: application/json"]
        head += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in HEADERS), "", ""]
        try:
            util.write_nonblock(client, "\r\n".join(head).encode() + body)
        except OSError:
            return  # the caller has gone


def _failure(problem: BaseException) -> OtherHttpFailure | Unexpected:
    for kind, status, said in _SAID:
        if isinstance(problem, kind):
            return OtherHttpFailure(said, status)
    return Unexpected.defect()


def _shut(connection: Any, how: int) -> None:
    try:
        connection.shutdown(how)
    except OSError:
        return  # it has gone already
