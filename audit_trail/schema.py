"""The store's schema: made where there is none, brought up to date where that is safe, and refused where it is not.

Alembic's revisions make the tables of the records themselves. The derived tables are dropped and made again from the
records when the way in which they are made has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

from msgspec import Struct
from sqlalchemy import (
    Connection,
    Engine,
    String,
    column,
    delete,
    func,
    insert,
    inspect,
    select,
    table,
    text,
    tuple_,
)

from audit_trail.columns import WAY, rows_of
from audit_trail.database import reading, writing
from audit_trail.draining import StoreDown
from audit_trail.inserting import insert_rows
from audit_trail.record import UnknownRecord, decode
from audit_trail.tables import DERIVED, METADATA, RECORD, SET_ASIDE, STORE_FACT

# Alembic's revisions, the oldest first. It is loaded to migrate, and not to see that there is nothing to do.
REVISIONS: Final = ("0001", "0002")
_WAY: Final = "way of derived tables"
_ALEMBIC: Final = table("alembic_version", column("version_num", String))
_TABLES: Final = "derived tables"
_LOCK: Final = 0x6C_75_6D_62_61_72  # for PostgreSQL's advisory lock: one migration at a time
FEW_RECORDS: Final = 20_000  # so many are derived again within seconds, while a service starts
_BATCH: Final = 500


class State(Enum):
    """How the store's schema stands to this version of the software."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    OTHER = "made by a later version of this software, or by something else"


class MigrationNeeded(StoreDown):
    """The store's schema is not this version's, and changing it is for an operator to decide."""


class Migrated(Struct, frozen=True):
    """What a migration did."""

    before: str  # the revision; empty: there was nothing
    after: str
    derived_again: int = 0  # records whose rows were made again


def state_of(connection: Connection) -> State:
    """How the schema stands; nothing is changed."""
    revision = _revision(connection)
    if not revision:
        return State.OTHER if inspect(connection).has_table(RECORD.name) else State.EMPTY
    if revision not in REVISIONS:
        return State.OTHER
    if revision != REVISIONS[-1]:
        return State.OLDER
    way = _fact(connection, _WAY)
    if way == WAY:
        return State.CURRENT
    return State.OLDER if way is None or int(way) < int(WAY) else State.OTHER


def require_current(engine: Engine) -> None:
    """Raises ``MigrationNeeded`` unless records can be stored and read as they are."""
    with reading(engine) as connection:
        state = state_of(connection)
    if state is not State.CURRENT:
        raise MigrationNeeded(_needed(state))


def prepare(engine: Engine) -> Migrated | None:
    """At a start: makes the tables of a new store, and brings a small file of SQLite up to date.

    A larger store, and one that other machines may be using, is left for ``lumbar-cds audit migrate``
    (``MigrationNeeded``).
    """
    with reading(engine) as connection:
        state = state_of(connection)
        if state is State.CURRENT:
            return None
        safe = state is State.EMPTY or (state is State.OLDER and _is_small_file(connection))
    if not safe:
        raise MigrationNeeded(_needed(state))
    return migrate(engine)


def migrate(engine: Engine) -> Migrated:
    """Brings the schema up to date, all or nothing; ``MigrationNeeded`` where it is not an earlier version's."""
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        state = state_of(connection)
        before = _revision(connection)
        if state is State.OTHER:
            raise MigrationNeeded(_needed(state))
        if state is State.CURRENT:
            return Migrated(before, before)
        upgrade(connection)
        return Migrated(before, _revision(connection), derive_again(connection))


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Runs Alembic's revisions up to that one, in the transaction that is under way."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "audit_trail:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def derive_again(connection: Connection) -> int:
    """Drops the derived tables and makes them again from the records; how many records there were."""
    for name in (_fact(connection, _TABLES) or "").split():
        connection.execute(text(f'DROP TABLE IF EXISTS "{name}"'))
    METADATA.create_all(connection, tables=DERIVED)
    records = 0
    for writer, number, content in _contents(connection):
        records += 1
        try:
            rows = rows_of(writer, number, decode(content))
        except UnknownRecord:
            continue  # kept as it came
        for derived, more in rows.items():
            insert_rows(connection, derived, more)
    _set_fact(connection, _TABLES, " ".join(each.name for each in DERIVED))
    _set_fact(connection, _WAY, WAY)
    return records


def _contents(connection: Connection) -> Iterator[tuple[str, int, bytes]]:
    """Of all records that are there and not set aside: what has no columns keeps none, or every start would fail."""
    place = tuple_(RECORD.c.writer, RECORD.c.number)
    query = select(RECORD.c.writer, RECORD.c.number, RECORD.c.content)
    query = query.where(RECORD.c.content.is_not(None), RECORD.c.kind != SET_ASIDE)
    query = query.order_by(RECORD.c.writer, RECORD.c.number).limit(_BATCH)
    rows = connection.execute(query).all()
    while rows:
        for row in rows:
            yield row.writer, row.number, row.content
        rows = connection.execute(query.where(place > tuple_(rows[-1].writer, rows[-1].number))).all()


def _needed(state: State) -> str:
    if state is State.OTHER:
        return f"the store's schema was {State.OTHER.value}; use the version that made it, or another store"
    if state is State.EMPTY:
        return "the store has no tables yet: lumbar-cds audit migrate makes them"
    return "the store's schema is an earlier version's: lumbar-cds audit migrate brings it up to date"


def _is_small_file(connection: Connection) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    return (connection.scalar(select(func.count()).select_from(RECORD)) or 0) <= FEW_RECORDS


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table(_ALEMBIC.name):
        return ""
    return connection.scalar(select(_ALEMBIC.c.version_num)) or ""


def _fact(connection: Connection, name: str) -> str | None:
    value: str | None = connection.scalar(select(STORE_FACT.c.value).where(STORE_FACT.c.name == name))
    return value


def _set_fact(connection: Connection, name: str, value: str) -> None:
    connection.execute(delete(STORE_FACT).where(STORE_FACT.c.name == name))
    connection.execute(insert(STORE_FACT), {"name": name, "value": value})
