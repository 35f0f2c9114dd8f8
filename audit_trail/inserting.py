"""Many rows at once: the statement is written once, and the driver gets plain tuples.

Records are stored beside answers that are being worked out: what the toolkit spends on each value is felt there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Table

from audit_trail.tables import Moment, microseconds

_PLACEHOLDER: Final[Mapping[str, str]] = {"sqlite": "?", "postgresql": "%s"}


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that have a value for every column; of some records there are none."""
    if not rows:
        return  # the driver would take the statement for one without values
    statement, names, moments = _statement(table, connection.dialect.name)
    values = []
    for row in rows:
        each = [row[name] for name in names]
        for place in moments:
            each[place] = microseconds(each[place])
        values.append(tuple(each))
    connection.exec_driver_sql(statement, values)


@cache
def _statement(table: Table, dialect: str) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    columns = list(table.columns)
    names = ", ".join(f'"{column.name}"' for column in columns)
    places = ", ".join(_PLACEHOLDER[dialect] for _ in columns)
    return (
        f'INSERT INTO "{table.name}" ({names}) VALUES ({places})',  # noqa: S608  our own names
        tuple(column.name for column in columns),
        tuple(place for place, column in enumerate(columns) if isinstance(column.type, Moment)),
    )
