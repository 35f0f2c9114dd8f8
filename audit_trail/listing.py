"""The list of calls as a page shows it: with their orders, in any order of a few, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, func, select, tuple_

from audit_trail.columns import column_text
from audit_trail.queries import Listed, Place, listed_from
from audit_trail.selection import Selection, conditions
from audit_trail.tables import CARD, DECISION, FEEDBACK, JUDGED_ORDER

_column = DECISION.c
# Each ends in what tells any two calls apart, so that no call is on two pages.
_LAST: Final = (_column.at.desc(), _column.writer.desc(), _column.number.desc())
ORDERS: Final[Mapping[str, tuple[ColumnElement[Any], ...]]] = {
    "newest": _LAST,
    "oldest": (_column.at, _column.writer, _column.number),
    "slowest": (_column.ms.desc(), *_LAST),
    "most unread": (_column.gaps.desc(), *_LAST),
    "most unmapped": (_column.unmapped.desc(), *_LAST),
}


class JudgedOrder(Struct, frozen=True, gc=False):
    """One order of a listed call."""

    procedure: str
    rating: str
    situation: str
    row: str


class ListedCall(Struct, frozen=True):
    """One call of the list, with its orders and what was reported of its cards."""

    call: Listed
    orders: tuple[JudgedOrder, ...]
    reported: tuple[str, ...]


def calls_listed(
    connection: Connection,
    chosen: Selection,
    *,
    patient: str = "",
    order: str = "newest",
    skip: int = 0,
    limit: int = 50,
) -> tuple[ListedCall, ...]:
    """One page of the list."""
    wanted = [*conditions(DECISION, chosen), *_of_patient(patient)]
    query = select(DECISION).where(*wanted).order_by(*ORDERS.get(order, _LAST)).offset(skip).limit(limit)
    calls = [listed_from(row) for row in connection.execute(query)]
    orders = _orders_of(connection, [each.place for each in calls])
    reported = _reported_of(connection, {each.decision for each in calls})
    return tuple(
        ListedCall(each, tuple(orders.get(each.place, ())), tuple(sorted(reported.get(each.decision, ()))))
        for each in calls
    )


def how_many(connection: Connection, chosen: Selection, patient: str = "") -> int:
    """How many calls the whole list has."""
    query = select(func.count()).select_from(DECISION).where(*conditions(DECISION, chosen), *_of_patient(patient))
    return connection.scalar(query) or 0


def all_calls_listed(
    connection: Connection, chosen: Selection, order: str = "newest", page: int = 500
) -> Iterator[ListedCall]:
    """The whole list, read page by page."""
    skip = 0
    while found := calls_listed(connection, chosen, order=order, skip=skip, limit=page):
        yield from found
        skip += len(found)


def _of_patient(patient: str) -> list[ColumnElement[bool]]:
    return [_column.patient_id == column_text(patient)] if patient else []


def _orders_of(connection: Connection, places: list[Place]) -> dict[Place, list[JudgedOrder]]:
    column = JUDGED_ORDER.c
    wanted = tuple_(column.writer, column.number).in_([(each.writer, each.number) for each in places])
    query = select(JUDGED_ORDER).where(wanted).order_by(column.writer, column.number, column.part)
    found: dict[Place, list[JudgedOrder]] = {}
    for row in connection.execute(query) if places else ():
        order = JudgedOrder(row.procedure, row.rating, row.situation, row.rule_row)
        found.setdefault(Place(row.writer, row.number), []).append(order)
    return found


def _reported_of(connection: Connection, decisions: set[str]) -> dict[str, set[str]]:
    """What was said of the cards of these decisions; a report names its card alone."""
    card, said = CARD.c, FEEDBACK.c
    found: dict[str, set[str]] = {}
    query = (
        select(card.decision, said.outcome)
        .join_from(CARD, FEEDBACK, and_(said.card == card.uuid, said.client == card.client))
        .where(card.decision.in_(decisions))
        .distinct()
    )
    for decision, outcome in connection.execute(query) if decisions else ():
        found.setdefault(decision, set()).add(outcome)
    return found
