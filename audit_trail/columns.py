"""Rows of the derived tables: what lists, filters and numbers need of each record. Pure, so that it can be checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import Table

from audit_trail.record import (
    AccessRecord,
    CardSummary,
    ContentRecord,
    DecisionRecord,
    FeedbackRecord,
    OrderSummary,
    PageViewRecord,
    Record,
)
from audit_trail.tables import ACCESS, CARD, CONTENT, DECISION, FEEDBACK, JUDGED_ORDER, NOTED, PAGE, PAGE_VIEW
from cards.ids import Ids, ids_of_call
from cards.page import handles_of
from rules.recommendation import Situation

# Changes whenever a record's rows change: rows of another way are made again (see ``schema.py``).
WAY: Final = "5"
LONGEST: Final = 200
_GRAVEST_FIRST: Final = ("critical", "warning", "info")
Row = dict[str, Any]
Rows = dict[Table, list[Row]]
NO_ORDER: Final = OrderSummary(reference="")


def column_text(text: str) -> str:
    """A text as its column holds it: callers write anything, and no database takes all of it."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… {sha256(text.encode()).hexdigest()[:16]}"


def rows_of(writer: str, number: int, record: Record) -> Rows:
    """The rows of one record."""
    if isinstance(record, DecisionRecord):
        return _decision_rows(writer, number, record)
    place = {"writer": writer, "number": number, "at": record.at}
    if isinstance(record, FeedbackRecord):
        return {FEEDBACK: list(_feedback_rows(place, record))}
    if isinstance(record, PageViewRecord):
        return {PAGE_VIEW: [_page_view_row(place, record)]}
    if isinstance(record, AccessRecord):
        return {ACCESS: [_access_row(place, record)]}
    if isinstance(record, ContentRecord):
        return {CONTENT: [{**place, "name": record.name, "digest": column_text(record.digest)}]}
    return {}


def _whose(
    place: Row,
    decision: str = "",
    service: str = "",
    client: str = "",
    tenant: str = "",
    user: str = "",
    silent: bool = False,
) -> Row:
    return {
        **place,
        "decision": column_text(decision),
        "service": column_text(service),
        "client": column_text(client),
        "tenant": column_text(tenant),
        "user_id": column_text(user),
        "silent": silent,
    }


def _decision_rows(writer: str, number: int, record: DecisionRecord) -> Rows:
    place = {"writer": writer, "number": number, "at": record.at}
    whose = _whose(place, record.decision, record.service, record.client, record.tenant, record.user, record.silent)
    rows: Rows = {DECISION: [_decision_row(whose, record)]}
    noted = [{**whose, "part": part, **each} for part, each in enumerate(_noted(record))]
    if noted:
        rows[NOTED] = noted
    if not record.orders:
        return rows
    ids = ids_of_call(record.client, record.service, record.hook_instance, record.body_digest)
    rows[JUDGED_ORDER] = [_order_row(whose, part, order) for part, order in enumerate(record.orders)]
    if record.cards:
        about = _orders_by_card(ids, record.orders)
        rows[CARD] = [
            _card_row(whose, part, card, about.get(card.uuid) or _escalated(ids, card, record.orders))
            for part, card in enumerate(record.cards)
        ]
        rows[PAGE] = list(_page_rows(writer, number, record.at, ids, record.orders))
    return rows


def _decision_row(whose: Row, record: DecisionRecord) -> Row:
    indicators = {card.indicator for card in record.cards}
    timings, versions = record.timings, record.versions
    return {
        **whose,
        "outcome": record.outcome,
        "status": record.status,
        "hook": column_text(record.hook),
        "hook_instance": column_text(record.hook_instance),
        "registered": record.registered,
        "profile": column_text(record.profile),
        "issuer": column_text(record.issuer),
        "patient_id": column_text(record.patient),
        "encounter_id": column_text(record.encounter),
        "orders": len(record.orders),
        "cards": len(record.cards),
        "indicator": next((each for each in _GRAVEST_FIRST if each in indicators), ""),
        "gaps": len(record.gaps),
        "unmapped": len(record.unmapped_codes),
        "fetch_queries": record.fetch_queries,
        "fetch_troubles": len(record.fetch_troubles),
        "failure": column_text(record.failure),
        "failed_check": column_text(record.check),
        "software": versions.software,
        "rules": versions.rules,
        "terminology": versions.terminology,
        "wording": versions.wording,
        "settings": versions.settings,
        "request_bytes": record.request_bytes,
        "ms": timings.whole,
        "ms_trust": timings.trust,
        "ms_waiting": timings.waiting,
        "ms_reading": timings.reading,
        "ms_fetching": timings.fetching,
        "ms_deciding": timings.deciding,
        "ms_cards": timings.cards,
    }


def _order_row(whose: Row, part: int, order: OrderSummary) -> Row:
    return {
        **whose,
        "part": part,
        "reference": column_text(order.reference),
        "recognition": order.recognition,
        "procedure": order.procedure,
        "situation": order.situation,
        "urgency": order.urgency,
        "rating": order.rating,
        "category": order.category,
        "score": order.score,
        "guideline": order.guideline,
        "rule_row": order.row,
        "variant": order.variant,
        "robust": order.robust,
        "may_defer": order.may_defer,
        "better": order.better,
        "priority": order.priority,
        "not_rated_because": column_text(order.not_rated_because),
    }


def _orders_by_card(ids: Ids, orders: Iterable[OrderSummary]) -> dict[str, OrderSummary]:
    return {ids.of("card", order.reference, order.situation): order for order in orders}


def _escalated(ids: Ids, card: CardSummary, orders: tuple[OrderSummary, ...]) -> OrderSummary:
    """The order of a deferral whose card speaks of a red flag that has come to light since; else the first order."""
    for order in orders:
        if order.situation == Situation.DEFERRED.value:
            for situation in Situation:
                if ids.of("card", order.reference, situation.value) == card.uuid:
                    return msgspec.structs.replace(order, situation=situation.value)
    return orders[0]  # a card about several orders


def _card_row(whose: Row, part: int, card: CardSummary, about: OrderSummary) -> Row:
    return {
        **whose,
        "part": part,
        "uuid": column_text(card.uuid),
        "indicator": card.indicator,
        "topic": column_text(card.topic),
        "suggestions": len(card.suggestions),
        "procedure": about.procedure,
        "situation": about.situation,
        "rating": about.rating,
        "rule_row": about.row,
    }


def _noted(record: DecisionRecord) -> Iterator[Row]:
    filled = sorted(source.key for source in record.sources if source.entries)
    topics: tuple[tuple[str, Iterable[str]], ...] = (
        # One value, as there are few combinations: which parts of the record brought something, so that one that no
        # longer does is noticed although its answer is a proper empty list.
        ("filled", (",".join(filled),) if filled else ()),
        ("gap", record.gaps),
        ("unmapped code", (f"{system}|{code}" for system, code in record.unmapped_codes)),
        ("fetch trouble", record.fetch_troubles),
        ("asked", (finding for order in record.orders for finding in order.asked)),
        ("presumed", (finding for order in record.orders for finding in order.presumed)),
    )
    for topic, values in topics:
        lines = as_lines(values)
        if lines:
            yield {"topic": topic, "lines": lines}


def as_lines(values: Iterable[str]) -> str:
    """Values as one text, each once, on a line of its own; ``line_of`` finds one again."""
    found = list(dict.fromkeys(values))
    if not found:
        return ""
    text = "\n".join(found)
    plain = text.isascii() and "\x00" not in text and text.count("\n") < len(found)
    if plain and max(map(len, found)) <= LONGEST:  # as nearly always: all of them at once
        return f"\n{text}\n"
    return "".join(("\n", *dict.fromkeys(map(line_of, found))))


def line_of(value: str) -> str:
    """A value's line."""
    return column_text(value).replace("\n", " ") + "\n"


def _page_rows(writer: str, number: int, at: datetime, ids: Ids, orders: tuple[OrderSummary, ...]) -> Iterator[Row]:
    for handle, audience, reference in handles_of(ids, dict.fromkeys(order.reference for order in orders)):
        yield {
            "handle": handle,
            "writer": writer,
            "number": number,
            "at": at,
            "audience": audience,
            "order_reference": column_text(reference),
        }


def _feedback_rows(place: Row, record: FeedbackRecord) -> Iterator[Row]:
    for part, item in enumerate(record.items):
        yield {
            **_whose(place, item.decision, record.service, record.client, record.tenant),
            "part": part,
            "card": column_text(item.card),
            "outcome": item.outcome,
            "accepted_suggestions": len(item.accepted_suggestions),
            "reason_code": column_text(item.reason_code),
            "reason_system": column_text(item.reason_system),
            "reason_display": column_text(item.reason_display),
            "commented": bool(item.comment),
            "outcome_timestamp": column_text(item.outcome_timestamp),
        }


def _page_view_row(place: Row, record: PageViewRecord) -> Row:
    return {
        **_whose(place, record.decision),
        "page": column_text(record.page),
        "handle": column_text(record.handle),
        "language": column_text(record.language),
    }


def _access_row(place: Row, record: AccessRecord) -> Row:
    return {
        **_whose(place, record.decision, user=record.who),
        "role": column_text(record.role),
        "through": column_text(record.through),
        "action": column_text(record.action),
        "filter": column_text(record.filter),
        "records": record.records,
    }
