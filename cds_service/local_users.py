"""The local users of the pages, and the sessions that were signed out: one small file beside the audit store."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from audit_pages.people import Account
from cds_service.state_file import STATE_PROBLEMS, StateFile, mark_of

FILE: Final = "users.sqlite3"
KEY_FILE: Final = "session-key"
_SECONDS_WAITED_FOR_OTHERS: Final = 2.0
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, role TEXT, password TEXT, stamp TEXT) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS ended (session BLOB PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID",
)


class UsersError(RuntimeError):
    """The file of users cannot be read or written."""


class LocalUsers:
    """Users by name, with their roles and password hashes; shared by the workers of a machine."""

    def __init__(self, path: Path) -> None:
        self._file = StateFile(path, _TABLES, _SECONDS_WAITED_FOR_OTHERS)

    def find(self, name: str) -> Account | None:
        """The account of that name; names differ in more than case."""
        rows = self._ask("SELECT name, role, password, stamp FROM users WHERE name = ?", name.lower())
        return _account(rows[0]) if rows else None

    def is_empty(self) -> bool:
        """Is there no local user at all?"""
        return not self._ask("SELECT 1 FROM users LIMIT 1")

    def all(self) -> tuple[Account, ...]:
        """Every account, by name."""
        return tuple(map(_account, self._ask("SELECT name, role, password, stamp FROM users ORDER BY name")))

    def add(self, name: str, role: str, password_hash: str) -> bool:
        """A new account; ``False`` where there is one of that name."""
        return self._change(
            "INSERT OR IGNORE INTO users VALUES (?, ?, ?, ?)", name.lower(), role, password_hash, _new()
        )

    def remove(self, name: str) -> bool:
        """Removes an account, and so ends its sessions."""
        return self._change("DELETE FROM users WHERE name = ?", name.lower())

    def set_password(self, name: str, password_hash: str) -> bool:
        """Another password; sessions that were begun with the old one end."""
        return self._change(
            "UPDATE users SET password = ?, stamp = ? WHERE name = ?", password_hash, _new(), name.lower()
        )

    def set_role(self, name: str, role: str) -> bool:
        """Another role; sessions that were begun in the old one end."""
        return self._change("UPDATE users SET role = ?, stamp = ? WHERE name = ?", role, _new(), name.lower())

    def end(self, session: str, until: datetime) -> None:
        """Remembers that a session was signed out, until its cookie would have expired anyway."""
        self._change("DELETE FROM ended WHERE until < ?", until.timestamp() - 86_400)
        self._change("INSERT OR REPLACE INTO ended VALUES (?, ?)", mark_of(session), until.timestamp())

    def has_ended(self, session: str) -> bool:
        """Was it signed out?"""
        return bool(self._ask("SELECT 1 FROM ended WHERE session = ?", mark_of(session)))

    def _ask(self, sql: str, *values: object) -> list[tuple[str, ...]]:
        with _problems():
            rows: list[tuple[str, ...]] = self._file.connection().execute(sql, values).fetchall()
            return rows

    def _change(self, sql: str, *values: object) -> bool:
        with _problems():
            return self._file.connection().execute(sql, values).rowcount == 1


def session_key(folder: Path) -> bytes:
    """What session cookies are signed with: made once, shared by all workers, readable by nobody else."""
    path = folder / KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            draft = folder / f".{KEY_FILE}-{os.getpid()}"
            file = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            try:
                os.write(file, secrets.token_hex(32).encode())
            finally:
                os.close(file)
            try:
                os.link(draft, path)  # whole or not at all, and the first of several wins
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        key = path.read_bytes().strip()
    except OSError as problem:
        raise UsersError(f"{path}: {problem.strerror or problem}") from problem
    if len(key) < 32:
        raise UsersError(f"{path}: expected 32 characters at least; delete it to have another made")
    return key


def _account(row: tuple[str, ...]) -> Account:
    name, role, password_hash, stamp = row
    return Account(name=name, role=role, password_hash=password_hash, stamp=stamp)


def _new() -> str:
    return secrets.token_hex(8)


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except STATE_PROBLEMS as problem:
        raise UsersError(str(problem)) from problem
