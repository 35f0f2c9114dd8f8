"""What the records of a call refer to and the call does not hold."""

from __future__ import annotations

from typing import Any

from fhir_mappings.chart import Chart
from fhir_mappings.fhir_records import (
    MedicationAdministration,
    MedicationDispense,
    MedicationRecord,
    MedicationRequest,
    MedicationStatement,
    Practitioner,
    PractitionerRole,
)
from fhir_mappings.lookup import Lookup
from fhir_mappings.medications import medicines_not_at_hand
from fhir_mappings.references import local_reference

_ABOUT_MEDICINES = (MedicationRequest, MedicationStatement, MedicationDispense, MedicationAdministration)


def medicines_referred_to(chart: Chart) -> tuple[str, ...]:
    """Medications that prescriptions and statements name, newest entries first where the server sorted them so."""
    records: list[MedicationRecord] = [
        record
        for kind in _ABOUT_MEDICINES
        for record in chart.records.get(kind, ())
        if record.medication_reference is not None
    ]
    return medicines_not_at_hand(records, Lookup(chart.pages, chart.records)) if records else ()


def still_missing(chart: Chart, references: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these references that no record of the chart answers to."""
    if not references:
        return ()
    lookup = Lookup(chart.pages, chart.records)
    return tuple(each for each in references if lookup.find(each) is None)


def user_referred_to(chart: Chart) -> str:
    """The user, where neither the person nor a role of theirs came along."""
    user = local_reference(chart.user)
    kind = user.partition("/")[0]
    if kind not in ("Practitioner", "PractitionerRole"):
        return ""
    people: list[Any] = chart.records.get(Practitioner, [])
    roles: list[Any] = chart.records.get(PractitionerRole, [])
    known = {f"Practitioner/{each.id}" for each in people} | {f"PractitionerRole/{each.id}" for each in roles}
    known |= {local_reference(each.practitioner.reference) for each in roles if each.practitioner is not None}
    return "" if user in known else chart.user
