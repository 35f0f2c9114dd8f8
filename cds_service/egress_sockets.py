"""Connections that go where the policy allows, and end when their time is up."""

from __future__ import annotations

import io
import socket
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from cds_service.deadline import Deadline
from cds_service.egress_policy import EgressPolicy
from cds_service.name_lookup import NameLookup

_LONGEST = 60.0  # seconds, where nobody set a time limit


class EgressRefused(Exception):  # raised before anything is sent
    """The policy forbids this request; the message repeats nothing of it."""


class EgressFailed(Exception):
    """The exchange failed. ``kind``: timeout, connection refused, broken, too large, TLS, encoding."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Dialer:
    """Opens sockets: looks the name up once, judges every address, and connects to an address that was judged."""

    def __init__(self, policy: EgressPolicy, names: NameLookup) -> None:
        self._policy = policy
        self._names = names

    def dial(self, scheme: str, host: str, port: int, timeout: float | None, options: Any) -> socket.socket:
        """A connected socket. One forbidden address among several refuses the host: somebody is playing with it."""
        rule = self._policy.rule(scheme, host.lower(), port)
        if rule is None:
            raise EgressRefused("the host is not registered")
        deadline = Deadline(_LONGEST if timeout is None else timeout)
        addresses = self._names.addresses(host, port, deadline)
        if not addresses or not all(rule.permits(address) for address in addresses):
            raise EgressRefused("the host stands for an address that is not allowed")
        failure = EgressFailed("connection refused")
        for address in addresses:
            try:
                return _connected((str(address), port), deadline, options)
            except OSError as problem:
                # Not as it came: urllib3 takes a reset for one after the request was sent, and then reads an answer
                # from a socket that was never there.
                failure = EgressFailed(_kind_of_no_connection(problem))
        raise failure


def _kind_of_no_connection(problem: OSError) -> str:
    if isinstance(problem, TimeoutError):
        return "timeout"
    return "connection refused" if isinstance(problem, ConnectionRefusedError) else "broken"


def _connected(address: tuple[str, int], deadline: Deadline, options: Any) -> socket.socket:
    left = deadline.remaining()
    if left <= 0:
        raise TimeoutError
    opened = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        for option in options or ():
            opened.setsockopt(*option)
        opened.settimeout(left)
        opened.connect(address)
    except BaseException:
        opened.close()
        raise
    return opened


class _TimedSocket:
    """A socket whose time limit is for everything that follows, not for each piece: a server cannot drip past it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._deadline = Deadline(inner.gettimeout() or _LONGEST)
        self._readers = 0
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def settimeout(self, seconds: float | None) -> None:
        """Everything sent and received from now on has this long."""
        self._deadline = Deadline(_LONGEST if seconds is None else seconds)

    def _arm(self) -> None:
        left = self._deadline.remaining()
        if left <= 0:
            raise TimeoutError
        self._inner.settimeout(left)

    def sendall(self, data: Any) -> None:
        self._arm()
        self._inner.sendall(data)

    def recv_into(self, buffer: Any) -> int:
        self._arm()
        received: int = self._inner.recv_into(buffer)
        return received

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """What http.client reads an answer from; it may close the socket first, and reads on."""
        self._readers += 1
        return io.BufferedReader(_Reading(self), 64 * 1024)

    def close(self) -> None:
        self._closed = True
        if not self._readers:
            self._inner.close()

    def reader_closed(self) -> None:
        """One answer less to wait for."""
        self._readers -= 1
        if self._closed:
            self.close()


class _Reading(io.RawIOBase):
    def __init__(self, timed: _TimedSocket) -> None:
        self._timed = timed

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._timed.reader_closed()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.recv_into(buffer)


class GuardedHTTP(HTTPConnection):
    """A plain connection, for loopback addresses."""

    dialer: Dialer
    debuglevel = 0

    def _new_conn(self) -> socket.socket:
        return _dialled(self, "http")

    def connect(self) -> None:
        super().connect()
        self.sock = _TimedSocket(self.sock)

    def set_debuglevel(self, level: int) -> None:
        """Never: it would print tokens."""


class GuardedHTTPS(HTTPSConnection):
    """A TLS connection; the certificate must name the host, whatever address it has."""

    dialer: Dialer
    debuglevel = 0

    def _new_conn(self) -> socket.socket:
        return _dialled(self, "https")

    def connect(self) -> None:
        super().connect()
        self.sock = _TimedSocket(self.sock)

    def set_debuglevel(self, level: int) -> None:
        """Never: it would print tokens."""


def _dialled(connection: GuardedHTTP | GuardedHTTPS, scheme: str) -> socket.socket:
    timeout = connection.timeout
    limit = float(timeout) if isinstance(timeout, int | float) else None
    return connection.dialer.dial(scheme, connection.host, connection.port, limit, connection.socket_options)
