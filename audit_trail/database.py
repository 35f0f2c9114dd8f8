"""Connections to the store's database: SQLite in one file, or PostgreSQL."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, OperationalError, SQLAlchemyError, StatementError

from audit_trail.draining import RecordRefused, StoreDown

SECONDS_WAITED_FOR_OTHERS: Final = 5.0
SECONDS_A_READER_WAITS: Final = 1.0  # somebody looks at an empty page, and a thread that answers calls is held
_CONNECT_SECONDS: Final = 3
_READING: Final = "lumbar_cds_reading"
_DIALECTS: Final = ("sqlite", "postgresql")
# PostgreSQL: a connection that hangs must not hold up whoever waits for it.
_POSTGRES_OPTIONS: Final = "-c statement_timeout={ms} -c lock_timeout={lock_ms} -c timezone=UTC"
_STATEMENT_MS: Final = 60_000
_SECONDS_BETWEEN_TRIES: Final = 0.025
_BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03")  # as SQLite and PostgreSQL (lock not available) say it
_GRACE_SECONDS: Final = 2.0


class StoreBusy(StoreDown):
    """The store can be reached, and something else holds what is needed of it. It is worth trying again soon."""


class StoreAddressError(ValueError):
    """An address of a store that cannot be used; the message holds no password."""


def store_address(text: str) -> URL:
    """An address as the settings write it: ``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreAddressError("expected sqlite:///FILE or postgresql://USER@HOST/DATABASE") from None
    dialect = url.drivername.partition("+")[0]
    if dialect not in _DIALECTS:
        raise StoreAddressError("expected an address that starts with sqlite:/// or postgresql://")
    if dialect == "sqlite":
        if not url.database or url.database == ":memory:":
            raise StoreAddressError("an SQLite store is a file: sqlite:///FILE")
        return url.set(drivername="sqlite+pysqlite")
    if not url.database:
        raise StoreAddressError("a PostgreSQL store names its database: postgresql://USER@HOST/DATABASE")
    return url.set(drivername="postgresql+psycopg")


def sqlite_address(file: Path) -> URL:
    """The address of a store in that file."""
    return URL.create("sqlite+pysqlite", database=str(file))


def connect_to(
    url: URL, statement_ms: int = _STATEMENT_MS, connections: int = 4, patience: float | None = None
) -> Engine:
    """An engine; it connects when it is first used, and must be made in the process that uses it.

    ``statement_ms``: longest time of one statement; 0: as long as it takes. ``patience``: seconds that what others
    hold is waited for; ``None``: as long as is usual.
    """
    if url.get_backend_name() == "sqlite":
        patience = SECONDS_WAITED_FOR_OTHERS if patience is None else patience
        engine = create_engine(
            url,
            hide_parameters=True,
            connect_args={"timeout": patience},
            pool_size=connections,
            pool_timeout=_CONNECT_SECONDS,
        )
        _set_up_sqlite(engine, Path(url.database or ""), patience)
        return engine
    lock_ms = statement_ms if patience is None else round(1000 * patience)
    engine = create_engine(
        url,
        hide_parameters=True,  # values are patients' data: not in an error's text either
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=_CONNECT_SECONDS,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 30,
            "options": _POSTGRES_OPTIONS.format(ms=statement_ms, lock_ms=lock_ms),
            "application_name": "lumbar-cds",
        },
    )
    kind = impatient(statement_ms)

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        return kind.connect(*arguments, **options)

    return engine


class _Connection(psycopg.Connection[Any]):
    """Gives up on a server that takes statements and never answers: frozen, or cut off."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.seconds() if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # an answer that comes late would be taken for the next one
            raise

    def seconds(self) -> float | None:
        """Longest wait for one statement; ``None``: as long as it takes."""
        return None


def impatient(statement_ms: int) -> type[psycopg.Connection[Any]]:
    """Connections whose statements end by then, whatever the server does."""
    longest = None if not statement_ms else statement_ms / 1000 + _GRACE_SECONDS
    return type("Impatient", (_Connection,), {"seconds": lambda _: longest})


def _write_ahead(connection: Any, patience: float) -> None:
    """Many that open a new file at once get in each other's way here, and SQLite does not wait for this by itself."""
    end = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() >= end:
                raise
            time.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return


def _set_up_sqlite(engine: Engine, file: Path, patience: float) -> None:
    @event.listens_for(engine, "do_connect")
    def before(*_: Any) -> None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600, exist_ok=True)  # readable by nobody else on the machine

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so
        _write_ahead(connection, patience)
        # A commit is on the disk before the journal that the records came from is deleted.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=4000")  # pages that change all the time are copied more rarely
        connection.execute("PRAGMA secure_delete=ON")  # what is pruned is overwritten

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A transaction that reads first and then writes must hold the lock from its start: it cannot wait for it later.
        reading = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes; ``StoreDown`` where the database does not take it."""
    with problems_told(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, and sees one state of the store from its start to its end."""
    with problems_told(), engine.connect() as plain:
        connection = plain.execution_options(**{_READING: True})
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


@contextmanager
def problems_told() -> Iterator[None]:
    """Every problem of the database as one kind, in words that repeat no value."""
    try:
        yield
    except SQLAlchemyError as problem:
        kind = RecordRefused if _is_about_a_value(problem) else StoreBusy if _is_busy(problem) else StoreDown
        raise kind(words_for(problem)) from None
    except sqlite3.Error as problem:  # while a connection is made ready, which the toolkit does not notice
        kind = StoreBusy if _name_of(problem).startswith(_BUSY) else StoreDown
        raise kind(str(problem)) from None
    except (OverflowError, UnicodeError) as problem:  # from SQLite's driver: a number or a text that it cannot pass on
        raise RecordRefused(type(problem).__name__) from None
    except OSError as problem:
        raise StoreDown(problem.strerror or type(problem).__name__) from None


def _is_about_a_value(problem: SQLAlchemyError) -> bool:
    """The database is there, and refuses what it was given."""
    return isinstance(problem, DataError) or (
        isinstance(problem, StatementError) and not isinstance(problem, DBAPIError)
    )


def _is_busy(problem: SQLAlchemyError) -> bool:
    return isinstance(problem, DBAPIError) and _name_of(problem.orig).startswith(_BUSY)


def _name_of(problem: object) -> str:
    """What the database calls it."""
    return str(getattr(problem, "sqlstate", None) or getattr(problem, "sqlite_errorname", None) or "")


def words_for(problem: SQLAlchemyError) -> str:
    """What went wrong, for a log: what the database says of itself, and never of a value."""
    if not isinstance(problem, DBAPIError) or problem.orig is None:
        return type(problem).__name__
    name = type(problem.orig).__name__
    state = _name_of(problem.orig)
    if not isinstance(problem, OperationalError):
        return f"{name} ({state})" if state else name
    said = re.sub(r"\s+", " ", str(problem.orig)).strip()
    return said[:300] if not state or state.startswith("SQLITE") else f"{said[:300]} ({state})"
