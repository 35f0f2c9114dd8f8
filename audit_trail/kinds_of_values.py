"""Does every cell hold the kind of value that its column has? SQLite takes anything anywhere, and others read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    LargeBinary,
    String,
    Table,
    cast,
    func,
    or_,
    select,
    type_coerce,
)

from audit_trail.tables import DERIVED, RECORD, WRITER, Moment, microseconds

SAID: Final = "holds a value of another kind than was ever written ({table}); nothing else was read"
_FIRST: Final = microseconds(datetime(1, 1, 2, tzinfo=UTC))
_LAST: Final = microseconds(datetime(9999, 12, 30, tzinfo=UTC))


def first_of_another_kind(connection: Connection) -> tuple[str, int, str] | None:
    """The first record with a value that nobody could have written: its writer, its number, and what is wrong."""
    for table in (RECORD, WRITER, *DERIVED):
        wrong = _wrong(table, connection.dialect.name == "sqlite")
        place = cast(table.c.writer, String), cast(table.c.number, BigInteger)
        row = connection.execute(select(*place).where(or_(*wrong)).order_by(*place).limit(1)).first() if wrong else None
        if row is not None:
            return row[0], row[1], SAID.format(table=table.name)
    return None


@contextmanager
def any_text_is_read(connection: Connection) -> Iterator[None]:
    """Text that is no UTF-8, which only SQLite stores, is read as another text, and not as an error."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    usual, driver.text_factory = driver.text_factory, lambda raw: raw.decode("utf-8", "replace")
    try:
        yield
    finally:
        driver.text_factory = usual


def _wrong(table: Table, anything_anywhere: bool) -> list[ColumnElement[bool]]:
    moments = [each for each in table.columns if isinstance(each.type, Moment)]
    wrong: list[ColumnElement[bool]] = [~type_coerce(each, BigInteger).between(_FIRST, _LAST) for each in moments]
    if anything_anywhere:
        wrong += [func.typeof(each).not_in(_classes(each)) for each in table.columns]
    return wrong


def _classes(column: Column[Any]) -> tuple[str, ...]:
    """SQLite's storage classes that the column's values have."""
    kind = column.type
    if isinstance(kind, LargeBinary):
        there: tuple[str, ...] = ("blob",)
    elif isinstance(kind, String):
        there = ("text",)
    else:
        there = ("real", "integer") if isinstance(kind, Float) else ("integer",)
    return (*there, "null") if column.nullable else there
