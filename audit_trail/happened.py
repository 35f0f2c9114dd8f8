"""What was reported of a decision's cards, without repetitions: clients send a report again when they are not sure."""

from __future__ import annotations

from collections.abc import Iterable

from audit_trail.feedback import same_report
from audit_trail.queries import Outcome
from audit_trail.story import Happened


def reports_once(outcomes: Iterable[Outcome]) -> tuple[Happened, ...]:
    """Reports without their repetitions."""
    found: dict[tuple[object, ...], Happened] = {}
    for outcome in outcomes:
        item = outcome.item
        same = (same_report(item), item.reason_code, item.reason_display, item.comment)
        found.setdefault((*same, item.accepted_suggestions), Happened(item, outcome.received))
    return tuple(found.values())
