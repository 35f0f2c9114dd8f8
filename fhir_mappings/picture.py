"""All records of one patient to a ClinicalPicture."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, timedelta, timezone
from typing import Any, TypeVar

from msgspec import Struct

from fhir_mappings.chart import Chart, chart_from_bundle, chart_from_prefetch, gap
from fhir_mappings.codes import CodeReading
from fhir_mappings.conditions import condition_facts, may_say_something
from fhir_mappings.devices_allergies import allergy_facts, device_facts, devices_no_longer_used
from fhir_mappings.elements import Unreadable
from fhir_mappings.encounter_and_user import is_specialist, user_specialties
from fhir_mappings.errors import PatientMissing, WrongPatient
from fhir_mappings.fhir_records import (
    NOTHING,
    AboutPatient,
    AllergyIntolerance,
    Condition,
    Device,
    DeviceUseStatement,
    DiagnosticReport,
    Encounter,
    ImagingStudy,
    MedicationAdministration,
    MedicationDispense,
    MedicationRecord,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Practitioner,
    PractitionerRole,
    Procedure,
    ServiceRequest,
    type_name,
)
from fhir_mappings.imaging_history import report_facts, study_facts
from fhir_mappings.lookup import Lookup
from fhir_mappings.medications import is_older_statement, medication_facts
from fhir_mappings.named_by_value import value_may_speak
from fhir_mappings.observation_values import component_names
from fhir_mappings.observations import observation_facts
from fhir_mappings.page import Page, Tally, evidence_of, reader_for
from fhir_mappings.patient import age_on, birth_of, sex_of
from fhir_mappings.procedures_done import is_older_procedure, procedure_facts
from fhir_mappings.references import local_reference
from fhir_mappings.service_requests import request_facts
from fhir_mappings.status_codes import OlderFhir
from fhir_mappings.terminology import Terminology
from fhir_mappings.versions import latest_versions
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

R = TypeVar("R", bound=AboutPatient)
M = TypeVar("M", bound=MedicationRecord)

# Longest look-back for temperature and weight: weight loss within a year (rules/parameters.toml), and a margin.
_VITAL_SIGNS_KEPT = timedelta(days=550)


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
        birth=birth,
        offset=context.offset,
        codes=reader_for(terminology),
        lookup=Lookup(chart.pages, chart.records),
        tally=Tally(unmapped=set()),
        tomorrow=as_of + timedelta(days=1),
    )
    older: set[str] = set()
    facts = [*drafts, *_facts(chart, page, older, context.draft_ids)]
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
        unmapped_codes=frozenset(tally.unmapped),
        unread_texts=tally.unread_texts,
        unread_current_problems=tuple(sorted(tally.unread_problems, key=lambda each: (each.reference, each.says))),
        unread_red_flag_stem=tally.red_flag_stem,
        dropped_entries=chart.dropped + tally.dropped,
        foreign_entries=chart.foreign,
    )


def _facts(chart: Chart, page: Page, older: set[str], draft_ids: frozenset[str]) -> list[Fact]:
    facts: list[Fact] = []

    def records(kind: type[R]) -> list[R]:
        several: list[R] = chart.records.get(kind, [])
        return latest_versions(several) if len(several) > 1 else several

    def read(several: list[R], reader: Callable[[R, Page], Iterable[Fact]]) -> None:
        for record in several:
            facts.extend(_read(record, reader, page, older))

    read(_problems_worth_reading(records(Condition), page), condition_facts)
    read(_worth_reading(records(Observation), page), observation_facts)
    read(_coded_with_meaning(records(Procedure), page, also=is_older_procedure), procedure_facts)
    for kind in (MedicationRequest, MedicationStatement, MedicationDispense, MedicationAdministration):
        read(_of_known_medicines(records(kind), page), medication_facts)
    earlier = [each for each in records(ServiceRequest) if each.id is None or each.id not in draft_ids]
    read(_coded_with_meaning(earlier, page, also=_has_performer_type), request_facts)
    read(records(DiagnosticReport), report_facts)
    read(records(ImagingStudy), study_facts)
    ended = devices_no_longer_used(records(DeviceUseStatement))
    read(records(Device), lambda device, page: device_facts(device, ended, page))
    read(records(AllergyIntolerance), allergy_facts)
    return facts


def _has_performer_type(request: ServiceRequest) -> bool:
    return request.performer_type is not NOTHING


def _never(_: AboutPatient) -> bool:
    return False


def _read(record: R, reader: Callable[[R, Page], Iterable[Fact]], page: Page, older: set[str]) -> Collection[Fact]:
    """The facts of one record. One that cannot be read, or is of an older FHIR version, makes a gap."""
    if record.modifier_extension is not NOTHING and len(record.modifier_extension) > 4:
        page.tally.drop(type_name(record))  # FHIR R4, 2.4: what is not understood here may turn the meaning around
        return ()
    try:
        return list(reader(record, page))
    except Unreadable:
        page.tally.drop(type_name(record))
    except OlderFhir:
        older.add(type_name(record))
    return ()


def _worth_reading(observations: list[Observation], page: Page) -> list[Observation]:
    """Observations whose code means something to a rule, and panels; the many others cost one look-up each.

    Old vital signs, often hundreds, are left out: no rule looks further back than a year and a half.
    """
    oldest = (page.as_of - _VITAL_SIGNS_KEPT).isoformat()
    get, read = page.codes.findings.get, page.codes.findings.of
    kept: list[Observation] = []
    quiet: dict[bytes, CodeReading] = {}
    for observation in observations:
        key = bytes(observation.code)
        reading = get(key)
        if reading is None:
            reading = read(observation.code)
        if not reading.silent:
            stamp = observation.effective_date_time
            if not reading.ages or stamp is None or stamp >= oldest or observation.component is not NOTHING:
                kept.append(observation)
        elif reading.red_flag_stem and observation.value_quantity is NOTHING:
            kept.append(observation)  # a name that is not understood, with a result that may answer yes
        elif _speaks_otherwise(reading, observation, page):
            kept.append(observation)
        else:
            quiet[key] = reading
    page.tally.count_codes(quiet.values())
    return kept


def _speaks_otherwise(reading: CodeReading, observation: Observation, page: Page) -> bool:
    """Is a result whose name tells nothing worth reading for its value, or for what is inside it?"""
    if observation.value_codeable_concept is not NOTHING or observation.value_string is not NOTHING:
        if value_may_speak(reading.says, observation, page.codes):
            return True
    return observation.component is not NOTHING and _has_meaning_inside(observation, page)


def _of_known_medicines(several: list[M], page: Page) -> list[M]:
    """Entries about a medicine that a rule reads, and those whose medicine stands elsewhere."""
    get, read = page.codes.medicines.get, page.codes.medicines.of
    kept: list[M] = []
    for record in several:
        medicine = record.medication_codeable_concept
        found = get(bytes(medicine))
        if found is None:
            found = read(medicine)
        if found or record.medication_reference is not None or is_older_statement(record):
            kept.append(record)
    return kept


def _problems_worth_reading(conditions: list[Condition], page: Page) -> list[Condition]:
    get, read = page.codes.memo.get, page.codes.memo.of
    kept: list[Condition] = []
    quiet: dict[bytes, CodeReading] = {}
    for condition in conditions:
        key = bytes(condition.code)
        reading = get(key)
        if reading is None:
            reading = read(condition.code)
        if may_say_something(condition, reading, page):
            kept.append(condition)
        else:
            quiet[key] = reading
    page.tally.count_codes(quiet.values())
    return kept


def _has_meaning_inside(panel: Observation, page: Page) -> bool:
    """Does a panel hold a component that a rule reads? One that cannot be decoded is left to the reader to count."""
    get, read = page.codes.findings.get, page.codes.findings.of
    try:
        parts = component_names(panel.component)
    except Unreadable:
        return True
    for part in parts:
        reading = get(bytes(part.code)) or read(part.code)
        if not reading.silent or reading.red_flag_stem:
            return True
        if value_may_speak(reading.says, part, page.codes):
            return True
    return False


def _coded_with_meaning(several: list[R], page: Page, also: Callable[[R], bool] = _never) -> list[R]:
    get, read = page.codes.memo.get, page.codes.memo.of
    kept: list[R] = []
    quiet: dict[bytes, CodeReading] = {}
    for record in several:
        key = bytes(record.code)
        reading = get(key)
        if reading is None:
            reading = read(record.code)
        if reading.silent and not also(record):
            quiet[key] = reading
        else:
            kept.append(record)
    page.tally.count_codes(quiet.values())
    return kept


def _encounter(chart: Chart, page: Page) -> Encounter | None:
    """The encounter of the call, if it came along and stands."""
    for encounter in latest_versions(chart.records.get(Encounter, [])):
        if page.encounter and page.encounter == f"Encounter/{encounter.id}":
            return None if encounter.status in ("entered-in-error", "cancelled") else encounter
    return None


def _encounter_reasons(encounter: Encounter | None, page: Page) -> Iterator[Fact]:
    """Why the patient is here today, as the encounter states it."""
    if encounter is None:
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
    return user_specialties(local_reference(chart.user), people, roles, page.codes)


def _gaps(chart: Chart, older: set[str], tally: Tally) -> tuple[SourceGap, ...]:
    found = {*chart.gaps, *(gap(source, "unsupported version") for source in older)}
    found.update(gap(source, "incomplete") for source in tally.spoiled)
    return tuple(sorted(found, key=lambda each: (each.source, each.why)))
