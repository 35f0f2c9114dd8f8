"""Clinical and verification status of problems and allergies: coded, as text, or as an older FHIR version has it."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from msgspec import Raw

from fhir_mappings.elements import CodeableConcept, concept_or_code
from fhir_mappings.fhir_records import NOTHING


class OlderFhir(Exception):
    """A resource in the shape of DSTU2 or STU3: it is not read, and never taken for "nothing there"."""


class Verified(Enum):
    """What the verification status makes of an entry."""

    STATED = "stated"
    SUSPECTED = "suspected"
    REFUTED = "refuted"
    ERROR = "entered in error"


STATED, SUSPECTED, REFUTED, ERROR = Verified.STATED, Verified.SUSPECTED, Verified.REFUTED, Verified.ERROR
_CURRENT = frozenset({"active", "recurrence", "relapse"})
_PAST = frozenset({"inactive", "remission", "resolved"})
_VERIFIED = {
    "confirmed": Verified.STATED,
    "provisional": Verified.SUSPECTED,
    "differential": Verified.SUSPECTED,
    "unconfirmed": Verified.SUSPECTED,
    "suspected": Verified.SUSPECTED,
    "possible": Verified.SUSPECTED,
    "probable": Verified.SUSPECTED,
    "presumed": Verified.SUSPECTED,
    "working diagnosis": Verified.SUSPECTED,
    "refuted": Verified.REFUTED,
    "ruled out": Verified.REFUTED,
    "ruled-out": Verified.REFUTED,
    "excluded": Verified.REFUTED,
    "entered-in-error": Verified.ERROR,
    "entered in error": Verified.ERROR,
}


def is_current(clinical_status: Raw) -> bool | None:
    """Is it active? ``None`` where the status says nothing that we know."""
    return None if clinical_status is NOTHING else _current(b"" + clinical_status)


def verified(verification_status: Raw) -> Verified:
    """How sure the record is; an unknown or missing status is no doubt."""
    return STATED if verification_status is NOTHING else _verified(b"" + verification_status)


@lru_cache(maxsize=256)  # records write the same few statuses over and over
def _current(raw: bytes) -> bool | None:
    for word in _words(raw):
        if word in _CURRENT:
            return True
        if word in _PAST:
            return False
    return None


@lru_cache(maxsize=256)
def _verified(raw: bytes) -> Verified:
    for word in _words(raw):
        if word in _VERIFIED:
            return _VERIFIED[word]
    return Verified.STATED


def _words(raw: bytes) -> list[str]:
    """The codes of a status, else its displays and text (some servers send only those)."""
    status = concept_or_code(Raw(raw))
    if status is None:
        return []
    if isinstance(status, str):
        raise OlderFhir
    return _codes(status) + _displays(status)


def _codes(status: CodeableConcept) -> list[str]:
    return [each.code.strip().lower() for each in status.coding or () if each is not None and each.code]


def _displays(status: CodeableConcept) -> list[str]:
    displays = [each.display for each in status.coding or () if each is not None and each.display]
    return [text.strip().lower() for text in (*displays, status.text or "") if text]
