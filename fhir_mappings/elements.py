"""FHIR data types as we read them, decoded from raw JSON only once an entry has turned out to matter."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir_records import NOTHING, Reference

_T = TypeVar("_T")


class Unreadable(Exception):
    """A resource whose parts are not of the types that FHIR gives them: it is dropped and counted."""


class Coding(Struct, frozen=True, gc=False):
    system: str | None = None
    code: str | None = None
    display: str | None = None


# A concept under more codings than this is no record that a person or a system made for use: unreadable.
_MOST_CODINGS = 10_000


class CodeableConcept(Struct, frozen=True, gc=False):
    coding: Annotated[list[Coding | None], msgspec.Meta(max_length=_MOST_CODINGS)] | None = None
    text: str | None = None

    @property
    def words(self) -> str:
        """How the concept is called: its text, else the first display, else the first code."""
        if self.text and self.text.strip():
            return self.text
        code = ""
        for each in self.coding or ():
            if each is not None:
                if each.display and each.display.strip():
                    return each.display
                code = code or each.code or ""
        return code


class Quantity(Struct, frozen=True, gc=False):
    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Period(Struct, frozen=True, gc=False):
    start: str | None = None
    end: str | None = None


class Range(Struct, frozen=True, gc=False):
    low: Quantity | None = None
    high: Quantity | None = None


class Meta(Struct, frozen=True, gc=False, rename="camel"):
    version_id: str | None = None
    last_updated: str | None = None


class ReferenceRange(Struct, frozen=True, gc=False):
    low: Quantity | None = None
    high: Quantity | None = None


_CONCEPT = msgspec.json.Decoder(CodeableConcept | str | None)
_CONCEPTS = msgspec.json.Decoder(list[CodeableConcept | None] | CodeableConcept | None)
_QUANTITY: msgspec.json.Decoder[Quantity | None] = msgspec.json.Decoder(Quantity | None)
_PERIOD = msgspec.json.Decoder(Period | None)
_RANGE = msgspec.json.Decoder(Range | None)
_NO_META = Meta()
_META = msgspec.json.Decoder(Meta | None)
_REFERENCES = msgspec.json.Decoder(list[Reference | None] | Reference | None)
_REFERENCE_RANGES = msgspec.json.Decoder(list[ReferenceRange | None] | None)
_ANY = msgspec.json.Decoder()
_PROBLEMS = (msgspec.DecodeError, RecursionError)


def _read(decoder: msgspec.json.Decoder[_T], raw: Raw) -> _T | None:
    if raw is NOTHING or not len(raw):
        return None
    try:
        return decoder.decode(raw)
    except _PROBLEMS:
        raise Unreadable from None


def concept_in(raw: Raw) -> CodeableConcept | None:
    """A CodeableConcept; a bare code as DSTU2 and STU3 have it in some places is not one."""
    found = _read(_CONCEPT, raw)
    if isinstance(found, str):
        raise Unreadable
    return found


def concept_or_code(raw: Raw) -> CodeableConcept | str | None:
    """A CodeableConcept, or the bare code of an older FHIR version."""
    return _read(_CONCEPT, raw)


def concepts_in(raw: Raw) -> tuple[CodeableConcept, ...]:
    """A list of CodeableConcepts, or a single one."""
    found = _read(_CONCEPTS, raw)
    if found is None:
        return ()
    return (found,) if isinstance(found, CodeableConcept) else tuple(each for each in found if each is not None)


def quantity_in(raw: Raw) -> Quantity | None:
    """A Quantity, an Age or a Duration."""
    if raw is NOTHING or not len(raw):
        return None
    try:
        return _QUANTITY.decode(raw)
    except _PROBLEMS:
        raise Unreadable from None


def period_in(raw: Raw) -> Period | None:
    """A Period."""
    return None if raw is NOTHING else _read(_PERIOD, raw)


def range_in(raw: Raw) -> Range | None:
    """A Range."""
    return None if raw is NOTHING else _read(_RANGE, raw)


def references_in(raw: Raw) -> tuple[str, ...]:
    """The literal references of a list."""
    if raw is NOTHING:
        return ()
    found = _read(_REFERENCES, raw)
    if found is None:
        return ()
    several = [found] if isinstance(found, Reference) else found
    return tuple(each.reference for each in several if each is not None and each.reference)


def reference_ranges_in(raw: Raw) -> tuple[ReferenceRange, ...]:
    """The reference ranges of an Observation."""
    return tuple(each for each in _read(_REFERENCE_RANGES, raw) or () if each is not None)


def version_in(raw: Raw) -> Meta:
    """Which version of a resource this is; empty where it does not say, or not readably."""
    try:
        return _META.decode(raw) or _NO_META
    except _PROBLEMS:
        return _NO_META


def anything_in(raw: Raw) -> Any:
    """Any JSON: for the few places where a shape is looked at and not read."""
    return _read(_ANY, raw)


def is_given(raw: Raw) -> bool:
    """Is the member there, and not null?"""
    return raw is not NOTHING and raw != _NULL and len(raw) > 0


_NULL = Raw(b"null")
