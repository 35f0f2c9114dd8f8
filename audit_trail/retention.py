"""Pruning: contents that are no longer to be kept are deleted, and a tombstone in the chain says which, when and why.

What stays of a pruned record is its place, its kind, its moment and its hashes, so that the chain can still be checked.
Tombstones and checkpoints are kept for good; so is what answers were made by, of which only repetitions go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, tuple_, update

from audit_trail.columns import column_text
from audit_trail.database import connect_to, problems_told, writing
from audit_trail.record import RecordSpan, TombstoneRecord
from audit_trail.store import Store, add_to
from audit_trail.tables import CARD, CONTENT, DECISION, DERIVED, FEEDBACK, PAGE_VIEW, RECORD

_KINDS: Final = ("decision", "feedback", "page-view", "access")
_BATCH: Final = 500  # records of one transaction: whoever stores records waits for it


class Pruned(Struct, frozen=True):
    """What was pruned: how many records, under how many tombstones. ``more``: there is more, for the next time."""

    records: int = 0
    tombstones: int = 0
    more: bool = False


class Why(Struct, frozen=True, kw_only=True):
    """Who prunes, as which writer, and why; the tombstones say so."""

    writer: str
    by: str
    because: str
    now: datetime


def prune_before(store: Store, before: datetime, why: Why, most: int | None = None) -> Pruned:
    """Prunes every call, report, page view and access from before that moment; about ``most`` of them at once."""
    record = RECORD.c
    newest = select(CONTENT.c.digest, func.max(CONTENT.c.at).label("at")).group_by(CONTENT.c.digest).subquery()
    repeated = select(CONTENT.c.writer, CONTENT.c.number).join(
        newest, and_(newest.c.digest == CONTENT.c.digest, newest.c.at > CONTENT.c.at)
    )
    wanted = and_(
        record.at < before,
        or_(
            record.kind.in_(_KINDS),
            and_(record.kind == "content", tuple_(record.writer, record.number).in_(repeated)),
        ),
    )
    return _prune(store, wanted, why, before, most)


def prune_patient(store: Store, patient: str, client: str, why: Why) -> Pruned:
    """Prunes every call about one patient of one client, and the reports and page views that belong to them.

    A report that also holds other patients' cards goes with it, as a record is kept whole or not at all.
    """
    decision = DECISION.c
    theirs = and_(decision.patient_id == column_text(patient), decision.client == column_text(client))
    calls = select(decision.writer, decision.number).where(theirs)
    ids = select(decision.decision).where(theirs)
    cards = select(CARD.c.uuid).where(tuple_(CARD.c.writer, CARD.c.number).in_(calls))
    of_calls = (
        calls,
        select(FEEDBACK.c.writer, FEEDBACK.c.number).where(
            or_(FEEDBACK.c.card.in_(cards), FEEDBACK.c.decision.in_(ids)), FEEDBACK.c.client == column_text(client)
        ),
        select(PAGE_VIEW.c.writer, PAGE_VIEW.c.number).where(PAGE_VIEW.c.decision.in_(ids)),
    )
    place = tuple_(RECORD.c.writer, RECORD.c.number)
    # The calls last: as long as they are there, what belongs to them is found.
    pruned = Pruned()
    for some in reversed(of_calls):
        more = _prune(store, place.in_(some), why, None)
        pruned = Pruned(pruned.records + more.records, pruned.tombstones + more.tombstones)
    return pruned


def _prune(
    store: Store, wanted: ColumnElement[bool], why: Why, before: datetime | None, most: int | None = None
) -> Pruned:
    pruned = Pruned()
    while True:
        if most is not None and pruned.records >= most:
            return msgspec.structs.replace(pruned, more=True)
        with writing(store.engine) as connection:
            places = _places(connection, wanted)
            if not places:
                break
            spans = tuple(_spans(places))
            _delete(connection, spans)
            tombstone = TombstoneRecord(
                at=why.now, by=why.by, because=why.because, before=before, spans=spans, records=len(places)
            )
            add_to(connection, why.writer, tombstone)
        pruned = Pruned(pruned.records + len(places), pruned.tombstones + 1)
    if pruned.records:
        _sweep(store)
    return pruned


def _places(connection: Connection, wanted: ColumnElement[bool]) -> list[tuple[str, int]]:
    record = RECORD.c
    query = select(record.writer, record.number).where(wanted, record.content.is_not(None))
    rows = connection.execute(query.order_by(record.writer, record.number).limit(_BATCH))
    return [(row.writer, row.number) for row in rows]


def _spans(places: Iterable[tuple[str, int]]) -> Iterator[RecordSpan]:
    first: tuple[str, int] | None = None
    last: tuple[str, int] | None = None
    for place in places:
        if first is None or last is None:
            first = last = place
        elif place == (last[0], last[1] + 1):
            last = place
        else:
            yield RecordSpan(first[0], first[1], last[1])
            first = last = place
    if first is not None and last is not None:
        yield RecordSpan(first[0], first[1], last[1])


def _delete(connection: Connection, spans: Iterable[RecordSpan]) -> None:
    for span in spans:
        connection.execute(update(RECORD).where(_within(RECORD.c, span)).values(content=None))
        for table in DERIVED:
            connection.execute(delete(table).where(_within(table.c, span)))


def _within(column: Any, span: RecordSpan) -> ColumnElement[bool]:
    return and_(column.writer == span.writer, column.number.between(span.first, span.last))


def _sweep(store: Store) -> None:
    """Contents are gone from the files as well, and not only from view."""
    if store.engine.dialect.name == "sqlite":
        with problems_told(), closing(store.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    unhurried = connect_to(store.engine.url, statement_ms=0)
    try:
        with problems_told(), unhurried.connect() as plain:
            plain.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM record")
    finally:
        unhurried.dispose()
