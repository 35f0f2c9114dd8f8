"""A token counts once: its id is remembered until the token would have expired anyway."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Final, Protocol


class ReplayMemoryError(Exception):
    """The memory cannot be used; a token whose use cannot be remembered must not count."""


class ReplayMemory(Protocol):
    """Remembers which tokens have been used; shared by all that take the same tokens."""

    def first_use(self, client: str, token_id: str, until: float, now: float) -> bool:
        """Is this the first use of the token of that id? Asked once per token; remembered up to ``until``."""
        ...


class SqliteReplayMemory:
    """In one SQLite file, shared by the workers of a machine, and there after a restart.

    It holds digests of client and token id, so that the file tells nothing about a token.
    """

    SECONDS_BETWEEN_PRUNINGS: Final = 60.0
    SECONDS_WAITED_FOR_OTHERS: Final = 1.0

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._pruned_at = 0.0

    def prepare(self) -> None:
        """Makes the file, or says what is wrong with it, while a start can still be stopped."""
        try:
            with closing(self._open()) as connection:
                if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                    raise ReplayMemoryError("the file is damaged")
        except (OSError, sqlite3.Error) as problem:
            raise ReplayMemoryError(str(problem)) from None

    def first_use(self, client: str, token_id: str, until: float, now: float) -> bool:
        mark = blake2b(f"{client}\n{token_id}".encode(), digest_size=16).digest()
        try:
            connection = self._connection()
            if now - self._pruned_at > self.SECONDS_BETWEEN_PRUNINGS:
                self._pruned_at = now
                connection.execute("DELETE FROM seen WHERE until < ?", (now,))
            return connection.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (mark, until)).rowcount == 1
        except (OSError, sqlite3.Error) as problem:
            raise ReplayMemoryError(str(problem)) from None

    def _connection(self) -> sqlite3.Connection:
        """One for each thread, and none across a fork."""
        opened: tuple[int, sqlite3.Connection] | None = getattr(self._local, "opened", None)
        if opened is None or opened[0] != os.getpid():
            opened = self._local.opened = (os.getpid(), self._open())
        return opened[1]

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600, exist_ok=True)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=self.SECONDS_WAITED_FOR_OTHERS, isolation_level=None, check_same_thread=False
        )
        # Written ahead, and not forced to the disk for each token: it survives a crash of the service, and tokens do
        # not outlive a power failure by much.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS seen (mark BLOB PRIMARY KEY, until REAL) WITHOUT ROWID")
        connection.execute("CREATE INDEX IF NOT EXISTS seen_until ON seen (until)")
        return connection
