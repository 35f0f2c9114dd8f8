"""What a server has recorded and not yet stored: it is let finish before any other server is measured."""

import http.client
import json
import time
from typing import Any

from msgspec import Struct

from bench.load import HOST

PATIENCE = 600.0  # seconds


class Backlog(Struct, frozen=True):
    """What waited in the journals at the end of a load, and how long the storing of it took with nothing else to do."""

    megabytes: float
    seconds: float


class NotStored(RuntimeError):
    """A server that does not store what it recorded."""


def stored(port: int) -> Backlog:
    """Waits until nothing is left to be stored."""
    began = time.perf_counter()
    first = left = _waiting(port)
    while left:
        if time.perf_counter() - began > PATIENCE:
            raise NotStored(f"{left} bytes still wait to be stored after {PATIENCE:.0f} s")
        time.sleep(0.05)
        left = _waiting(port)
    return Backlog(first / 1e6, time.perf_counter() - began)


def _waiting(port: int) -> int:
    audit = _health(port)
    if audit["state"] != "recording":
        raise NotStored(f"the service says of its records: {audit['state']}")
    waiting: int = audit["bytesWaiting"]
    return waiting


def _health(port: int) -> dict[str, Any]:
    """What the service says of its audit record."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request("GET", "/health")
        said: dict[str, Any] = json.loads(connection.getresponse().read())["audit"]
    finally:
        connection.close()
    return said
