"""What a server has recorded and not yet stored: it is let finish before any other server is measured."""

import http.client
import json
import time
from typing import Any

from msgspec import Struct

from bench import machine
from bench.load import HOST

PATIENCE = 600.0  # seconds


class Backlog(Struct, frozen=True):
    """What waited in the journals at the end of a load, how long storing it took, and how much of the processor."""

    megabytes: float
    seconds: float
    processor_seconds: float


class NotStored(RuntimeError):
    """A server that does not store what it recorded."""


def stored(port: int, pid: int) -> Backlog:
    """Waits until nothing is left to be stored of what the server on that port, of that process, has recorded."""
    began, used = time.perf_counter(), machine.processor_seconds(pid)
    first = left = _waiting(port)
    while left:
        if time.perf_counter() - began > PATIENCE:
            raise NotStored(f"{left} bytes still wait to be stored after {PATIENCE:.0f} s")
        time.sleep(0.1)
        left = _waiting(port)
    seconds = time.perf_counter() - began
    by_now = machine.processor_seconds(pid)
    return Backlog(first / 1e6, seconds, seconds if used is None or by_now is None else by_now - used)


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
