"""The list of calls: one line each, with what was said of the order and what the clinician replied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select

from audit_trail.queries import Listed, Queries
from audit_trail.tables import CARD, FEEDBACK, JUDGED_ORDER
from cards.wording import wording


class ListLine(Struct, frozen=True):
    """One call, as the list shows it."""

    at: datetime
    decision: str
    client: str
    said: str
    indicator: str
    reply: str


def list_of(queries: Queries, calls: Sequence[Listed]) -> tuple[ListLine, ...]:
    """The lines of these calls."""
    ids = sorted({call.decision for call in calls})
    orders, replies = _orders(queries, ids), _replies(queries, ids)
    return tuple(
        ListLine(
            call.at,
            call.decision,
            call.client + (" (silent)" if call.silent else ""),
            _said(call, orders.get(call.decision, [])),
            call.indicator,
            replies.get(call.decision, ""),
        )
        for call in calls
    )


def _said(call: Listed, orders: list[tuple[str, str]]) -> str:
    if call.outcome == "failed":
        return f"failed, {call.status} {call.failure}"
    if not orders:
        return call.outcome
    return "\n".join(dict.fromkeys(f"{study}: {situation}" for study, situation in orders))


def _orders(queries: Queries, decisions: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    column = JUDGED_ORDER.c
    query = select(column.decision, column.procedure, column.recognition, column.situation).where(
        column.decision.in_(decisions)
    )
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    studies = wording().study
    with queries.connection() as connection:
        for row in connection.execute(query.order_by(column.number, column.part)):
            study = studies[row.procedure].short if row.procedure in studies else row.recognition
            found[row.decision].append((study, row.situation.replace("-", " ")))
    return found


def _replies(queries: Queries, decisions: Sequence[str]) -> dict[str, str]:
    """The last outcome that arrived for a card of each decision."""
    card, told = CARD.c, FEEDBACK.c
    query = (
        select(card.decision, told.outcome)
        .join(FEEDBACK, (told.card == card.uuid) & (told.client == card.client))
        .where(card.decision.in_(decisions))
        .order_by(told.at, told.writer, told.number, told.part)
    )
    with queries.connection() as connection:
        return {row.decision: row.outcome for row in connection.execute(query)}
