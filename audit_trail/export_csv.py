"""Decisions as a table for a spreadsheet: one line for each judged order, or for a call that judged none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

from audit_trail.feedback import outcome_moment
from audit_trail.record import DecisionRecord, OrderSummary
from audit_trail.story import Happened, plain_answer
from cards.ids import ids_of_call

COLUMNS: Final = (
    "record", "decision", "at", "decided_on", "service", "client", "tenant", "user", "patient", "encounter", "outcome",
    "status", "failure", "silent", "order", "recognition", "procedure", "situation", "urgency", "rating", "category",
    "score", "guideline", "row", "offered_study", "offered_priority", "not_rated_because", "asked", "presumed",
    "indicator", "summary", "gaps", "unmapped_codes", "overridden_before", "feedback_at", "feedback", "reason_code",
    "reason_system", "reason", "comment", "milliseconds", "software", "rules", "terminology", "wording", "settings",
)  # fmt: skip
# What a spreadsheet would run as a formula, were it the first character of a cell.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def heading() -> str:
    """The line of column names."""
    return _line(COLUMNS)


def decision_as_rows(record: DecisionRecord, name: str, happened: Iterable[Happened] = ()) -> Iterator[str]:
    """The lines of one call. A card's feedback stands on the line of its order: the last outcome of it."""
    last = _last_outcomes(happened)
    cards = {card["uuid"]: card for card in plain_answer(record).get("cards") or ()}
    for order in record.orders or (OrderSummary(reference=""),):
        card = _card_of(record, order, cards)
        told = last.get(card.get("uuid", "")) if card else None
        yield _line(_cells(record, name, order, card, told))


def _cells(
    record: DecisionRecord, name: str, order: OrderSummary, card: dict[str, Any], told: Happened | None
) -> list[str]:
    versions, item = record.versions, told.item if told is not None else None
    overridden = [each.at.isoformat() for each in record.overrides if each.order == order.reference]
    return [
        name, record.decision, record.at.isoformat(), record.decided_on, record.service, record.client, record.tenant,
        record.user, record.patient, record.encounter, record.outcome, str(record.status), record.failure,
        "yes" if record.silent else "no", order.reference, order.recognition, order.procedure, order.situation,
        order.urgency, order.rating, order.category, "" if order.score is None else str(order.score), order.guideline,
        order.row, order.better, order.priority, order.not_rated_because, " ".join(order.asked),
        " ".join(order.presumed), card.get("indicator", ""), card.get("summary", ""), "; ".join(record.gaps),
        str(len(record.unmapped_codes)), " ".join(overridden),
        outcome_moment(told.item, told.received).isoformat() if told is not None else "",
        item.outcome if item else "", item.reason_code if item else "", item.reason_system if item else "",
        item.reason_display if item else "", item.comment if item else "", f"{record.timings.whole:.1f}",
        versions.software, versions.rules, versions.terminology, versions.wording, versions.settings,
    ]  # fmt: skip


def _card_of(record: DecisionRecord, order: OrderSummary, cards: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The card about this order; the only card, where there is one order."""
    if len(record.orders) == 1 and len(cards) == 1:
        return next(iter(cards.values()))
    ids = ids_of_call(record.client, record.service, record.hook_instance, record.body_digest)
    return cards.get(ids.of("card", order.reference, order.situation), {})


def _last_outcomes(happened: Iterable[Happened]) -> dict[str, Happened]:
    found: dict[str, Happened] = {}
    for each in sorted(happened, key=lambda one: (outcome_moment(one.item, one.received), one.received)):
        found[each.item.card] = each
    return found


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_safe(cell) for cell in cells])
    return out.getvalue()


def _safe(cell: str) -> str:
    """As text, whatever it starts with."""
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell
