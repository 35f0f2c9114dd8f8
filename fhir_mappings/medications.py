"""Prescriptions, dispenses and statements about medicines to facts, by ingredient."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.code_words import CONTRAST
from fhir_mappings.elements import (
    CodeableConcept,
    Period,
    Quantity,
    Unreadable,
    is_given,
    period_in,
    quantity_in,
)
from fhir_mappings.encounter_and_user import encounter_of
from fhir_mappings.fhir_records import (
    NOTHING,
    Medication,
    MedicationAdministration,
    MedicationDispense,
    MedicationRecord,
    MedicationRequest,
    MedicationStatement,
    Reference,
    type_name,
)
from fhir_mappings.lookup import Lookup
from fhir_mappings.page import Page, evidence_of
from fhir_mappings.partial_dates import days_in
from fhir_mappings.reasons import states_another_reason
from fhir_mappings.status_codes import OlderFhir
from rules.dates import DateInterval, within_days
from rules.facts import Fact, FactKind

# Status to (Fact.state, is the medicine being taken?). What was cancelled or never given was not taken.
_STATES: dict[type[MedicationRecord], dict[str, tuple[str, bool]]] = {
    MedicationRequest: {
        "active": ("ongoing", True),
        "on-hold": ("ongoing", False),
        "completed": ("done", False),
        "stopped": ("done", False),
        "draft": ("draft", False),
        "unknown": ("ongoing", True),
        "cancelled": ("not-done", False),
    },
    MedicationStatement: {
        "active": ("ongoing", True),
        "completed": ("done", False),
        "intended": ("planned", False),
        "stopped": ("done", False),
        "on-hold": ("ongoing", False),
        "unknown": ("ongoing", True),
        "not-taken": ("not-done", False),
    },
    MedicationDispense: {
        "completed": ("done", True),
        "in-progress": ("ongoing", True),
        "preparation": ("planned", False),
        "on-hold": ("planned", False),
        "stopped": ("done", False),
        "unknown": ("done", True),
        "cancelled": ("not-done", False),
        "declined": ("not-done", False),
    },
    MedicationAdministration: {
        "in-progress": ("ongoing", True),
        "completed": ("done", False),
        "stopped": ("done", False),
        "on-hold": ("ongoing", False),
        "unknown": ("done", False),
        "not-done": ("not-done", False),
    },
}
_MEDICATION = FactKind.MEDICATION
_USUAL_SUPPLY_DAYS = 90
_ONLY_PLANNED = frozenset({"proposal", "plan", "option"})


class _Dosage(Struct, frozen=True, gc=False):
    route: CodeableConcept | None = None
    timing: Timing | None = None


class Timing(Struct, frozen=True, gc=False):
    repeat: Repeat | None = None


class Repeat(Struct, frozen=True, gc=False, rename="camel"):
    bounds_period: Period | None = None
    bounds_duration: Quantity | None = None


class DispenseRequest(Struct, frozen=True, gc=False, rename="camel"):
    """How much a prescription is for. ``validity_period`` is when it may be dispensed, not how long it is taken."""

    validity_period: Period | None = None
    expected_supply_duration: Quantity | None = None
    number_of_repeats_allowed: int | None = None


_DOSAGES = msgspec.json.Decoder(list[_Dosage | None] | _Dosage | None)
_DISPENSE = msgspec.json.Decoder(DispenseRequest | None)
_DOSAGE_OF: dict[type[MedicationRecord], Callable[[Any], Raw]] = {
    MedicationRequest: attrgetter("dosage_instruction"),
    MedicationDispense: attrgetter("dosage_instruction"),
    MedicationStatement: attrgetter("dosage"),
    MedicationAdministration: attrgetter("dosage"),
}


class _Course(Struct, frozen=True, gc=False):
    """When a medicine was taken, as far as the record says."""

    began: DateInterval | None = None
    ended: DateInterval | None = None
    dated: str | None = None
    days: int | None = None


def medication_facts(record: MedicationRecord, groups: tuple[str, ...], page: Page) -> list[Fact]:
    """What one entry about a medicine says, once for each group that its ingredients belong to.

    ``groups`` are those of the code in the entry itself; they do not yet know by which way it is given.
    """
    stated = _stated(record)
    if stated is None:
        return []
    medicine = record.medication_codeable_concept
    if record.medication_reference is not None and not is_given(medicine):
        medicine = _referred_to(record, record.medication_reference, page)
        groups = page.codes.medicines.of(medicine)
    if not groups:
        return []
    dosages = _dosages(record)
    routes = _routes(dosages) if dosages else ""
    groups = page.codes.medicine_by_route(medicine, routes) if routes else groups
    if not groups:
        return []
    state, current = stated
    if isinstance(record, MedicationRequest):
        course, forbidden = _prescribed(record, dosages, page), record.do_not_perform is True
        if record.intent in _ONLY_PLANNED:
            state, current = "planned", False
    else:
        course, forbidden = _course(record, page), False
        current = current and _may_last(record, page)
    denied = forbidden or state == "not-done"
    if CONTRAST.issuperset(groups):
        return []
    named, marks = page.codes.memo.of(medicine), (record.status if not current else "", _who_says(record))
    evidence = evidence_of(record, named.says, course.dated, marks)
    encounter = encounter_of(record.encounter)
    another = states_another_reason(record.reason_code, record.reason_reference, record, page)
    facts: list[Fact] = []
    for concept in groups:
        if concept not in CONTRAST:
            fact = Fact(
                concept,
                _MEDICATION,
                evidence,
                not denied,
                False,
                current and not denied,
                course.began,
                course.ended,
                state=state,
                encounter=encounter,
                stated_other_indication=another,
                days_supplied=course.days,
            )
            facts.append(fact)
    return facts


def _stated(record: MedicationRecord) -> tuple[str, bool] | None:
    kind = type(record)
    if kind is MedicationStatement and is_older_statement(record):
        raise OlderFhir
    return _STATES[kind].get(record.status or "")


def is_older_statement(record: MedicationRecord) -> bool:
    """STU3 says ``taken``, DSTU2 ``wasNotTaken``."""
    return isinstance(record, MedicationStatement) and (record.taken is not None or record.was_not_taken is not None)


def _may_last(dispense: MedicationRecord, page: Page) -> bool:
    """Can what was handed over still be in use: its days of supply, else a usual supply of three months?"""
    if not isinstance(dispense, MedicationDispense):
        return True
    handed = page.past_day(dispense.when_handed_over or dispense.when_prepared)
    days = _whole_days(quantity_in(dispense.days_supply)) or _USUAL_SUPPLY_DAYS
    return handed is None or within_days(handed, page.as_of, days) is not False


def _who_says(record: MedicationRecord) -> str:
    reported = isinstance(record, MedicationStatement) or (
        isinstance(record, MedicationRequest) and record.reported_boolean is True
    )
    return "patient-reported" if reported else ""


def _referred_to(record: MedicationRecord, reference: Reference, page: Page) -> Raw:
    """The code of the Medication that the entry points to."""
    medication = page.lookup.find(reference.reference, within=record)
    if isinstance(medication, Medication):
        return medication.code
    page.tally.spoiled.add(type_name(record))  # which medicine it is cannot be told: not the same as none
    return NOTHING


def medicines_not_at_hand(records: Iterable[MedicationRecord], lookup: Lookup) -> tuple[str, ...]:
    """References to Medications that the call does not hold, in the order of the entries that use them."""
    return tuple(
        dict.fromkeys(
            target
            for record in records
            if record.medication_reference is not None and not is_given(record.medication_codeable_concept)
            if (target := record.medication_reference.reference) and not target.startswith("#")
            if lookup.find(target, within=record) is None
        )
    )


def _dosages(record: MedicationRecord) -> list[_Dosage | None]:
    raw = _DOSAGE_OF[type(record)](record)
    if raw is NOTHING:
        return []
    try:
        found = _DOSAGES.decode(raw)
    except msgspec.DecodeError:
        raise Unreadable from None
    return [found] if isinstance(found, _Dosage) else found or []


def _routes(dosages: list[_Dosage | None]) -> str:
    routes = ""
    for dosage in dosages:
        if dosage is not None and dosage.route is not None:
            routes = f"{routes} {dosage.route.words}" if routes else dosage.route.words
    return routes


def _course(record: MedicationRecord, page: Page) -> _Course:
    if isinstance(record, MedicationDispense):
        handed = record.when_handed_over or record.when_prepared
        return _Course(page.past_day(handed), None, handed, _whole_days(quantity_in(record.days_supply)))
    if isinstance(record, (MedicationStatement, MedicationAdministration)):
        if record.effective_date_time:
            return _Course(page.past_day(record.effective_date_time), None, record.effective_date_time)
        period = period_in(record.effective_period)
        if period is not None:
            return _Course(page.past_day(period.start), page.day(period.end), period.start or period.end)
    return _Course()


def _prescribed(request: MedicationRequest, dosages: list[_Dosage | None], page: Page) -> _Course:
    began, ended, days = page.past_day(request.authored_on), None, _supplied_days(request)
    dated = request.authored_on
    for dosage in dosages:
        repeat = dosage.timing.repeat if dosage is not None and dosage.timing is not None else None
        if repeat is None:
            continue
        if repeat.bounds_period is not None:
            began = page.day(repeat.bounds_period.start) or began
            ended = page.day(repeat.bounds_period.end) or ended
        days = days or _whole_days(repeat.bounds_duration)
    return _Course(began, ended, dated, days)


def _supplied_days(request: MedicationRequest) -> int | None:
    """Days of supply, refills included: a prescription with refills is meant to be taken that long."""
    if request.dispense_request is NOTHING:
        return None
    try:
        dispense = _DISPENSE.decode(request.dispense_request)
    except msgspec.DecodeError:
        raise Unreadable from None
    if dispense is None:
        return None
    days = _whole_days(dispense.expected_supply_duration)
    repeats = dispense.number_of_repeats_allowed
    return days if days is None or not repeats or repeats < 0 else days * (1 + min(repeats, 99))


def _whole_days(duration: Quantity | None) -> int | None:
    days = None if duration is None else days_in(duration.value, duration.code or duration.unit or "d")
    return None if days is None else round(days)
