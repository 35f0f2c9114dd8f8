"""Name look-ups that cannot hold up a call: the system's resolver knows no time limit, so it runs aside."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillWaiting
from threading import Lock, Thread

from cds_service.deadline import Deadline
from cds_service.egress_policy import Address

Resolver = Callable[[str, int], list[str]]


class NoAddress(OSError):
    """The name stands for no address, as far as could be learned in time."""


def system_resolver(host: str, port: int) -> list[str]:
    """The addresses of a host, in the order in which the system would try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class NameLookup:
    """Looks names up within a deadline; one look-up of a name at a time serves all who wait for it."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._under_way: dict[tuple[str, int], Future[list[str]]] = {}
        self._lock = Lock()

    def addresses(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """Every address of the host; a literal address is its own."""
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        waiting = self._ask(host, port)
        try:
            found = waiting.result(timeout=deadline.remaining())
        except StillWaiting:
            raise TimeoutError("the name look-up takes too long") from None
        except (OSError, UnicodeError):
            raise NoAddress("the name cannot be looked up") from None
        return [ipaddress.ip_address(each) for each in found]

    def _ask(self, host: str, port: int) -> Future[list[str]]:
        key = (host, port)
        with self._lock:
            waiting = self._under_way.get(key)
            if waiting is None:
                waiting = self._under_way[key] = Future()
                # A daemon: a resolver that never answers must not hold up the end of the process either.
                Thread(target=self._look_up, args=(key, waiting), daemon=True, name="name-look-up").start()
            return waiting

    def _look_up(self, key: tuple[str, int], waiting: Future[list[str]]) -> None:
        try:
            found = self._resolver(*key)
        except BaseException as problem:  # noqa: BLE001  handed to those who wait
            self._done(key)
            waiting.set_exception(problem)
        else:
            self._done(key)
            waiting.set_result(found)

    def _done(self, key: tuple[str, int]) -> None:
        with self._lock:
            self._under_way.pop(key, None)
