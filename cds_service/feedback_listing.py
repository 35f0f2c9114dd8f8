"""What clinicians replied: each report once, with the decision, the row and the clinician that its card leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, select

from audit_trail.columns import column_text
from audit_trail.feedback import outcome_moment, same_report
from audit_trail.queries import Queries
from audit_trail.record import FeedbackItem, FeedbackRecord, UnknownRecord, decode
from audit_trail.selection import Selection
from audit_trail.tables import CARD, FEEDBACK, RECORD
from cards.override_reasons import reason_words
from cds_service.terminal import paragraph, table

_MOST_AT_ONCE: Final = 500


class Reply(Struct, frozen=True, kw_only=True):
    """One outcome of one card. Without a decision the card is not known (yet, or any more)."""

    at: datetime
    received: datetime
    client: str
    card: str
    outcome: str
    reason_code: str = ""
    reason_system: str = ""
    reason: str = ""
    comment: str = ""
    accepted_suggestions: tuple[str, ...] = ()
    decision: str = ""
    user: str = ""
    procedure: str = ""
    situation: str = ""
    row: str = ""


def replies(queries: Queries, chosen: Selection) -> tuple[Reply, ...]:
    """Everything that was reported in that period, in the order of what happened."""
    told = list(_told(queries, chosen))
    about = _about(queries, {item.card for _, item in told})
    found: dict[tuple[str, ...], Reply] = {}
    for report, item in told:
        card = about.get((report.client, item.card))
        if not _is_chosen(card, chosen):
            continue
        once = (report.client, same_report(item), item.reason_code, item.reason_display, item.comment)
        found.setdefault(once, _reply(report, item, card))
    return tuple(sorted(found.values(), key=lambda reply: (reply.at, reply.received)))


def reply_lines(found: Sequence[Reply]) -> Iterator[str]:
    """The table, and what it comes to."""
    if not found:
        yield "No feedback on record fits."
        return
    rows = [
        (
            f"{reply.at:%Y-%m-%d %H:%M}",
            reply.decision[:8] or "unknown",
            reply.situation.replace("-", " "),
            reply.user.removeprefix("Practitioner/"),
            reply.outcome,
            "\n".join(part for part in (_why(reply), f"“{reply.comment}”" if reply.comment else "") if part),
        )
        for reply in found
    ]
    yield from table(("When (UTC)", "Decision", "Advice", "Clinician", "Outcome", "Why"), rows)
    yield ""
    cards = len({(reply.client, reply.card) for reply in found})
    accepted = sum(reply.outcome == "accepted" for reply in found)
    unknown = len({(reply.client, reply.card) for reply in found if not reply.decision})
    said = f"{len(found):,} outcomes of {cards:,} cards: {accepted:,} accepted, {len(found) - accepted:,} overridden"
    yield from paragraph(f"{said}. Cards that are not known: {unknown:,}.")


def _why(reply: Reply) -> str:
    return reply.reason or reason_words(reply.reason_code) or reply.reason_code


def _reply(report: FeedbackRecord, item: FeedbackItem, card: Row[Any] | None) -> Reply:
    return Reply(
        at=outcome_moment(item, report.at),
        received=report.at,
        client=report.client,
        card=item.card,
        outcome=item.outcome,
        reason_code=item.reason_code,
        reason_system=item.reason_system,
        reason=item.reason_display,
        comment=item.comment,
        accepted_suggestions=item.accepted_suggestions,
        decision="" if card is None else card.decision,
        user="" if card is None else card.user_id,
        procedure="" if card is None else card.procedure,
        situation="" if card is None else card.situation,
        row="" if card is None else card.rule_row,
    )


def _is_chosen(card: Row[Any] | None, chosen: Selection) -> bool:
    """What is asked of the order or the clinician can only be true of a card that is known."""
    wanted = {name: "" if value == "none" else value for name, value in chosen.of_orders.items()}
    if card is None:
        return chosen.users is None and not wanted
    if chosen.users is not None and card.user_id not in chosen.users:
        return False
    return all(getattr(card, name) == value for name, value in wanted.items())


def _told(queries: Queries, chosen: Selection) -> Iterator[tuple[FeedbackRecord, FeedbackItem]]:
    column, record = FEEDBACK.c, RECORD.c
    query = (
        select(record.content)
        .where(record.kind == "feedback", record.at >= chosen.since, record.at < chosen.until)
        .order_by(record.at, record.writer, record.number)
    )
    if chosen.client:
        query = query.where(
            select(column.card)
            .where(column.writer == record.writer, column.number == record.number, column.client == chosen.client)
            .exists()
        )
    with queries.connection() as connection:
        contents = list(connection.scalars(query))
    for content in contents:
        try:
            report = decode(content) if content is not None else None
        except UnknownRecord:
            continue
        if isinstance(report, FeedbackRecord) and chosen.service in ("", report.service):
            yield from ((report, item) for item in report.items)


def _about(queries: Queries, cards: Iterable[str]) -> dict[tuple[str, str], Row[Any]]:
    column = CARD.c
    uuids = sorted(cards)
    found: dict[tuple[str, str], Row[Any]] = {}
    with queries.connection() as connection:
        for first in range(0, len(uuids), _MOST_AT_ONCE):
            some = {column_text(uuid): uuid for uuid in uuids[first : first + _MOST_AT_ONCE]}
            query = select(
                column.uuid, column.client, column.decision, column.user_id, column.procedure, column.situation,
                column.rating, column.rule_row,
            ).where(column.uuid.in_(list(some)))  # fmt: skip
            rows: Iterable[Row[Any]] = connection.execute(query)
            for row in rows:
                found.setdefault((row.client, some[row.uuid]), row)
    return found
