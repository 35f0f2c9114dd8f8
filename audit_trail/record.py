"""What is kept of a call, of feedback, of a page view and of whoever looks at the records.

A record is written once and never changed: what happens later is another record that refers to it. Records are
MessagePack (``encode``, ``decode``). Members may be added with a default, never renamed or given another meaning, so
that records of every version can be read. What depends on the version that wrote it (the picture, the advice) is kept
as JSON beside the typed members, which hold what lists, filters and numbers need.

Identifiers of patients and users stand in clear here and nowhere else. Access tokens never do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from audit_trail.packing import unpacked
from rules.facts import ClinicalPicture
from rules.recommendation import Recommendation

Outcome = Literal["answered", "left alone", "failed"]
# How the request was kept: as it came; with the value of fhirAuthorization taken out; or not at all, because it was
# never read, or is no JSON and may hold a token that cannot be found for sure.
RequestKept = Literal["as it came", "without token", "not kept"]


class Versions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By what the answer was made: the software's version, and content hashes (hex) of what it read at its start.

    The contents themselves are kept in ``ContentRecord``s of the same hash.
    """

    software: str = ""
    rules: str = ""
    terminology: str = ""
    wording: str = ""
    settings: str = ""


class OrderSummary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One judged order, in the words of the rules."""

    reference: str
    recognition: str = ""
    procedure: str = ""  # the ordered study's concept; empty where it was not recognised
    situation: str = ""
    urgency: str = ""
    rating: str = ""  # the PAMA code; empty: no rating could be given
    category: str = ""
    score: int | None = None
    guideline: str = ""
    row: str = ""  # the row that leads
    variant: int | None = None
    robust: bool = False
    may_defer: bool = False
    better: str = ""  # the study that was offered instead
    priority: str = ""  # the priority that was offered
    not_rated_because: str = ""
    asked: tuple[str, ...] = ()  # findings that were asked for
    presumed: tuple[str, ...] = ()  # findings that were answered by silence
    alternatives: tuple[str, ...] = ()


class SuggestionSummary(Struct, frozen=True, omit_defaults=True):
    """One button, by which feedback names it."""

    uuid: str
    label: str
    recommended: bool = False


class CardSummary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One card, by which feedback names it."""

    uuid: str
    indicator: str
    topic: str = ""  # the code of the advice, the same for all patients
    suggestions: tuple[SuggestionSummary, ...] = ()
    links: tuple[str, ...] = ()


class SourceRead(Struct, frozen=True, omit_defaults=True):
    """One part of the record that was looked at: what was searched, also where nothing was found."""

    key: str  # the prefetch key
    state: str  # read, known empty, failed, unreadable, unsupported version
    entries: int = 0
    incomplete: bool = False
    dropped: int = 0
    fetched: bool = False  # asked of the EHR's own server, whole or in part


class FetchedAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the EHR's own server answered to one query: the pages as they came, and how they were read together.

    ``continues``: the pages follow the first one, which the call itself brought under this key.
    """

    key: str
    state: str
    pages: tuple[bytes, ...] = ()  # packed
    continues: bool = False
    incomplete: bool = False
    next_link: str = ""
    issue_codes: tuple[str, ...] = ()
    dropped: int = 0
    alone: bool = False
    total: int = 0
    trouble: str = ""
    gone: bool = False


class FetchedWave(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Queries that were sent together. ``for_reasons``: before it was known whether an order is ours."""

    answers: tuple[FetchedAnswer, ...] = ()
    unsupported: bool = False  # by then the server was known to speak another version of FHIR
    for_reasons: bool = False


class RememberedOverride(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An override that the decision took into account: the same advice on the same facts, not long before."""

    order: str  # reference of the judged order
    card: str  # the card that was overridden, and the decision that it came from
    decision: str
    at: datetime  # when it was overridden
    reason: str = ""  # code of the reason


class Timings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the time went, in milliseconds. ``whole``: from the first header to this record."""

    whole: float = 0.0
    trust: float = 0.0  # who is calling, and reading the body
    waiting: float = 0.0  # for its turn to compute
    reading: float = 0.0  # decoding the call and its orders
    fetching: float = 0.0  # waiting for the EHR's own server
    deciding: float = 0.0  # picture, findings and advice
    cards: float = 0.0  # writing and encoding the cards


class DecisionRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="decision", tag_field="kind"):
    """One hook call: answered, left alone (no order of ours) or failed.

    ``decision`` derives from the call where an order was judged, so that the same call has the same one, and is made up
    otherwise. A repeated call is a record of its own with the same ``decision``.
    """

    decision: str
    at: datetime  # the moment that the decision counted from
    outcome: Outcome
    status: int
    service: str
    # the call
    hook: str = ""  # as the call names it
    hook_differs: bool = False
    hook_instance: str = ""
    client: str = ""
    registered: bool = False  # closed mode: ``client`` is the operator's name for it
    profile: str = ""  # how its answers are rendered
    issuer: str = ""  # `iss` of its token
    token_id: str = ""  # `jti`
    tenant: str = ""
    user: str = ""  # context.userId
    patient: str = ""
    encounter: str = ""
    fhir_server: str = ""
    silent: bool = False  # decided and recorded, and the client was shown nothing
    # what came
    request: bytes = b""  # packed
    request_kept: RequestKept = "not kept"
    request_bytes: int = 0
    body_digest: str = ""  # of the body as it came, token included: ids of the decision derive from it
    sources: tuple[SourceRead, ...] = ()
    fetched: tuple[FetchedWave, ...] = ()
    overrides: tuple[RememberedOverride, ...] = ()  # inputs of the decision, like the request
    # what was decided
    versions: Versions = Versions()
    editions: tuple[str, ...] = ()  # of the guidelines that were worked out: ACR, ACP, NICE
    decided_on: str = ""  # the patient's day, YYYY-MM-DD
    offset_minutes: int = 0  # of the place where the order was written
    orders: tuple[OrderSummary, ...] = ()
    gaps: tuple[str, ...] = ()  # "Condition: failed"
    unmapped_codes: tuple[tuple[str, str], ...] = ()  # (system, code)
    unread_texts: int = 0
    dropped_entries: int = 0
    foreign_entries: int = 0
    details: bytes = b""  # packed JSON of Details
    # what was said
    answer: bytes = b""  # packed; the body that was decided. A silent client got no cards instead
    cards: tuple[CardSummary, ...] = ()
    # how it went
    timings: Timings = Timings()
    fetch_queries: int = 0
    fetch_troubles: tuple[str, ...] = ()
    failure: str = ""  # the class of the failure
    check: str = ""  # the check of the caller that failed
    where: str = ""  # of a defect: files, lines and functions


class Details(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was understood and decided, whole. Written from these types, read as plain JSON (any version wrote it)."""

    picture: ClinicalPicture | None = None
    advice: tuple[Recommendation, ...] = ()


class ContentRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="content", tag_field="kind"):
    """One thing that answers were made by (rules, terminology, wording or settings), under its content hash."""

    at: datetime
    name: Literal["rules", "terminology", "wording", "settings"]
    digest: str
    content: bytes  # packed


class FeedbackItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one card. ``decision`` is empty where the card is not known (any more)."""

    card: str
    outcome: str  # accepted, overridden
    decision: str = ""
    accepted_suggestions: tuple[str, ...] = ()
    reason_code: str = ""
    reason_system: str = ""
    reason_display: str = ""
    comment: str = ""
    outcome_timestamp: str = ""  # as the client states it
    item: bytes = b""  # the item as it came: JSON


class FeedbackRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="feedback", tag_field="kind"):
    """One feedback report, as far as it was taken. Repeated reports are recorded again, and count once."""

    at: datetime
    service: str
    client: str = ""
    registered: bool = False
    issuer: str = ""
    token_id: str = ""
    tenant: str = ""
    items: tuple[FeedbackItem, ...] = ()
    refused: int = 0  # broken items, and those on another client's card
    of_another_client: int = 0


class PageViewRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="page-view", tag_field="kind"):
    """Somebody opened the patient's or the clinician's page behind a card's link."""

    at: datetime
    page: str  # patient, clinician
    handle: str = ""
    decision: str = ""  # empty: the link is unknown or has expired
    language: str = ""


class AccessRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="access", tag_field="kind"):
    """Somebody looked at records, took them out, or changed what is kept."""

    at: datetime
    who: str  # the signed-in user, or the account on the machine
    role: str = ""
    through: str = ""  # web, command line
    action: str = ""  # list, show, explain, replay, diff, export, numbers, prune, backup, sign-in, ...
    decision: str = ""
    filter: str = ""
    records: int = 0


class RecordSpan(Struct, frozen=True):
    """Records of one writer, the first and the last included."""

    writer: str
    first: int
    last: int


class TombstoneRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="tombstone", tag_field="kind"):
    """The content of these records was deleted; their places in the chain and their hashes stay."""

    at: datetime
    by: str
    because: str  # retention, or the words of who asked for it
    before: datetime | None = None
    spans: tuple[RecordSpan, ...] = ()
    records: int = 0


class ChainHead(Struct, frozen=True):
    """How far a writer's chain had come."""

    writer: str
    number: int
    hash: bytes


class CheckpointRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="checkpoint", tag_field="kind"):
    """The ends of all chains at one moment, signed: a tail that is cut off later is missed."""

    at: datetime
    heads: tuple[ChainHead, ...]
    key: str = ""  # fingerprint of the public key
    signature: bytes = b""


Record = (
    DecisionRecord | ContentRecord | FeedbackRecord | PageViewRecord | AccessRecord | TombstoneRecord | CheckpointRecord
)

KINDS: Final = ("decision", "content", "feedback", "page-view", "access", "tombstone", "checkpoint")
_encoder = msgspec.msgpack.Encoder()
_details_encoder = msgspec.json.Encoder(order="deterministic")  # sets have no order: replay finds them as they were
_decoder = msgspec.msgpack.Decoder(Record)


class UnknownRecord(ValueError):
    """Bytes that are no record of this version or an earlier one."""


def encode(record: Record) -> bytes:
    """The bytes that are kept, and that the chain's hashes are of."""
    try:
        return _encoder.encode(record)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON lets a client write and nobody can keep
        return _encoder.encode(_writable(msgspec.to_builtins(record, builtin_types=(bytes, datetime))))


def encode_details(details: Details) -> bytes:
    """The picture and the advice as JSON, before they are packed."""
    try:
        return _details_encoder.encode(details)
    except UnicodeEncodeError:
        return _details_encoder.encode(_writable(msgspec.to_builtins(details)))


def _writable(value: Any) -> Any:
    """The same with a mark in place of what is no text."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_writable(key): _writable(each) for key, each in value.items()}
    return [_writable(each) for each in value] if isinstance(value, list | tuple) else value


def decode(content: bytes) -> Record:
    """The record in these bytes."""
    try:
        record: Record = _decoder.decode(content)
    except msgspec.DecodeError as problem:
        raise UnknownRecord(str(problem)) from None
    return record


def record_id(writer: str, number: int) -> str:
    """How one record is named: by who wrote it, and its place in that writer's chain."""
    return f"{writer}-{number}"


def split_record_id(name: str) -> tuple[str, int] | None:
    """Writer and number of a record's name; ``None`` where it is no such name."""
    writer, dash, number = name.rpartition("-")
    return (writer, int(number)) if writer and dash and number.isascii() and number.isdigit() else None


def details_of(record: DecisionRecord) -> dict[str, Any]:
    """The picture and the advice as they were decided, as plain JSON."""
    content = unpacked(record.details)
    details: dict[str, Any] = msgspec.json.decode(content) if content else {}
    return details
