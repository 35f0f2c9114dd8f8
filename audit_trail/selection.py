"""Which calls are meant: a period, and what they have in common. Lists, numbers and downloads filter alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Exists, Table, exists, func, tuple_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from audit_trail.columns import line_of
from audit_trail.tables import CARD, DECISION, JUDGED_ORDER, NOTED

Columns = ReadOnlyColumnCollection[str, Any]
OF_ORDERS: Final = ("procedure", "rating", "situation", "rule_row")
OF_CALLS: Final = ("outcome", "indicator")
OF_ALL: Final = ("service", "client", "tenant")


class InCommon(Struct, frozen=True, kw_only=True):
    """What calls have in common; empty means any. ``rating`` may be "none": no rating was given."""

    service: str = ""
    client: str = ""
    tenant: str = ""
    procedure: str = ""
    rating: str = ""
    situation: str = ""
    rule_row: str = ""
    outcome: str = ""
    indicator: str = ""
    gap: str = ""  # "Condition: failed"
    unmapped: str = ""  # "SYSTEM|CODE"


class Selection(InCommon, frozen=True, kw_only=True):
    """A period (the end excluded) and what the calls have in common.

    ``users``: any of these; ``people``: any of these users of a client (see ``person``); ``None``: of everybody.
    """

    since: datetime
    until: datetime
    users: tuple[str, ...] | None = None
    people: tuple[str, ...] | None = None
    silent: bool | None = None

    @property
    def of_orders(self) -> dict[str, str]:
        """What is asked of the orders."""
        return {name: getattr(self, name) for name in OF_ORDERS if getattr(self, name)}

    @property
    def of_calls(self) -> dict[str, str]:
        """What is asked of the calls."""
        return {name: getattr(self, name) for name in OF_CALLS if getattr(self, name)}


def person(client: str, user: str) -> str:
    """One person: two clients may call two people by the same name. Nobody, where the call named no user."""
    return f"{client}\n{user}" if user else ""


def client_and_user(name: str) -> tuple[str, str]:
    """What ``person`` put together."""
    client, _, user = name.partition("\n")
    return client, user


def conditions(table: Table, chosen: Selection) -> list[ColumnElement[bool]]:
    """What rows of a derived table must fulfil to be of the calls that are meant."""
    found = _of_any(table, chosen)
    if chosen.of_orders:
        if table in (JUDGED_ORDER, CARD):
            found += _of_orders(table.c, chosen)
        else:
            found.append(_same_call(table, JUDGED_ORDER, lambda column: _of_orders(column, chosen)))
    if chosen.of_calls:
        if table is DECISION:
            found += _of_calls(table.c, chosen)
        else:
            found.append(_same_call(table, DECISION, lambda column: _of_calls(column, chosen)))
    found += [_same_call(table, NOTED, partial(_holds, topic, value)) for topic, value in _noted(chosen)]
    return found


def _same_call(table: Table, parts: Table, wanted: Callable[[Columns], list[ColumnElement[bool]]]) -> Exists:
    """Is there a row of the same record in another table? Looked up by key, whatever a database guesses of tables."""
    other = parts.alias()
    same = (other.c.writer == table.c.writer, other.c.number == table.c.number)
    return exists().where(*same, *wanted(other.c))


def _holds(topic: str, value: str, column: Columns) -> list[ColumnElement[bool]]:
    # Case counts, on every database: a text that is another one without the line holds it.
    return [column.topic == topic, func.replace(column.lines, "\n" + line_of(value), "") != column.lines]


def _of_any(table: Table, chosen: Selection) -> list[ColumnElement[bool]]:
    column = table.c
    found: list[ColumnElement[bool]] = [column.at >= chosen.since, column.at < chosen.until]
    found += [column[name] == getattr(chosen, name) for name in OF_ALL if getattr(chosen, name)]
    if chosen.users is not None:
        found.append(column.user_id.in_(chosen.users))
    if chosen.people is not None:
        found.append(tuple_(column.client, column.user_id).in_([client_and_user(each) for each in chosen.people]))
    if chosen.silent is not None:
        found.append(column.silent == chosen.silent)
    return found


def _of_orders(column: Columns, chosen: Selection) -> list[ColumnElement[bool]]:
    return [column[name] == ("" if value == "none" else value) for name, value in chosen.of_orders.items()]


def _of_calls(column: Columns, chosen: Selection) -> list[ColumnElement[bool]]:
    return [column[name] == ("" if value == "none" else value) for name, value in chosen.of_calls.items()]


def _noted(chosen: Selection) -> list[tuple[str, str]]:
    wanted = (("gap", chosen.gap), ("unmapped code", chosen.unmapped))
    return [(topic, value) for topic, value in wanted if value]
