"""Feedback as it is recorded: which card, what became of it, why, and when. Pure; the reports' spellings end here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from msgspec import Struct

from audit_trail.record import FeedbackItem

_URN: Final = "urn:uuid:"
_LARGEST_ITEM: Final = 16_384  # bytes of an item that is kept as it came; its typed members are kept whatever it holds
# Members of an extension by which one vendor names a reason of the site's own menu; they end in these words.
_EXTENSION_CODE: Final = "reasonCategory"
_EXTENSION_WORDS: Final = ("reasonDisplay", "reasonTitle")


class Reason(Struct, frozen=True, gc=False):
    """Why a card was overridden, as the client codes it."""

    code: str = ""
    system: str = ""
    display: str = ""


def card_uuid(text: str) -> str:
    """A card's id in the one form that is compared: some clients write it in capitals, some as a URN."""
    return _clean(text).strip().lower().removeprefix(_URN)


def item_of(reported: Mapping[str, Any]) -> FeedbackItem:
    """One item of a report that was checked against the schema."""
    why = _override_reasons(reported)
    reasons = [reason for each in why if (reason := _reason(each)) is not None]
    first = reasons[0] if reasons else Reason()
    accepted = reported.get("acceptedSuggestions") if reported["outcome"] == "accepted" else None
    return FeedbackItem(
        card=card_uuid(reported["card"]),
        outcome=reported["outcome"],
        accepted_suggestions=tuple(card_uuid(each["id"]) for each in accepted or ()),
        reason_code=first.code,
        reason_system=first.system,
        reason_display=first.display,
        comment=_comment(why),
        outcome_timestamp=reported["outcomeTimestamp"],
        item=_as_it_came(reported),
    )


def outcome_moment(item: FeedbackItem, received: datetime) -> datetime:
    """When the clinician acted, in UTC (so does CDS Hooks); never after the report arrived, whatever a clock says."""
    stated = _stated_moment(item)
    return received if stated is None else min(stated, received)


def same_report(item: FeedbackItem) -> str:
    """What a report and its repetition share: card, outcome and moment. An outcome at another moment is another one.

    The moment is the client's own, also where its clock runs ahead: a repetition arrives later than the first report.
    """
    stated = _stated_moment(item)
    moment = item.outcome_timestamp if stated is None else stated.isoformat()
    return blake2b(json.dumps([item.card, item.outcome, moment]).encode(), digest_size=16).hexdigest()


def _stated_moment(item: FeedbackItem) -> datetime | None:
    text = item.outcome_timestamp.strip().replace(",", ".")
    try:
        moment = datetime.fromisoformat(text.upper())
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # no moment, or one at the very end of the calendar
        return None


def _override_reasons(reported: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Under either spelling, one or several."""
    found: list[Mapping[str, Any]] = []
    for name in ("overrideReason", "overrideReasons"):
        value = reported.get(name)
        found += [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]
    return found


def _reason(why: Mapping[str, Any]) -> Reason | None:
    reason = why.get("reason")
    if isinstance(reason, dict) and any(reason.get(name) for name in ("code", "display")):
        return Reason(*(_text(reason.get(name)) for name in ("code", "system", "display")))
    return _reason_in_extension(why.get("extension"))


def _reason_in_extension(extension: object) -> Reason | None:
    """A reason of the client's own menu: its category is the code, under the name of the member that holds it."""
    if not isinstance(extension, dict):
        return None
    code, system, words = "", "", ""
    for name in sorted(extension):
        value = _text(extension[name])
        if name.endswith(_EXTENSION_CODE) and value:
            code, system = value, _clean(name)
        elif name.endswith(_EXTENSION_WORDS) and value:
            words = words or value
    return Reason(code, system, words) if code or words else None


def _comment(why: Iterable[Mapping[str, Any]]) -> str:
    comments = (_text(each.get(name)) for each in why for name in ("userComment", "userComments"))
    return "\n".join(dict.fromkeys(comment for comment in comments if comment))


def _text(value: object) -> str:
    """A text, or a number written as one; anything else is no text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return _clean(str(value)).strip()


def _clean(text: str) -> str:
    """Without halves of surrogate pairs, which no store keeps."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _as_it_came(reported: Mapping[str, Any]) -> bytes:
    content = json.dumps(reported, separators=(",", ":")).encode()
    return content if len(content) <= _LARGEST_ITEM else b""
