"""Feedback on cards: what a client reports is checked against the specification, item by item.

A batch with a broken item is answered 400 naming the items, and one with an item on the card of another client 403; the
other items are counted all the same, and sending the batch again is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from audit_trail.feedback import card_uuid, item_of
from audit_trail.record import FeedbackItem
from cds_service.audit import FeedbackRecord
from cds_service.errors import AnotherClientsCard, InvalidFeedback
from cds_service.json_bodies import read_json
from cds_service.schemas import validator

MOST_ITEMS_NAMED = 5

# Were these cards sent to the one who reports? Of each that is known.
SentToCaller = Callable[[Iterable[str]], Mapping[str, bool]]
Refusal = InvalidFeedback | AnotherClientsCard


class Report(Struct, frozen=True):
    """A feedback report, read: the items that are taken, what is logged of it, and the failure to answer with, if any.

    ``unknown``: cards that nobody remembers; what is said of them is kept all the same.
    """

    items: tuple[FeedbackItem, ...]
    counts: FeedbackRecord
    refusal: Refusal | None = None
    unknown: frozenset[str] = frozenset()


def read_feedback(body: bytes, service_id: str, sent_to_caller: SentToCaller | None = None) -> Report:
    """A report of one item or many; what is unusable, or not the caller's to report, is refused by name.

    Without ``sent_to_caller`` nobody asks whose a card is.
    """
    report = read_json(body)
    items = report.get("feedback") if isinstance(report, dict) else None
    if not isinstance(items, list) or not items:
        raise InvalidFeedback("expected an object with a non-empty array `feedback`", "feedback")
    problems: list[str] = []
    sound: dict[int, dict[str, Any]] = {}
    for position, item in enumerate(items):
        problem = _problem(item)
        if problem is None:
            sound[position] = item
        else:
            problems.append(f"feedback[{position}]{problem}")
    cards = {position: card_uuid(item["card"]) for position, item in sound.items()}
    known = None if sent_to_caller is None else sent_to_caller(set(cards.values()))
    not_theirs = {card for card, theirs in (known or {}).items() if not theirs}
    foreign = [position for position, card in cards.items() if card in not_theirs]
    taken = [item_of(item) for position, item in sound.items() if cards[position] not in not_theirs]
    unknown = frozenset() if known is None else frozenset(item.card for item in taken if item.card not in known)
    counts = FeedbackRecord(
        service=service_id,
        accepted=sum(item.outcome == "accepted" for item in taken),
        overridden=sum(item.outcome == "overridden" for item in taken),
        with_reason=sum(_has_reason(item) for item in taken),
        refused=len(problems) + len(foreign),
        of_another_client=len(foreign),
        on_unknown_cards=sum(item.card in unknown for item in taken),
    )
    return Report(tuple(taken), counts, _refusal(foreign, problems), unknown)


def _problem(item: object) -> str | None:
    """What is wrong with one item, without repeating what it holds."""
    for error in validator("feedback-item").iter_errors(item):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        missing = f" needs {_names(error.validator_value)}" if error.validator == "required" else " is not as specified"
        return path + missing
    return None


def _names(required: object) -> str:
    return ", ".join(required) if isinstance(required, list) else "more"


def _refusal(foreign: Iterable[int], problems: Iterable[str]) -> Refusal | None:
    """Names what is another client's first: the status is about that, whatever else is wrong."""
    anothers = [f"feedback[{position}].card was not sent to this client" for position in foreign]
    named = [*anothers, *problems]
    if not named:
        return None
    more = f" and {len(named) - MOST_ITEMS_NAMED} more" if len(named) > MOST_ITEMS_NAMED else ""
    said = "; ".join(named[:MOST_ITEMS_NAMED]) + more + "; the other items were taken"
    return AnotherClientsCard(said) if anothers else InvalidFeedback(said)


def _has_reason(item: FeedbackItem) -> bool:
    return bool(item.reason_code or item.reason_display or item.comment)
