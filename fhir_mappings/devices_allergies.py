"""Devices and metal, allergies and intolerances to facts."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.code_words import CONTRAST, Statement
from fhir_mappings.codes import CodeReading
from fhir_mappings.elements import CodeableConcept, Unreadable, is_given
from fhir_mappings.encounter_and_user import encounter_of
from fhir_mappings.fhir_records import NOTHING, AllergyIntolerance, Device, DeviceUseStatement
from fhir_mappings.page import Page, evidence_of
from fhir_mappings.partial_dates import since_at_least
from fhir_mappings.references import local_reference
from fhir_mappings.status_codes import ERROR, REFUTED, SUSPECTED, OlderFhir, is_current, verified
from rules.facts import Fact, FactKind

_ENDED_USE = frozenset({"completed", "stopped"})
_NOT_USED = frozenset({"entered-in-error", "intended", "not-taken"})


class DeviceName(Struct, frozen=True, gc=False):
    name: str | None = None


class Reaction(Struct, frozen=True, gc=False):
    substance: CodeableConcept | None = None


_NAMES = msgspec.json.Decoder(list[DeviceName | None] | None)
_REACTIONS = msgspec.json.Decoder(list[Reaction | None] | None)


def device_facts(device: Device, _: None, page: Page) -> list[Fact]:
    """A device on record, and whether it is still in use."""
    if device.status == "entered-in-error":
        return []
    readings = [page.codes.memo.of(device.type)] if is_given(device.type) else []
    if not any(reading.statements for reading in readings):
        readings += [page.codes.of(CodeableConcept(text=name)) for name in _device_names(device)]
    reading = next((each for each in readings if each.statements), readings[0] if readings else None)
    if reading is None:
        return []
    page.tally.count_code(reading)
    current = device.status != "inactive" and f"Device/{device.id}" not in page.unused_devices
    return [
        Fact(
            concept=statement.concept,
            kind=FactKind.DEVICE,
            evidence=evidence_of(
                device, reading.says, None, ("" if current else "removed or inactive", *statement.marks)
            ),
            present=statement.present,
            suspected=statement.suspected,
            current=current and not statement.history,
            side=statement.side,
            site=statement.site,
        )
        for statement in reading.statements
    ]


def _device_names(device: Device) -> list[str]:
    if not len(device.device_name):
        return []
    try:
        several = _NAMES.decode(device.device_name) or []
    except msgspec.DecodeError:
        raise Unreadable from None
    return [each.name for each in several if each is not None and each.name]


def devices_no_longer_used(uses: Iterable[DeviceUseStatement]) -> frozenset[str]:
    """Devices whose only recorded uses are over."""
    ended: set[str] = set()
    used: set[str] = set()
    for use in uses:
        if use.status in _NOT_USED or use.device is None:
            continue
        (ended if use.status in _ENDED_USE else used).add(local_reference(use.device.reference))
    return frozenset(ended - used)


def allergy_facts(allergy: AllergyIntolerance, _: None, page: Page) -> list[Fact]:
    """A reaction, or the risk of one, to a substance that an imaging study may use."""
    if allergy.status is not None or (allergy.substance is not NOTHING and is_given(allergy.substance)):  # DSTU2
        raise OlderFhir
    sure = verified(allergy.verification_status)
    if sure is ERROR:
        return []
    active = is_current(allergy.clinical_status)
    reading = page.codes.memo.of(allergy.code)
    page.tally.count_code(reading)
    statements = _substances(allergy, reading, page)
    if not statements:
        return []  # as of most
    began = page.past_day(allergy.onset_date_time) or since_at_least(page.past_day(allergy.recorded_date))
    dated = allergy.onset_date_time or allergy.recorded_date
    marks = (
        "refuted" if sure is REFUTED else "",
        "suspected" if sure is SUSPECTED else "",
        "history" if active is False else "",
        "criticality high" if allergy.criticality == "high" else "",
    )
    return [
        Fact(
            concept=statement.concept,
            kind=FactKind.ALLERGY,
            evidence=evidence_of(allergy, reading.says, dated, (*marks, *statement.marks)),
            present=statement.present and sure is not REFUTED,
            suspected=sure is SUSPECTED or statement.suspected,
            current=active is not False,
            began=began,
            encounter=encounter_of(allergy.encounter),
        )
        for statement in statements
    ]


def _substances(allergy: AllergyIntolerance, reading: CodeReading, page: Page) -> list[Statement]:
    """Contrast agents: the substance of the entry and those that its reactions name, by code or by ingredient."""
    if reading.contradicted:
        return []
    found: dict[str, Statement] = {}
    named = page.codes.medicines.of(allergy.code)
    if named or reading.statements:
        found = {each.concept: each for each in _contrast(reading, named)}
    for reaction in () if allergy.reaction is NOTHING else _reactions(allergy.reaction):
        if reaction is not None and reaction.substance is not None:
            named = page.codes.medicine_concepts(reaction.substance, "")
            for each in _contrast(page.codes.of(reaction.substance), named):
                found.setdefault(each.concept, each)
    return list(found.values())


def _contrast(reading: CodeReading, by_name: tuple[str, ...]) -> list[Statement]:
    """The contrast agents of a substance, by its code; by ingredient where no code or text says what it is."""
    if reading.statements:
        return [statement for statement in reading.statements if statement.concept in CONTRAST]
    return [Statement(name) for name in by_name if name in CONTRAST]


def _reactions(raw: Raw) -> list[Reaction | None]:
    try:
        return _REACTIONS.decode(raw) or []
    except msgspec.DecodeError:
        raise Unreadable from None
