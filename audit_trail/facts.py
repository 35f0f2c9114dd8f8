"""What the numbers are made of: counts of calls, orders, cards and what was noted, by all that they are looked at by.

The database groups and counts; ``statistics.py`` adds up. A call that was repeated to the byte counts once.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import BigInteger, Connection, Table, and_, case, func, literal_column, select, type_coerce

from audit_trail.selection import Selection, conditions, person
from audit_trail.tables import CARD, DECISION, EPOCH, FEEDBACK, JUDGED_ORDER, NOTED

_DAY: Final = 86_400_000_000  # microseconds


class Calls(Struct, frozen=True, gc=False):
    """Calls of one day that have everything here in common."""

    day: date
    service: str
    client: str
    outcome: str
    status: int
    indicator: str
    failure: str
    silent: bool
    calls: int
    cards: int
    unread: int  # calls in which a part of the record could not be read
    unmapped: int  # calls with a code that no list knows


class Orders(Struct, frozen=True, gc=False):
    """Judged orders of one day that have everything here in common."""

    day: date
    service: str
    client: str
    user: str
    procedure: str
    situation: str
    rating: str
    category: str
    row: str
    orders: int


class Shown(Struct, frozen=True, gc=False):
    """One card that was shown, and what became of it: accepted, overridden, or nothing that we heard of."""

    day: date
    service: str
    client: str
    user: str
    procedure: str
    situation: str
    rating: str
    row: str
    indicator: str
    topic: str
    outcome: str = ""
    reason_code: str = ""
    reason: str = ""
    commented: bool = False


class Noted(Struct, frozen=True, gc=False):
    """How many calls of one day noted this."""

    day: date
    client: str
    topic: str  # gap, unmapped code, fetch trouble, asked, presumed
    value: str
    system: str
    calls: int


class Took(Struct, frozen=True, gc=False):
    """How long one answered call took, in milliseconds, and where."""

    day: date
    whole: float
    trust: float
    reading: float
    fetching: float
    deciding: float
    cards: float


class Facts(Struct, frozen=True):
    """Everything that the numbers of one selection are made of."""

    since: datetime
    until: datetime
    calls: tuple[Calls, ...] = ()
    orders: tuple[Orders, ...] = ()
    shown: tuple[Shown, ...] = ()
    noted: tuple[Noted, ...] = ()
    took: tuple[Took, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        """Every day of the period (UTC), also those without a call."""
        first = self.since.astimezone(UTC).date()
        last = (self.until.astimezone(UTC) - timedelta(microseconds=1)).date()
        return tuple(first + timedelta(days=each) for each in range(max(0, (last - first).days) + 1))


def facts_of(connection: Connection, chosen: Selection) -> Facts:
    """The facts of a selection."""
    return Facts(
        since=chosen.since,
        until=chosen.until,
        calls=_calls(connection, chosen),
        orders=_orders(connection, chosen),
        shown=_shown(connection, chosen),
        noted=_noted(connection, chosen),
        took=_took(connection, chosen),
    )


def _day(table: Table) -> Any:
    """Written out, not as a value beside the statement: PostgreSQL groups by what it can see to be the same."""
    return type_coerce(table.c.at, BigInteger).op("/")(literal_column(str(_DAY)))


def _date(number: int) -> date:
    return (EPOCH + timedelta(days=number)).date()


def _calls(connection: Connection, chosen: Selection) -> tuple[Calls, ...]:
    column = DECISION.c
    by = (
        _day(DECISION), column.service, column.client, column.outcome, column.status, column.indicator, column.failure,
        column.silent,
    )  # fmt: skip
    # A repeat to the byte has the same cards, so that the most of them are those of one call.
    each = (
        select(
            *(part.label(f"c{place}") for place, part in enumerate(by)),
            func.max(column.cards).label("cards"),
            func.max(column.gaps).label("gaps"),
            func.max(column.unmapped).label("unmapped"),
        )
        .where(*conditions(DECISION, chosen))
        .group_by(*by, column.decision)
        .subquery()
    )
    keys = [each.c[f"c{place}"] for place in range(len(by))]
    unread = func.sum(case((each.c.gaps > 0, 1), else_=0))
    unmapped = func.sum(case((each.c.unmapped > 0, 1), else_=0))
    query = select(*keys, func.count(), func.sum(each.c.cards), unread, unmapped).group_by(*keys)
    return tuple(
        Calls(_date(row[0]), *row[1:7], bool(row[7]), row[8], int(row[9] or 0), int(row[10]), int(row[11]))
        for row in connection.execute(query)
    )


def _orders(connection: Connection, chosen: Selection) -> tuple[Orders, ...]:
    column = JUDGED_ORDER.c
    by = (
        _day(JUDGED_ORDER), column.service, column.client, column.user_id, column.procedure, column.situation,
        column.rating, column.category, column.rule_row, column.part,
    )  # fmt: skip
    query = select(*by, func.count(column.decision.distinct())).where(*conditions(JUDGED_ORDER, chosen)).group_by(*by)
    return tuple(
        Orders(_date(row[0]), row[1], row[2], person(row[2], row[3]), *row[4:9], row[10])
        for row in connection.execute(query)
    )


def _shown(connection: Connection, chosen: Selection) -> tuple[Shown, ...]:
    """Cards that a clinician saw, with the last report on each."""
    card, said = CARD.c, FEEDBACK.c
    query = (
        select(
            _day(CARD), card.service, card.client, card.user_id, card.procedure, card.situation, card.rating,
            card.rule_row, card.indicator, card.topic, card.uuid, said.outcome, said.reason_code, said.reason_display,
            said.commented,
        )
        .select_from(CARD.outerjoin(FEEDBACK, and_(said.card == card.uuid, said.client == card.client)))
        .where(*conditions(CARD, chosen), card.silent.is_(False))
        .order_by(card.at, said.at, said.number)
    )  # fmt: skip
    last: dict[str, Shown] = {}
    for row in connection.execute(query):
        last[row.uuid] = Shown(
            _date(row[0]), *row[1:3], person(row[2], row[3]), *row[4:10], row.outcome or "", row.reason_code or "",
            row.reason_display or "", bool(row.commented),
        )  # fmt: skip
    return tuple(last.values())


def _noted(connection: Connection, chosen: Selection) -> tuple[Noted, ...]:
    column = NOTED.c
    # The earliest of the calls that are the same to the byte: they noted the same.
    query = (
        select(func.min(_day(NOTED)), column.client, column.topic, func.min(column.lines))
        .where(*conditions(NOTED, chosen))
        .group_by(column.decision, column.client, column.topic)
    )
    counted: dict[tuple[int, str, str], Counter[str]] = {}
    for day, client, topic, lines in connection.execute(query):
        counted.setdefault((day, client, topic), Counter()).update(lines.split("\n")[1:-1])
    return tuple(
        Noted(_date(day), client, topic, *_value(topic, value), calls)
        for (day, client, topic), values in counted.items()
        for value, calls in values.items()
    )


def _value(topic: str, value: str) -> tuple[str, str]:
    """A value, and its code system where it has one."""
    if topic != "unmapped code":
        return value, ""
    system, _, code = value.rpartition("|")
    return code, system


def _took(connection: Connection, chosen: Selection) -> tuple[Took, ...]:
    column = DECISION.c
    query = select(
        _day(DECISION), column.ms, column.ms_trust, column.ms_reading, column.ms_fetching, column.ms_deciding,
        column.ms_cards,
    ).where(*conditions(DECISION, chosen), column.outcome == "answered")  # fmt: skip
    return tuple(Took(_date(row[0]), *row[1:]) for row in connection.execute(query))


class Choices(Struct, frozen=True):
    """What occurs in a period, and so can be chosen from."""

    services: tuple[str, ...]
    clients: tuple[str, ...]
    users: tuple[str, ...]  # as ``person`` names them
    procedures: tuple[str, ...]
    situations: tuple[str, ...]
    rows: tuple[str, ...]


def choices_in(connection: Connection, since: datetime, until: datetime) -> Choices:
    """Everything that occurs between these moments."""
    orders = JUDGED_ORDER.c
    period = Selection(since=since, until=until)

    def of(table: Table, name: str) -> tuple[str, ...]:
        column = table.c[name]
        query = select(column).where(*conditions(table, period)).distinct().order_by(column)
        return tuple(value for value in connection.scalars(query) if value)

    return Choices(
        services=of(DECISION, "service"),
        clients=of(DECISION, "client"),
        users=tuple(
            person(*row)
            for row in connection.execute(
                select(orders.client, orders.user_id).where(*conditions(JUDGED_ORDER, period)).distinct()
            )
            if row.user_id
        ),
        procedures=of(JUDGED_ORDER, "procedure"),
        situations=of(JUDGED_ORDER, "situation"),
        rows=of(JUDGED_ORDER, "rule_row"),
    )
