"""What the journal holds packed in a hurry, the store holds packed tightly; nothing else of a record changes."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace

from audit_trail.packing import packed, unpacked
from audit_trail.record import (
    ContentRecord,
    DecisionRecord,
    FetchedAnswer,
    FetchedWave,
    PageViewRecord,
    Record,
    decode,
    encode,
)
from audit_trail.repacking import repacked

NOON = datetime(2026, 11, 25, 12, 30, 15, 123456, tzinfo=UTC)
TEXT = msgspec.json.encode([{"resourceType": "Observation", "id": f"o-{n}", "valueInteger": n * n} for n in range(900)])


def a_decision(**members: object) -> DecisionRecord:
    usual: dict[str, object] = {"request": packed(TEXT), "details": packed(TEXT[1:]), "answer": packed(TEXT[2:])}
    return DecisionRecord(
        decision="d",
        at=NOON,
        outcome="answered",
        status=200,
        service="s",
        **{**usual, **members},  # type: ignore[arg-type]
    )


def a_wave(*pages: bytes) -> FetchedWave:
    return FetchedWave(answers=(FetchedAnswer(key="conditions", state="read", pages=pages),))


def as_it_is(record: Record) -> Record:
    """The record with nothing packed."""
    if isinstance(record, ContentRecord):
        return replace(record, content=unpacked(record.content))
    if not isinstance(record, DecisionRecord):
        return record
    waves = tuple(a_wave(*map(unpacked, answer.pages)) for wave in record.fetched for answer in wave.answers)
    plain = {name: unpacked(getattr(record, name)) for name in ("request", "details", "answer")}
    return replace(record, fetched=waves, **plain)


RECORDS: dict[str, Record] = {
    "a decision": a_decision(),
    "a decision with what was fetched": a_decision(fetched=(a_wave(packed(TEXT[3:]), packed(TEXT[4:])), a_wave(b""))),
    "the same bytes in every place": a_decision(
        details=packed(TEXT), answer=packed(TEXT), fetched=(a_wave(packed(TEXT), packed(TEXT)),)
    ),
    "of many sizes": a_decision(request=packed(TEXT * 3), details=packed(TEXT[:900]), answer=packed(b"{}")),
    "a content": ContentRecord(at=NOON, name="rules", digest="00", content=packed(TEXT)),
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_it_is_the_same_record_in_less_room(record: Record) -> None:
    tight = repacked(encode(record))
    assert len(tight) < 0.7 * len(encode(record))
    assert as_it_is(decode(tight)) == as_it_is(record)
    assert encode(decode(tight)) == tight


def test_what_is_packed_tightly_stays_as_it_is() -> None:
    tight = repacked(encode(a_decision()))
    assert repacked(tight) == tight


AS_THEY_CAME: dict[str, bytes] = {
    "a record without packed members": encode(PageViewRecord(at=NOON, page="patient", handle="h")),
    "a small one": encode(a_decision(request=packed(b"{}"), details=b"", answer=packed(b'{"cards":[]}'))),
    "a large one": encode(a_decision(request=packed(TEXT * 40), details=b"", answer=b"")),
    "members that are not packed": encode(a_decision(request=b"x" * 9000, details=b"", answer=b"")),
    "no record": b"\xc1 no record",
    "nothing": b"",
}


@pytest.mark.parametrize("content", AS_THEY_CAME.values(), ids=AS_THEY_CAME)
def test_what_cannot_be_packed_further_stays_as_it_came(content: bytes) -> None:
    assert repacked(content) == content


def test_members_of_a_later_version_stay() -> None:
    plain = msgspec.msgpack.decode(encode(a_decision()))
    later = {"before": {"x": [1, 2.5, None]}, **plain, "added later": packed(TEXT[5:])}
    tight = msgspec.msgpack.decode(repacked(msgspec.msgpack.encode(later)))
    assert list(tight) == list(later)
    assert {name for name in later if tight[name] != later[name]} == {"request", "details", "answer"}


def test_a_damaged_member_keeps_the_others_from_nothing() -> None:
    record = a_decision(details=packed(TEXT)[:-9] + b"damaged!!")
    tight = decode(repacked(encode(record)))
    assert isinstance(tight, DecisionRecord)
    assert (tight.details, unpacked(tight.request)) == (record.details, TEXT)
    assert len(tight.request) < len(record.request)
