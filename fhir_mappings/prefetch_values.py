"""What one prefetch key holds: records, nothing (known), or something that could not be had or read.

CDS Hooks: ``null`` means known to be empty, and is not missing; an OperationOutcome may stand as the value or among the
entries; a Bundle with a ``next`` link is the first page only. Clients pass broken bodies on as texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import Enum
from typing import Any, TypeVar, Union

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir_records import NOTHING, READ, AnyRecord, OperationOutcome, Record
from fhir_mappings.strict_json import SURROGATE


class State(Enum):
    """Whether a prefetch value was read."""

    READ = "read"
    EMPTY = "known empty"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    OLDER = "unsupported version"  # the server that answers speaks another version of FHIR


class Entry(Struct, frozen=True, gc=False, rename="camel"):
    """One entry of a Bundle."""

    resource: AnyRecord | None = None
    full_url: str | None = None
    response: Raw = NOTHING


class Link(Struct, frozen=True, gc=False):
    relation: str | None = None
    url: str | None = None


class Bundle(Struct, frozen=True, gc=False, tag_field="resourceType"):
    """A page of search results, or any other Bundle."""

    type: str | None = None
    entry: list[Entry] | None = None
    link: list[Link] | None = None
    total: int | None = None


Value = Union[(None, str, int, float, bool, list[Raw], Bundle, *READ)]  # type: ignore[valid-type]


class PrefetchValue(Struct, frozen=True, gc=False):
    """The value of one prefetch key. ``incomplete``: there is more of it elsewhere. ``dropped``: malformed entries.

    ``alone`` is set where the value is a single resource and no Bundle. ``total`` is what the server says of all pages,
    where there are more than this one.
    """

    state: State
    entries: list[Entry] = []
    incomplete: bool = False
    next_link: str = ""
    issue_codes: tuple[str, ...] = ()
    dropped: int = 0
    alone: bool = False
    total: int = 0


_READ = State.READ
EMPTY = PrefetchValue(State.EMPTY)
UNREADABLE = PrefetchValue(State.UNREADABLE)
FAILED = PrefetchValue(State.FAILED)
OLDER = PrefetchValue(State.OLDER)

# http://hl7.org/fhir/issue-type: warnings that say that the answer does not hold everything.
_PARTIAL = frozenset(
    {
        "security", "login", "expired", "forbidden", "suppressed", "too-costly", "timeout", "incomplete", "throttled",
        "transient", "lock-error",
    }
)  # fmt: skip


def prefetch_value(value: Any) -> PrefetchValue:
    """A typed value, classified."""
    if isinstance(value, Bundle):
        return bundle_value(value)
    if value is None:
        return EMPTY
    if isinstance(value, OperationOutcome):
        return outcome_value(value)
    if isinstance(value, Record):
        return PrefetchValue(_READ, [Entry(value)], alone=True)
    return UNREADABLE


def outcome_value(outcome: OperationOutcome) -> PrefetchValue:
    """An OperationOutcome in place of data: an error is a failure; a bare warning says that nothing was found."""
    codes = tuple(issue.code for issue in outcome.issue)
    if is_failure(outcome) or not outcome.issue:
        return PrefetchValue(State.FAILED, issue_codes=codes)
    return PrefetchValue(State.EMPTY, incomplete=is_partial(outcome), issue_codes=codes)


def is_failure(outcome: OperationOutcome) -> bool:
    """Does it say that the source could not be read?"""
    return any(issue.severity in ("error", "fatal") for issue in outcome.issue)


def is_partial(outcome: OperationOutcome) -> bool:
    """Does it say that something was left out?"""
    return any(issue.code in _PARTIAL for issue in outcome.issue)


def bundle_value(bundle: Bundle, dropped: int = 0) -> PrefetchValue:
    """A Bundle, as the page that it is; ``dropped``: how many more of its entries could not be read."""
    entries, total = bundle.entry or [], bundle.total
    next_link = None
    for link in bundle.link or ():
        if link.relation == "next":
            next_link = link.url or ""
            break
    more = total is not None and total > len(entries) + dropped and bundle.type == "searchset"
    if next_link is None and not more and not dropped:
        return PrefetchValue(_READ, entries)
    return PrefetchValue(
        _READ,
        entries,
        incomplete=next_link is not None or more,
        next_link=next_link or "",
        dropped=dropped,
        total=total or 0,
    )


class _LooseBundle(Struct, rename="camel"):
    resource_type: str
    type: Raw = NOTHING
    entry: list[Raw] | None = None
    link: Raw = NOTHING
    total: Raw = NOTHING


class _TypeOnly(Struct, rename="camel"):
    resource_type: str


class _LooseEntry(Struct):
    resource: _TypeOnly | None = None


_VALUE = msgspec.json.Decoder(Value)
_ENTRY = msgspec.json.Decoder(Entry)
_LOOSE_BUNDLE = msgspec.json.Decoder(_LooseBundle)
_LOOSE_ENTRY = msgspec.json.Decoder(_LooseEntry)
_TYPE_ONLY = msgspec.json.Decoder(_TypeOnly)
_LINKS = msgspec.json.Decoder(list[Link] | None)
_TOTAL = msgspec.json.Decoder(int | None)
_TYPE = msgspec.json.Decoder(str | None)
_PROBLEMS = (msgspec.DecodeError, RecursionError)  # ValidationError is a DecodeError
_T = TypeVar("_T")
_KNOWN_TYPES = frozenset(kind.__name__ for kind in READ)


def read_value(raw: Raw) -> PrefetchValue:
    """A prefetch value that may be malformed: whole where that goes, else entry by entry."""
    try:
        return prefetch_value(_VALUE.decode(raw))
    except _PROBLEMS:
        pass
    try:
        bundle = _LOOSE_BUNDLE.decode(raw)
    except _PROBLEMS:
        return _single_malformed(raw)
    if bundle.resource_type != "Bundle":
        return _single_malformed(raw)
    return _from_entries([bytes(each) for each in bundle.entry or ()], bundle)


def read_body(body: bytes) -> PrefetchValue:
    """What a FHIR server sent, classified like a prefetched value."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            return UNREADABLE
    found = read_value(Raw(body))
    if found.state is not State.UNREADABLE or not SURROGATE.search(body):
        return found
    try:
        return read_entry_by_entry(json.loads(body))
    except (ValueError, RecursionError):
        return UNREADABLE


def read_entry_by_entry(value: object) -> PrefetchValue:
    """A prefetch value that was decoded generically because some text in it is no Unicode."""
    raw = Raw(json.dumps(value).encode())
    if not (isinstance(value, dict) and value.get("resourceType") == "Bundle" and isinstance(value.get("entry"), list)):
        return read_value(raw)
    header = {key: part for key, part in value.items() if key != "entry"}
    try:
        bundle = _LOOSE_BUNDLE.decode(json.dumps(header).encode())
    except _PROBLEMS:
        bundle = _LooseBundle("Bundle")
    return _from_entries([json.dumps(each).encode() for each in value["entry"]], bundle)


def _from_entries(entries: Iterable[bytes], bundle: _LooseBundle) -> PrefetchValue:
    read: list[Entry] = []
    dropped = 0
    for raw in entries:
        try:
            read.append(_ENTRY.decode(raw))
        except _PROBLEMS:
            dropped += _is_of_a_known_type(raw)
    page = Bundle(
        type=_or_none(_TYPE, bundle.type),
        entry=read,
        link=_or_none(_LINKS, bundle.link),
        total=_or_none(_TOTAL, bundle.total),
    )
    if dropped and not read:
        return PrefetchValue(State.UNREADABLE, dropped=dropped)
    return bundle_value(page, dropped)


def _is_of_a_known_type(raw: bytes) -> bool:
    """A resource of a type that we do not know is nobody's loss; anything else that fails is malformed."""
    try:
        entry = _LOOSE_ENTRY.decode(raw)
    except _PROBLEMS:
        return True
    return entry.resource is None or entry.resource.resource_type in _KNOWN_TYPES


def _single_malformed(raw: Raw) -> PrefetchValue:
    try:
        kind = _TYPE_ONLY.decode(raw).resource_type
    except _PROBLEMS:
        return UNREADABLE
    if kind == "Bundle":  # its entries cannot even be listed: what it held is not known
        return UNREADABLE
    return PrefetchValue(State.UNREADABLE, dropped=1) if kind in _KNOWN_TYPES else PrefetchValue(State.READ)


def _or_none(decoder: msgspec.json.Decoder[_T], raw: Raw) -> _T | None:
    if not len(raw):
        return None
    try:
        return decoder.decode(raw)
    except _PROBLEMS:
        return None
