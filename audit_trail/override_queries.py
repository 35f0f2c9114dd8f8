"""What is asked of the store about overrides: cheaply and often, so that all workers respect them within a second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, func, select, tuple_

from audit_trail.columns import column_text
from audit_trail.feedback import card_uuid, outcome_moment
from audit_trail.overrides import Card, CardOutcome
from audit_trail.queries import Queries
from audit_trail.record import DecisionRecord, FeedbackItem, UnknownRecord, decode
from audit_trail.tables import CARD, FEEDBACK, RECORD


class Seen(Struct, frozen=True):
    """How much feedback there was; as long as it is the same, there is nothing to learn."""

    latest: datetime | None
    count: int


def feedback_seen(queries: Queries, since: datetime) -> Seen:
    """How much feedback has arrived since then."""
    column = FEEDBACK.c
    query = select(func.max(column.at).label("latest"), func.count().label("count")).where(column.at >= since)
    with queries.connection() as connection:
        row = connection.execute(query).one()
    latest, count = row
    return Seen(latest, count)


def outcomes_since(queries: Queries, since: datetime) -> tuple[CardOutcome, ...]:
    """What was reported of cards since then. Nothing can be remembered that was reported earlier than it happened."""
    column = FEEDBACK.c
    query = select(
        column.client, column.card, column.outcome, column.outcome_timestamp, column.reason_code, column.at
    ).where(column.at >= since)
    with queries.connection() as connection:
        rows = connection.execute(query).all()
    return tuple(
        CardOutcome(
            row.client,
            row.card,
            row.outcome,
            outcome_moment(
                FeedbackItem(card=row.card, outcome=row.outcome, outcome_timestamp=row.outcome_timestamp), row.at
            ),
            row.at,
            row.reason_code,
        )
        for row in rows
    )


def decisions_of(queries: Queries, cards: frozenset[Card]) -> Mapping[Card, DecisionRecord]:
    """The decisions that these cards came from; of a call that was repeated, the last one."""
    found: dict[Card, DecisionRecord] = {}
    with queries.connection() as connection:
        for client, card in sorted(cards):
            for record in _calls(connection, client, card):
                if any(card_uuid(each.uuid) == card for each in record.cards):
                    found[client, card] = record
    return found


def _calls(connection: Connection, client: str, card: str) -> list[DecisionRecord]:
    column, record = CARD.c, RECORD.c
    places = select(column.writer, column.number).where(
        column.uuid == column_text(card), column.client == column_text(client)
    )
    query = select(record.content).where(tuple_(record.writer, record.number).in_(places)).order_by(record.at)
    calls = []
    for content in connection.scalars(query):
        try:
            call = decode(content) if content is not None else None
        except UnknownRecord:
            continue
        if isinstance(call, DecisionRecord):
            calls.append(call)
    return calls
