"""All records of one patient to a ClinicalPicture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta, timezone
from typing import Any

from msgspec import Struct

from fhir_mappings.chart import Chart, chart_from_bundle, chart_from_prefetch, gap
from fhir_mappings.conditions import condition_facts
from fhir_mappings.devices_allergies import allergy_facts, device_facts, devices_no_longer_used
from fhir_mappings.elements import Unreadable
from fhir_mappings.encounter_and_user import is_specialist, user_specialties
from fhir_mappings.errors import PatientMissing, WrongPatient
from fhir_mappings.fhir_records import (
    NOTHING,
    AllergyIntolerance,
    Condition,
    Device,
    DeviceUseStatement,
    DiagnosticReport,
    Encounter,
    ImagingStudy,
    MedicationAdministration,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Practitioner,
    PractitionerRole,
    Procedure,
    Record,
    ServiceRequest,
    type_name,
)
from fhir_mappings.imaging_history import report_facts, study_facts
from fhir_mappings.lookup import Lookup
from fhir_mappings.medications import medication_facts
from fhir_mappings.observations import observation_facts
from fhir_mappings.page import Page, Tally, evidence_of, reader_for
from fhir_mappings.patient import age_on, birth_of, sex_of
from fhir_mappings.procedures_done import procedure_facts
from fhir_mappings.service_requests import request_facts
from fhir_mappings.status_codes import OlderFhir
from fhir_mappings.terminology import Terminology
from fhir_mappings.versions import latest_versions
from fhir_mappings.worth_reading import (
    everything,
    observations_worth_reading,
    of_known_medicines,
    problems_worth_reading,
    procedures_worth_reading,
    requests_worth_reading,
)
from rules.evidence import Evidence
from rules.facts import ClinicalPicture, Fact, FactKind, SourceGap

__all__ = [
    "Chart",
    "PatientContext",
    "PatientMissing",
    "WrongPatient",
    "chart_from_bundle",
    "chart_from_prefetch",
    "draw_picture",
]

_NO_CODES: frozenset[tuple[str, str]] = frozenset()
_Choose = Callable[[list[Any], Page], Iterable[tuple[Any, Any]]]
_Read = Callable[[Any, Any, Page], list[Fact]]
# What may be worth reading of each type of record, with what its code says where that decides, and who reads it; facts
# come in this order.
_READERS: tuple[tuple[type[Any], _Choose, _Read], ...] = (
    (Condition, problems_worth_reading, condition_facts),
    (Observation, observations_worth_reading, observation_facts),
    (Procedure, procedures_worth_reading, procedure_facts),
    (MedicationRequest, of_known_medicines, medication_facts),
    (MedicationStatement, of_known_medicines, medication_facts),
    (MedicationDispense, of_known_medicines, medication_facts),
    (MedicationAdministration, of_known_medicines, medication_facts),
    (ServiceRequest, requests_worth_reading, request_facts),
    (DiagnosticReport, everything, report_facts),
    (ImagingStudy, everything, study_facts),
    (Device, everything, device_facts),
    (AllergyIntolerance, everything, allergy_facts),
)


class PatientContext(Struct, frozen=True):
    """Who and where. ``offset`` is the time zone of the call, where it states one: days are the patient's days."""

    patient_id: str
    encounter_id: str = ""
    offset: timezone | None = None
    draft_ids: frozenset[str] = frozenset()  # orders that are being judged, and so are no earlier orders


def draw_picture(
    chart: Chart, context: PatientContext, as_of: date, terminology: Terminology, drafts: tuple[Fact, ...] = ()
) -> ClinicalPicture:
    """What the record says of the patient on this day. Nothing is decided here."""
    birth = birth_of(chart.patient)
    page = Page(
        as_of=as_of,
        encounter=f"Encounter/{context.encounter_id}" if context.encounter_id else "",
        encounter_id=context.encounter_id,
        birth=birth,
        offset=context.offset,
        codes=reader_for(terminology),
        lookup=Lookup(chart.pages, chart.records),
        tally=Tally(unmapped=set()),
        tomorrow=as_of + timedelta(days=1),
        draft_ids=context.draft_ids,
        unused_devices=_unused_devices(chart),
    )
    older: set[str] = set()
    facts = [*drafts, *_facts(chart, page, older)]
    encounter = _encounter(chart, page)
    facts += _encounter_reasons(encounter, page)
    tally = page.tally
    return ClinicalPicture(
        as_of=as_of,
        facts=tuple(facts),
        age=age_on(birth, as_of),
        sex=sex_of(chart.patient),
        encounter=page.encounter,
        requester_specialties=_specialties(chart, page),
        encounter_specialist=is_specialist(encounter, page.codes),
        gaps=_gaps(chart, older, tally),
        unmapped_codes=_NO_CODES.union(*tally.unmapped),
        unread_texts=tally.unread_texts,
        unread_current_problems=_in_order(tally.unread_problems),
        unread_red_flag_stem=tally.red_flag_stem,
        dropped_entries=chart.dropped + tally.dropped,
        foreign_entries=chart.foreign,
    )


def _in_order(problems: list[Evidence]) -> tuple[Evidence, ...]:
    return tuple(sorted(problems, key=lambda each: (each.reference, each.says))) if problems else ()


def _facts(chart: Chart, page: Page, older: set[str]) -> list[Fact]:
    """What every kind of record says, one kind after the other.

    A record that cannot be read, or is of an older FHIR version, makes a gap.
    """
    facts: list[Fact] = []
    for kind, choose, reader in _READERS:
        several = chart.records.get(kind)
        if not several:
            continue
        record: Record
        for record, reading in choose(latest_versions(several) if len(several) > 1 else several, page):
            if record.modifier_extension is not NOTHING and len(record.modifier_extension) > 4:
                page.tally.drop(type_name(record))  # FHIR R4, 2.4: not understood, it may turn the meaning around
                continue
            try:
                facts += reader(record, reading, page)
            except Unreadable:
                page.tally.drop(type_name(record))
            except OlderFhir:
                older.add(type_name(record))
    return facts


def _unused_devices(chart: Chart) -> frozenset[str]:
    uses = chart.records.get(DeviceUseStatement)
    return devices_no_longer_used(latest_versions(uses)) if uses else frozenset()


def _encounter(chart: Chart, page: Page) -> Encounter | None:
    """The encounter of the call, if it came along and stands."""
    several: list[Encounter] = chart.records.get(Encounter, [])
    for encounter in latest_versions(several) if len(several) > 1 else several:
        if page.encounter_id and page.encounter_id == encounter.id:
            return None if encounter.status in ("entered-in-error", "cancelled") else encounter
    return None


def _encounter_reasons(encounter: Encounter | None, page: Page) -> Iterator[Fact]:
    """Why the patient is here today, as the encounter states it."""
    if encounter is None or encounter.reason_code is NOTHING:
        return
    for reading in page.codes.lists.of(encounter.reason_code):
        page.tally.count_code(reading)
        if reading.contradicted:
            continue
        for statement in reading.statements:
            evidence = evidence_of(encounter, reading.says, None, ("reason for the visit", *statement.marks))
            yield Fact(
                concept=statement.concept,
                kind=FactKind.CONDITION,
                evidence=evidence,
                present=statement.present,
                suspected=statement.suspected,
                current=not statement.history,
                side=statement.side,
                site=statement.site,
                course=statement.course,
                encounter=page.encounter,
            )


def _specialties(chart: Chart, page: Page) -> tuple[str, ...]:
    people: list[Any] = chart.records.get(Practitioner, [])
    roles: list[Any] = chart.records.get(PractitionerRole, [])
    return user_specialties(chart.user, people, roles, page.codes)


def _gaps(chart: Chart, older: set[str], tally: Tally) -> tuple[SourceGap, ...]:
    if not (chart.gaps or older or tally.spoiled):
        return ()
    found = {*chart.gaps, *(gap(source, "unsupported version") for source in older)}
    found.update(gap(source, "incomplete") for source in tally.spoiled)
    return tuple(sorted(found, key=lambda each: (each.source, each.why)))
