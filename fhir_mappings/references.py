"""Whom a resource is about, and what a reference points to."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from fhir_mappings.fhir_records import Patient, Reference

_LITERAL = re.compile(r"(?:.*/)?([A-Za-z]+)/([A-Za-z0-9\-.]{1,128})(?:/_history/[^/]+)?/?", re.DOTALL)
_KEPT = 512  # distinct references to people in one call that are remembered


class Identifier(Struct, frozen=True, gc=False):
    system: str | None = None
    value: str | None = None


_IDENTIFIER = msgspec.json.Decoder(Identifier | None)
_IDENTIFIERS = msgspec.json.Decoder(list[Identifier] | None)


def local_reference(text: str | None) -> str:
    """ "Condition/12" from a relative, absolute or versioned reference; a urn or contained reference as it stands."""
    if not text:
        return ""
    if text.count("/") == 1 and "?" not in text:
        return text
    if text.startswith(("#", "urn:")):
        return text
    found = _LITERAL.fullmatch(text.split("?", 1)[0] if "?" in text else text)
    return f"{found[1]}/{found[2]}" if found and "?" not in text else text


def identifiers_in(raw: msgspec.Raw) -> tuple[Identifier, ...]:
    """Business identifiers of a resource; none where they cannot be read."""
    if not len(raw):
        return ()
    try:
        return tuple(_IDENTIFIERS.decode(raw) or ())
    except msgspec.DecodeError:
        return ()


class OnePatient:
    """Tells the patient of the call from everybody else, however a record refers to them.

    A resource that names no patient came with the answer to a question about this one and is kept. Two different
    servers are not told apart by their addresses: proxies give one server many, and patient ids are checked anyway.
    """

    def __init__(self, patient_id: str, full_urls: frozenset[str], identifiers: tuple[Identifier, ...]) -> None:
        self._local = f"Patient/{patient_id}"
        self._urns = full_urls | {f"urn:uuid:{patient_id}", f"urn:oid:{patient_id}"}
        self._identifiers = {each.system or "": each.value for each in identifiers if each.value}
        self.own: set[str | None] = set()  # references that were found to mean the patient

    def is_this(self, patient: Patient) -> bool:
        """Is this Patient resource the patient of the call?"""
        return self._local == f"Patient/{patient.id}"

    def is_meant_by(self, who: Reference | None) -> bool:
        """Does this reference name the patient of the call, or nobody at all?"""
        if who is None:
            return True
        text = who.reference
        if not text:
            return self._by_identifier(who.identifier)
        if text in self.own:
            return True
        found = self._by_reference(text, who)
        if found and len(who.identifier) == 0 and len(self.own) < _KEPT:
            self.own.add(text)
        return found

    def _by_reference(self, text: str, who: Reference) -> bool:
        if text in self._urns:
            return True
        if text.startswith("#"):  # a contained Patient says only what its identifiers say
            return len(who.identifier) > 0 and self._by_identifier(who.identifier)
        return local_reference(text) == self._local

    def _by_identifier(self, raw: msgspec.Raw) -> bool:
        if not len(raw):
            return True
        try:
            found = _IDENTIFIER.decode(raw)
        except msgspec.DecodeError:
            return False
        if found is None or not found.value:
            return True
        own = self._identifiers.get(found.system or "")
        return own is None or own == found.value
