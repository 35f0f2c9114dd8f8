"""Feedback on cards: what a client reports is checked against the specification, item by item.

A batch with a broken item is answered 400 naming the items; the items that are sound are counted all the same, and
sending the batch again is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds_service.audit import FeedbackRecord
from cds_service.errors import InvalidFeedback
from cds_service.json_bodies import read_json
from cds_service.schemas import validator

MOST_ITEMS_NAMED = 5


def read_feedback(body: bytes, service_id: str) -> tuple[FeedbackRecord, InvalidFeedback | None]:
    """The counts of a report, and the failure to answer with when an item is unusable."""
    report = read_json(body)
    items = report.get("feedback") if isinstance(report, dict) else None
    if not isinstance(items, list) or not items:
        raise InvalidFeedback("expected an object with a non-empty array `feedback`", "feedback")
    problems: list[str] = []
    sound: list[dict[str, Any]] = []
    for position, item in enumerate(items):
        problem = _problem(item)
        if problem is None:
            sound.append(item)
        else:
            problems.append(f"feedback[{position}]{problem}")
    record = FeedbackRecord(
        service=service_id,
        accepted=sum(item["outcome"] == "accepted" for item in sound),
        overridden=sum(item["outcome"] == "overridden" for item in sound),
        with_reason=sum(_has_reason(item) for item in sound),
        refused=len(problems),
    )
    return record, _refusal(problems)


def _problem(item: object) -> str | None:
    """What is wrong with one item, without repeating what it holds."""
    for error in validator("feedback-item").iter_errors(item):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        missing = f" needs {_names(error.validator_value)}" if error.validator == "required" else " is not as specified"
        return path + missing
    return None


def _names(required: object) -> str:
    return ", ".join(required) if isinstance(required, list) else "more"


def _refusal(problems: Iterable[str]) -> InvalidFeedback | None:
    named = list(problems)
    if not named:
        return None
    more = f" and {len(named) - MOST_ITEMS_NAMED} more" if len(named) > MOST_ITEMS_NAMED else ""
    return InvalidFeedback("; ".join(named[:MOST_ITEMS_NAMED]) + more + "; the other items were taken")


def _has_reason(item: dict[str, Any]) -> bool:
    reason = item.get("overrideReason") or item.get("overrideReasons")
    return bool(reason) if isinstance(reason, dict) else False
