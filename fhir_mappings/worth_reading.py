"""Which records are worth reading: a chart holds hundreds, and a rule asks for a few. One look-up for each.

What is passed over is counted where its code is in no table, a text once for each way of writing it. Each record that
is kept comes with what its code says.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from fhir_mappings.codes import CodeReading
from fhir_mappings.conditions import is_older_fhir, named_at_this_visit
from fhir_mappings.elements import Unreadable
from fhir_mappings.fhir_records import (
    NOTHING,
    AboutPatient,
    Condition,
    MedicationRecord,
    MedicationStatement,
    Observation,
    Procedure,
    ServiceRequest,
)
from fhir_mappings.medications import is_older_statement
from fhir_mappings.named_by_value import value_may_speak
from fhir_mappings.observation_values import component_names
from fhir_mappings.page import Page
from fhir_mappings.procedures_done import is_older_procedure

R = TypeVar("R", bound=AboutPatient)
M = TypeVar("M", bound=MedicationRecord)

# Longest look-back for temperature and weight: weight loss within a year (rules/parameters.toml), and a margin.
_VITAL_SIGNS_KEPT = timedelta(days=550)


def everything(several: list[R], _: Page) -> list[tuple[R, None]]:
    """Records of which there are few: the reader looks at the code itself."""
    return [(record, None) for record in several]


def observations_worth_reading(observations: list[Observation], page: Page) -> list[tuple[Observation, CodeReading]]:
    """Observations whose code means something to a rule, and panels; the many others cost one look-up each.

    Old vital signs, often hundreds, are left out: no rule looks further back than a year and a half.
    """
    oldest = (page.as_of - _VITAL_SIGNS_KEPT).isoformat()
    get, read = page.codes.findings.get, page.codes.findings.of
    kept: list[tuple[Observation, CodeReading]] = []
    pass_over, texts = page.tally.unmapped.add, set[bytes]()
    for observation in observations:
        reading = get(b"" + observation.code) or read(observation.code)  # as bytes(), in half the time
        if (
            reading.clutter
            and observation.component is NOTHING
            and observation.value_codeable_concept is NOTHING
            and observation.value_string is NOTHING
        ):
            pass_over(reading.unmapped)
        elif not reading.silent:
            stamp = observation.effective_date_time
            if not reading.ages or stamp is None or stamp >= oldest or observation.component is not NOTHING:
                kept.append((observation, reading))
        elif reading.red_flag_stem and observation.value_quantity is NOTHING:
            kept.append((observation, reading))  # a name that is not understood, with a result that may answer yes
        elif (
            observation.value_codeable_concept is not NOTHING
            or observation.value_string is not NOTHING
            or observation.component is not NOTHING
        ) and _speaks_otherwise(reading.says, observation, page):
            kept.append((observation, reading))
        elif reading.unmapped:
            pass_over(reading.unmapped)
        elif reading.unread:
            texts.add(b"" + observation.code)
    page.tally.unread_texts += len(texts)
    return kept


def of_known_medicines(several: list[M], page: Page) -> list[tuple[M, tuple[str, ...]]]:
    """Entries about a medicine that a rule reads, with its groups, and those whose medicine stands elsewhere."""
    get, read = page.codes.medicines.get, page.codes.medicines.of
    statements = type(several[0]) is MedicationStatement
    kept: list[tuple[M, tuple[str, ...]]] = []
    for record in several:
        medicine = record.medication_codeable_concept
        found = get(b"" + medicine)
        if found is None:
            found = read(medicine)
        if found or record.medication_reference is not None or (statements and is_older_statement(record)):
            kept.append((record, found))
    return kept


def problems_worth_reading(conditions: list[Condition], page: Page) -> list[tuple[Condition, CodeReading]]:
    """Problems of the rules, unread ones that may matter or are of this visit, and those of an older FHIR version."""
    get, read = page.codes.memo.get, page.codes.memo.of
    visit = page.encounter_id
    kept: list[tuple[Condition, CodeReading]] = []
    pass_over, texts = page.tally.unmapped.add, set[bytes]()
    for condition in conditions:
        reading, here = get(b"" + condition.code) or read(condition.code), condition.encounter
        if (
            not reading.silent
            or reading.may_matter
            or is_older_fhir(condition)
            or (visit and here is not None and visit in (here.reference or "") and named_at_this_visit(condition, page))
        ):
            kept.append((condition, reading))
        elif reading.unmapped:
            pass_over(reading.unmapped)
        elif reading.unread:
            texts.add(b"" + condition.code)
    page.tally.unread_texts += len(texts)
    return kept


def _speaks_otherwise(name: str, observation: Observation, page: Page) -> bool:
    """Is a result whose name tells nothing worth reading for its value, or for what is inside it?

    A component that cannot be decoded is left to the reader to count.
    """
    codes = page.codes
    if observation.value_codeable_concept is not NOTHING or observation.value_string is not NOTHING:
        if value_may_speak(name, observation, codes):
            return True
    if observation.component is NOTHING:
        return False
    get, read = codes.findings.get, codes.findings.of
    try:
        parts = component_names(observation.component)
    except Unreadable:
        return True
    for part in parts:
        if part is None:
            continue
        reading = get(b"" + part.code) or read(part.code)
        if not reading.silent or reading.red_flag_stem:
            return True
        if part.value_codeable_concept is not NOTHING or part.value_string is not NOTHING:
            if value_may_speak(reading.says, part, codes):
                return True
    return False


def procedures_worth_reading(procedures: list[Procedure], page: Page) -> list[tuple[Procedure, CodeReading]]:
    """Procedures whose code means something to a rule, and those of an older FHIR version."""
    return _coded_with_meaning(procedures, page, also=is_older_procedure)


def requests_worth_reading(requests: list[ServiceRequest], page: Page) -> list[tuple[ServiceRequest, CodeReading]]:
    """Earlier orders whose code, or whose performer, means something to a rule."""
    if page.draft_ids:
        requests = [each for each in requests if each.id is None or each.id not in page.draft_ids]
    return _coded_with_meaning(requests, page, also=_has_performer_type)


def _has_performer_type(request: ServiceRequest) -> bool:
    return request.performer_type is not NOTHING


def _coded_with_meaning(several: list[R], page: Page, also: Callable[[R], bool]) -> list[tuple[R, CodeReading]]:
    get, read = page.codes.memo.get, page.codes.memo.of
    kept: list[tuple[R, CodeReading]] = []
    pass_over, texts = page.tally.unmapped.add, set[bytes]()
    for record in several:
        reading = get(b"" + record.code) or read(record.code)
        if not reading.silent or also(record):
            kept.append((record, reading))
        elif reading.unmapped:
            pass_over(reading.unmapped)
        elif reading.unread:
            texts.add(b"" + record.code)
    page.tally.unread_texts += len(texts)
    return kept
