"""What is asked of the store: lists, one decision with all that belongs to it, and the contents behind content hashes.

Nothing here records that it was asked: whoever shows records to somebody records the access first (``Store.accessed``,
or the journal of a running service).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, Select, literal, select, tuple_

from audit_trail.columns import column_text
from audit_trail.database import reading
from audit_trail.feedback import card_uuid
from audit_trail.overrides import Reported
from audit_trail.record import (
    AccessRecord,
    ContentRecord,
    DecisionRecord,
    FeedbackItem,
    FeedbackRecord,
    PageViewRecord,
    Record,
    UnknownRecord,
    decode,
    record_id,
    split_record_id,
)
from audit_trail.selection import Selection, conditions
from audit_trail.store import Store
from audit_trail.tables import ACCESS, CARD, CONTENT, DECISION, FEEDBACK, PAGE_VIEW, RECORD

_AnyRecord = TypeVar("_AnyRecord", bound=Record)
_BATCH: Final = 200
_HIGHEST: Final = 2**63 - 1  # number of a record
_MOST_AT_ONCE: Final = 500  # values of one IN


class Place(Struct, frozen=True, gc=False):
    """Where a record stands."""

    writer: str
    number: int

    @property
    def id(self) -> str:
        """How the record is named."""
        return record_id(self.writer, self.number)


class Stored(Struct, Generic[_AnyRecord], frozen=True):
    """A record and its place."""

    place: Place
    record: _AnyRecord


class Listed(Struct, frozen=True, kw_only=True, gc=False):
    """One call, as a list shows it."""

    place: Place
    at: datetime
    decision: str
    service: str
    client: str
    tenant: str
    user: str
    patient: str
    silent: bool
    outcome: str
    status: int
    orders: int
    cards: int
    indicator: str
    gaps: int
    unmapped: int
    failure: str
    milliseconds: float


class Outcome(Struct, frozen=True):
    """What was reported of one card, when the report arrived, and the report's place."""

    item: FeedbackItem
    received: datetime
    place: Place


class Queries:
    """Questions to one store. Every one may raise ``StoreDown``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def connection(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads, for questions of one's own (a context manager)."""
        return reading(self._store.engine)

    def decisions(
        self, chosen: Selection, *, patient: str = "", after: Listed | None = None, limit: int = 50
    ) -> tuple[Listed, ...]:
        """Calls, the newest first; ``after``: those that follow this one in the list."""
        column = DECISION.c
        order = (column.at.desc(), column.writer.desc(), column.number.desc())
        query = select(DECISION).where(*conditions(DECISION, chosen)).order_by(*order).limit(limit)
        if patient:
            query = query.where(column.patient_id == column_text(patient))
        if after is not None:
            place = (literal(after.at, column.at.type), after.place.writer, after.place.number)
            query = query.where(tuple_(column.at, column.writer, column.number) < tuple_(*place))
        with self.connection() as connection:
            return tuple(listed_from(row) for row in connection.execute(query))

    def decision(self, name: str) -> Stored[DecisionRecord] | None:
        """One call by its record's name, or the first call of a decision by the decision's id."""
        calls = self.calls(name)
        return calls[0] if calls else None

    def calls(self, name: str) -> tuple[Stored[DecisionRecord], ...]:
        """All calls of that decision (a call may be repeated), in order; or the one of that record's name."""
        place = split_record_id(name)
        with self.connection() as connection:
            found = tuple(_records(connection, DecisionRecord, DECISION.c.decision == column_text(name)))
            if found or place is None or place[1] > _HIGHEST:
                return found
            wanted = (RECORD.c.writer == column_text(place[0])) & (RECORD.c.number == place[1])
            return tuple(_records_where(connection, DecisionRecord, select(RECORD).where(wanted)))

    def outcomes(self, call: DecisionRecord) -> tuple[Outcome, ...]:
        """All that was reported of a call's cards, in the order of arrival."""
        cards = {card_uuid(card.uuid) for card in call.cards}
        column = FEEDBACK.c
        with self.connection() as connection:
            reports = _records(
                connection, FeedbackRecord, column.card.in_(cards) & (column.client == column_text(call.client))
            )
            return tuple(
                Outcome(item, report.record.at, report.place)
                for report in reports
                for item in report.record.items
                if item.card in cards
            )

    def decisions_of_cards(self, client: str, cards: Iterable[str]) -> Mapping[str, str]:
        """The decision that each of these cards of a client came from; those that are not known are left out."""
        wanted = {card_uuid(card): card for card in cards}
        found: dict[str, str] = {}
        uuids = list(wanted)
        column = CARD.c
        with self.connection() as connection:
            for first in range(0, len(uuids), _MOST_AT_ONCE):
                some = uuids[first : first + _MOST_AT_ONCE]
                query = select(column.uuid, column.decision).where(
                    column.uuid.in_(some), column.client == column_text(client)
                )
                found.update((wanted[row.uuid], row.decision) for row in connection.execute(query))
        return found

    def reported_since(self, moment: datetime, outcome: str = "") -> tuple[Reported, ...]:
        """Reports on known cards since then, each with the decision that the card came from."""
        column = FEEDBACK.c
        wanted = column.at >= moment
        if outcome:
            cards = select(column.card).where(wanted, column.outcome == outcome)
            wanted = wanted & column.card.in_(cards)
        with self.connection() as connection:
            reports = list(_records(connection, FeedbackRecord, wanted))
            items = [(report.record, item) for report in reports for item in report.record.items]
            decisions = _decisions_by_card(connection, {item.card for _, item in items})
        found = []
        for report, item in items:
            decision = decisions.get((report.client, item.card))
            if decision is not None:
                found.append(Reported(item, report.at, decision))
        return tuple(found)

    def content(self, digest: str) -> ContentRecord | None:
        """What answers were made by, under its hash."""
        with self.connection() as connection:
            found = _records(connection, ContentRecord, CONTENT.c.digest == column_text(digest))
            return next((each.record for each in found), None)

    def has_content(self, digest: str) -> bool:
        """Is that content kept?"""
        query = select(CONTENT.c.digest).where(CONTENT.c.digest == column_text(digest)).limit(1)
        with self.connection() as connection:
            return connection.scalar(query) is not None

    def page_views(self, decision: str) -> tuple[Stored[PageViewRecord], ...]:
        """Who opened the pages behind a decision's cards, and when (nobody is named)."""
        with self.connection() as connection:
            return tuple(_records(connection, PageViewRecord, PAGE_VIEW.c.decision == column_text(decision)))

    def accesses(
        self, since: datetime, until: datetime, decision: str = "", limit: int = 1000
    ) -> tuple[Stored[AccessRecord], ...]:
        """Who looked at records in that time, the newest first."""
        column = ACCESS.c
        query = select(column.writer, column.number).where(column.at >= since, column.at < until)
        if decision:
            query = query.where(column.decision == column_text(decision))
        query = query.order_by(column.at.desc(), column.writer.desc(), column.number.desc()).limit(limit)
        with self.connection() as connection:
            return tuple(_records_where(connection, AccessRecord, _of(query)))[::-1]

    def records(self, chosen: Selection, *, patient: str = "") -> Iterator[Stored[DecisionRecord]]:
        """The whole records of all these calls, the newest first, as they are read: for exports of any size."""
        after: Listed | None = None
        while True:
            listed = self.decisions(chosen, patient=patient, after=after, limit=_BATCH)
            if not listed:
                return
            after = listed[-1]
            places = {each.place for each in listed}
            with self.connection() as connection:
                column = RECORD.c
                wanted = tuple_(column.writer, column.number).in_([(each.writer, each.number) for each in places])
                query = select(RECORD).where(wanted)
                found = {each.place: each for each in _records_where(connection, DecisionRecord, query)}
            yield from (found[each.place] for each in listed if each.place in found)


_DERIVED_FROM: Final[Mapping[type, Any]] = {
    DecisionRecord: DECISION.c,
    FeedbackRecord: FEEDBACK.c,
    ContentRecord: CONTENT.c,
    PageViewRecord: PAGE_VIEW.c,
    AccessRecord: ACCESS.c,
}


def _of(wanted: Select[Any]) -> Select[Any]:
    """The records, in order, of rows that were derived from them (their writers and numbers)."""
    record = RECORD.c
    query = select(RECORD).where(tuple_(record.writer, record.number).in_(wanted))
    return query.order_by(record.at, record.writer, record.number)


def _records(
    connection: Connection, kind: type[_AnyRecord], wanted: ColumnElement[bool]
) -> Iterator[Stored[_AnyRecord]]:
    column = _DERIVED_FROM[kind]
    return _records_where(connection, kind, _of(select(column.writer, column.number).where(wanted)))


def _records_where(connection: Connection, kind: type[_AnyRecord], query: Select[Any]) -> Iterator[Stored[_AnyRecord]]:
    for row in connection.execute(query):
        if row.content is None:  # pruned
            continue
        try:
            record = decode(row.content)
        except UnknownRecord:
            continue
        if isinstance(record, kind):
            yield Stored(Place(row.writer, row.number), record)


def _decisions_by_card(connection: Connection, cards: Iterable[str]) -> dict[tuple[str, str], DecisionRecord]:
    """By client and card; of a call that was repeated, the first."""
    found: dict[tuple[str, str], DecisionRecord] = {}
    uuids = list(cards)
    for first in range(0, len(uuids), _MOST_AT_ONCE):
        some = uuids[first : first + _MOST_AT_ONCE]
        query = _of(select(CARD.c.writer, CARD.c.number).where(CARD.c.uuid.in_(some)))
        for call in _records_where(connection, DecisionRecord, query):
            for card in call.record.cards:
                found.setdefault((call.record.client, card_uuid(card.uuid)), call.record)
    return found


def listed_from(row: Row[Any]) -> Listed:
    """A call as a list shows it, from its row."""
    return Listed(
        place=Place(row.writer, row.number),
        at=row.at,
        decision=row.decision,
        service=row.service,
        client=row.client,
        tenant=row.tenant,
        user=row.user_id,
        patient=row.patient_id,
        silent=row.silent,
        outcome=row.outcome,
        status=row.status,
        orders=row.orders,
        cards=row.cards,
        indicator=row.indicator,
        gaps=row.gaps,
        unmapped=row.unmapped,
        failure=row.failure,
        milliseconds=row.ms,
    )
