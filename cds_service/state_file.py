"""One SQLite file for what must outlive a worker, shared by the workers of a machine."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

STATE_PROBLEMS = (OSError, sqlite3.Error)


class StateFile:
    """Connections to the file; ``tables`` are the statements that make what is not there yet."""

    def __init__(self, path: Path, tables: Iterable[str], seconds_waited_for_others: float) -> None:
        self._path = path
        self._tables = tuple(tables)
        self._seconds_waited = seconds_waited_for_others
        self._local = threading.local()

    def connection(self) -> sqlite3.Connection:
        """One for each thread, and none across a fork."""
        opened: tuple[int, sqlite3.Connection] | None = getattr(self._local, "opened", None)
        if opened is None or opened[0] != os.getpid():
            opened = self._local.opened = (os.getpid(), self.open())
        return opened[1]

    def open(self) -> sqlite3.Connection:
        """A connection of the caller's own; the file is readable by nobody else on the machine."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=self._seconds_waited, isolation_level=None, check_same_thread=False
        )
        # Written ahead, and not forced to the disk each time: it survives a crash of the service, and what a power
        # failure takes is the last moments.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        for table in self._tables:
            connection.execute(table)
        return connection


def mark_of(text: str) -> bytes:
    """What stands for a text in the file, so that the file does not tell it."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
