"""A token counts once: its id is remembered until the token would have expired anyway."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final, Protocol

from cds_service.state_file import STATE_PROBLEMS, StateFile, mark_of

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS seen (mark BLOB PRIMARY KEY, until REAL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS seen_until ON seen (until)",
)


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
        self._file = StateFile(path, _TABLES, self.SECONDS_WAITED_FOR_OTHERS)
        self._pruned_at = 0.0

    def prepare(self) -> None:
        """Makes the file, or says what is wrong with it, while a start can still be stopped."""
        try:
            with closing(self._file.open()) as connection:
                if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                    raise ReplayMemoryError("the file is damaged")
        except STATE_PROBLEMS as problem:
            raise ReplayMemoryError(str(problem)) from None

    def first_use(self, client: str, token_id: str, until: float, now: float) -> bool:
        mark = mark_of(f"{client}\n{token_id}")
        try:
            connection = self._file.connection()
            if now - self._pruned_at > self.SECONDS_BETWEEN_PRUNINGS:
                self._pruned_at = now
                connection.execute("DELETE FROM seen WHERE until < ?", (now,))
            return connection.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (mark, until)).rowcount == 1
        except STATE_PROBLEMS as problem:
            raise ReplayMemoryError(str(problem)) from None
