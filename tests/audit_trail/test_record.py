"""Records: what is encoded is decoded again, whatever is in it; what is no record is refused as such."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest

from audit_trail.packing import NotPacked, packed, unpacked
from audit_trail.record import (
    KINDS,
    AccessRecord,
    ChainHead,
    CheckpointRecord,
    ContentRecord,
    DecisionRecord,
    Details,
    FeedbackItem,
    FeedbackRecord,
    FetchedAnswer,
    FetchedWave,
    OrderSummary,
    PageViewRecord,
    Record,
    RecordSpan,
    TombstoneRecord,
    UnknownRecord,
    decode,
    details_of,
    encode,
    encode_details,
    record_id,
    split_record_id,
)
from rules.facts import ClinicalPicture

NOW = datetime(2026, 11, 25, 12, 30, 15, 123456, tzinfo=UTC)
RECORDS: list[Record] = [
    DecisionRecord(
        decision="d",
        at=NOW,
        outcome="answered",
        status=200,
        service="s",
        request=packed(b"{}"),
        orders=(OrderSummary(reference="ServiceRequest/1", score=8, variant=2),),
        unmapped_codes=(("urn:a", "b"),),
        fetched=(FetchedWave(answers=(FetchedAnswer(key="conditions", state="read", pages=(b"p",)),)),),
    ),
    ContentRecord(at=NOW, name="rules", digest="00", content=packed(b"{}")),
    FeedbackRecord(at=NOW, service="s", items=(FeedbackItem(card="c", outcome="accepted", item=b"{}"),)),
    PageViewRecord(at=NOW, page="patient", handle="h"),
    AccessRecord(at=NOW, who="auditor", action="list"),
    TombstoneRecord(at=NOW, by="service", because="retention", before=NOW, spans=(RecordSpan("w", 1, 9),)),
    CheckpointRecord(at=NOW, heads=(ChainHead("w", 9, b"\x00" * 32),), signature=b"s"),
]


@pytest.mark.parametrize("record", RECORDS, ids=KINDS)
def test_each_kind_is_read_again_as_it_was_written(record: Record) -> None:
    again = decode(encode(record))
    assert again == record
    assert encode(again) == encode(record)


def test_every_kind_has_a_name() -> None:
    assert [type(record).__struct_config__.tag for record in RECORDS] == list(KINDS)


def test_what_a_later_version_adds_does_not_keep_this_one_from_reading() -> None:
    plain = msgspec.msgpack.decode(encode(RECORDS[3]))
    assert decode(msgspec.msgpack.encode({**plain, "added later": {"x": 1}})) == RECORDS[3]


NO_RECORDS = [
    b"",
    b"{}",
    b"\xc1",
    msgspec.msgpack.encode({"kind": "unheard of"}),
    msgspec.msgpack.encode([1]),
    encode(RECORDS[0])[:-4],
]


@pytest.mark.parametrize("content", NO_RECORDS)
def test_what_is_no_record_is_refused_as_such(content: bytes) -> None:
    with pytest.raises(UnknownRecord):
        decode(content)


def test_half_a_surrogate_pair_is_marked_and_everything_else_is_kept() -> None:
    record = AccessRecord(at=NOW, who="\ud800x", filter="é☃𝄞")
    again = decode(encode(record))
    assert again == AccessRecord(at=NOW, who="?x", filter="é☃𝄞")
    picture = ClinicalPicture(
        as_of=date(2026, 11, 25), facts=(), sex="\udfff", unmapped_codes=frozenset({("\ud800", "")})
    )
    details = msgspec.json.decode(encode_details(Details(picture=picture)), type=Details)
    assert details.picture is not None
    assert (details.picture.sex, details.picture.unmapped_codes) == ("?", frozenset({("?", "")}))


def test_details_are_plain_json_and_nothing_where_there_are_none() -> None:
    details = Details(picture=ClinicalPicture(as_of=date(2026, 11, 25), facts=()))
    record = msgspec.structs.replace(RECORDS[0], details=packed(encode_details(details)))
    assert isinstance(record, DecisionRecord)
    assert details_of(record)["picture"]["as_of"] == "2026-11-25"
    assert isinstance(RECORDS[0], DecisionRecord)
    assert details_of(RECORDS[0]) == {}


@pytest.mark.parametrize("content", [b"", b"x", b"LCJ1" * 1000, bytes(range(256)) * 50, bytes(range(256)) * 5000])
def test_what_is_packed_is_unpacked(content: bytes) -> None:
    assert unpacked(packed(content)) == content


@pytest.mark.parametrize("content", [b"x", b"{}", packed(b"x" * 100)[:-3], packed(b"x" * 100) + b"y"])
def test_what_is_not_packed_is_refused(content: bytes) -> None:
    with pytest.raises(NotPacked):
        unpacked(content)


def test_a_record_has_one_name() -> None:
    assert split_record_id(record_id("20261125T120000-7-abc", 12)) == ("20261125T120000-7-abc", 12)
    for name in ("", "x", "x-", "-1", "x-1x", "x-²"):
        assert split_record_id(name) is None
