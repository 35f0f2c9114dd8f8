"""Whom a resource is about, and what a reference points to."""

from __future__ import annotations

import re
from functools import cached_property

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir_records import NOTHING, Patient, Reference

_LITERAL = re.compile(r"(?:.*/)?([A-Za-z]+)/([A-Za-z0-9\-.]{1,128})(?:/_history/[^/]+)?/?", re.DOTALL)
_KEPT = 512  # distinct references to people in one call that are remembered


class Identifier(Struct, frozen=True, gc=False):
    system: str | None = None
    value: str | None = None


class ContainedPerson(Struct, frozen=True, gc=False):
    """A resource inside another one, as far as it tells who it is."""

    id: str | None = None
    identifier: list[Identifier] | None = None


_CONTAINED = msgspec.json.Decoder(list[ContainedPerson] | None)
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


def identifiers_in(raw: Raw) -> tuple[Identifier, ...]:
    """Business identifiers of a resource; none where they cannot be read."""
    if not len(raw):
        return ()
    try:
        return tuple(_IDENTIFIERS.decode(raw) or ())
    except msgspec.DecodeError:
        return ()


def contained_people(raw: Raw) -> list[ContainedPerson]:
    """The resources inside another one; none where they cannot be read."""
    if not len(raw):
        return []
    try:
        return _CONTAINED.decode(raw) or []
    except (msgspec.DecodeError, RecursionError):
        return []


def names_nobody_readable(who: Reference | None) -> bool:
    """Does it name somebody by an identifier only, in a shape that cannot be read? Then nobody can say who is meant."""
    if who is None or not len(who.identifier) or (who.reference and not who.reference.startswith("#")):
        return False
    try:
        _IDENTIFIER.decode(who.identifier)
    except msgspec.DecodeError:
        return True
    return False


class OnePatient:
    """Tells the patient of the call from everybody else, however a record refers to them.

    A resource that names no patient came with the answer to a question about this one and is kept. Two different
    servers are not told apart by their addresses: proxies give one server many, and patient ids are checked anyway.
    """

    def __init__(self, patient_id: str, full_urls: frozenset[str] = frozenset(), identifiers: Raw = NOTHING) -> None:
        self._local = f"Patient/{patient_id}"
        self._id = patient_id
        self._full_urls = full_urls
        self._identifiers_of_patient = identifiers
        self._own = {self._local}  # references that were found to mean the patient

    def learn(self, full_urls: frozenset[str], identifiers: Raw) -> None:
        """What the patient's own entry says of them, once it is found; before that, nobody is told by an identifier."""
        self._full_urls = full_urls
        self._identifiers_of_patient = identifiers

    @cached_property
    def _identifiers(self) -> dict[str, str | None]:
        """The patient's business identifiers by system; read only where a record names its patient by one."""
        found = identifiers_in(self._identifiers_of_patient)
        return {each.system or "": each.value for each in found if each.value}

    def is_this(self, patient: Patient) -> bool:
        """Is this Patient resource the patient of the call?"""
        return self._local == f"Patient/{patient.id}"

    def is_meant_by(self, who: Reference | None, contained: Raw = NOTHING) -> bool:
        """Does this reference name the patient of the call, or nobody at all? ``contained``: where a "#" points to."""
        if who is None:
            return True
        text = who.reference
        if not text:
            return self._by_identifier(who.identifier)
        if text.startswith("#"):
            return self._by_contained(text[1:], who, contained)
        return self.is_called(text)

    def is_called(self, text: str | None) -> bool:
        """Is this a literal reference to the patient, in whatever form?"""
        if text in self._own:
            return True
        if not text or text.startswith("#"):
            return False
        found = self._is_address(text) or local_reference(text) == self._local
        if found and len(self._own) < _KEPT:
            self._own.add(text)
        return found

    def _is_address(self, text: str) -> bool:
        return text in self._full_urls or text in (f"urn:uuid:{self._id}", f"urn:oid:{self._id}")

    def _by_contained(self, local_id: str, who: Reference, contained: Raw) -> bool:
        """A Patient inside the resource has no address: its id or an identifier must be the patient's."""
        if f"Patient/{local_id}" == self._local:
            return True
        if len(who.identifier):
            return self._by_identifier(who.identifier)
        return any(
            self._identifiers.get(each.system or "") == each.value
            for inside in contained_people(contained)
            if inside.id == local_id
            for each in inside.identifier or ()
            if each.value
        )

    def _by_identifier(self, raw: Raw) -> bool:
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
