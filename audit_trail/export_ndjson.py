"""Records as JSON, one line each: everything that is kept, with requests, answers and findings as JSON inside."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from audit_trail.packing import NotPacked, unpacked
from audit_trail.record import DecisionRecord, FeedbackItem
from audit_trail.story import Happened

_PACKED: Final = ("request", "answer", "details")
_encode = msgspec.json.Encoder(order=None).encode


def decision_as_json(record: DecisionRecord, name: str, happened: Iterable[Happened] = ()) -> bytes:
    """One call as one line; ``name`` is its record's, ``happened`` what was reported of its cards."""
    members: dict[str, Any] = {"record": name, **msgspec.to_builtins(record)}
    for packed in _PACKED:
        content = getattr(record, packed)
        if content:
            members[packed] = embedded(content)
    if record.fetched:
        members["fetched"] = [_wave(wave) for wave in members["fetched"]]
    feedback = [_feedback(each) for each in happened]
    if feedback:
        members["feedback"] = feedback
    return _encode(members)


def embedded(content: bytes) -> Any:
    """Packed JSON as it is, to stand inside other JSON; what is no JSON as a text, what is damaged as a remark."""
    try:
        plain = unpacked(content)
    except NotPacked:
        return {"damaged": True}
    try:
        msgspec.json.decode(plain)
    except (msgspec.DecodeError, RecursionError):
        return plain.decode(errors="replace")
    return msgspec.Raw(plain.strip().replace(b"\r", b" ").replace(b"\n", b" "))


def _wave(wave: dict[str, Any]) -> dict[str, Any]:
    """What the EHR's server answered, page by page."""
    answers = wave.get("answers") or []
    return {**wave, "answers": [{**answer, "pages": _pages(answer)} for answer in answers]}


def _pages(answer: dict[str, Any]) -> list[Any]:
    decoded = (msgspec.convert(page, bytes, strict=False) for page in answer.get("pages") or ())
    return [embedded(page) for page in decoded]


def _feedback(happened: Happened) -> dict[str, Any]:
    item: dict[str, Any] = msgspec.to_builtins(happened.item)
    item.pop("item", None)
    return {"received": _instant(happened.received), **item, **_raw(happened.item)}


def _raw(item: FeedbackItem) -> dict[str, Any]:
    return {"asItCame": msgspec.json.decode(item.item)} if item.item else {}


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
