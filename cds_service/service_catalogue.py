"""The services on offer: what discovery says, and which part of the chart each call should bring along.

Templates use only what CDS Hooks allows in a prefetch query (instance read, type search, reference, token and date
parameters, _count, _sort; nothing twice), and only the context tokens that every client fills in. There is one for each
part of the record that a rule reads, bounded, newest first where that is what a rule wants.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

SPEC_VERSION = "2.0.0"  # of CDS Hooks; the answers are valid under the 3.0 ballot too


class Template(Struct, frozen=True):
    """One part of the chart: its prefetch key, the query, and the resource type that answers it."""

    key: str
    query: str
    resource_type: str


class Service(Struct, frozen=True):
    """One CDS service, bound to one hook."""

    id: str
    hook: str
    title: str
    description: str


def _search(resource_type: str, filters: str, count: int, sort: str = "") -> str:
    ordered = f"&_sort={sort}" if sort else ""
    return f"{resource_type}?patient={{{{context.patientId}}}}{filters}{ordered}&_count={count}"


TEMPLATES: tuple[Template, ...] = (
    Template("patient", "Patient/{{context.patientId}}", "Patient"),
    Template("conditions", _search("Condition", "", 250), "Condition"),
    # Categories of http://terminology.hl7.org/CodeSystem/observation-category: servers must support patient + category.
    Template("examination", _search("Observation", "&category=exam", 150, "-date"), "Observation"),
    Template("vitalSigns", _search("Observation", "&category=vital-signs", 200, "-date"), "Observation"),
    Template("laboratory", _search("Observation", "&category=laboratory", 150, "-date"), "Observation"),
    Template("surveys", _search("Observation", "&category=survey", 100, "-date"), "Observation"),
    Template("socialHistory", _search("Observation", "&category=social-history", 50, "-date"), "Observation"),
    Template("procedures", _search("Procedure", "", 150, "-date"), "Procedure"),
    Template("medications", _search("MedicationRequest", "", 250, "-authoredon"), "MedicationRequest"),
    Template("serviceRequests", _search("ServiceRequest", "", 100, "-authored"), "ServiceRequest"),
    # Radiology: LP29684-5 in US Core's "DiagnosticReport Category Codes", RAD in HL7's diagnostic service sections.
    Template("imagingReports", _search("DiagnosticReport", "&category=LP29684-5,RAD", 50, "-date"), "DiagnosticReport"),
    Template("devices", _search("Device", "", 50), "Device"),
    Template("allergies", _search("AllergyIntolerance", "", 100), "AllergyIntolerance"),
    Template("encounter", "Encounter/{{context.encounterId}}", "Encounter"),
    Template("userRole", "PractitionerRole?practitioner={{userPractitionerId}}&_count=20", "PractitionerRole"),
)

USAGE_REQUIREMENTS = (
    "FHIR R4 (4.0.1). Needs context.patientId and context.draftOrders. Without the Patient resource nothing can be "
    "decided (412); any other part of the record that is missing is named on the card. Advice for adults; emergencies "
    "are named at any age."
)

ORDER_SELECT = Service(
    id="lumbar-imaging-order-select",
    hook="order-select",
    title="Lumbar imaging: advice while the order is chosen",
    description=(
        "Rates a lumbar spine imaging order against the ACR Appropriateness Criteria, with ACP and NICE beside it; "
        "says which facts of the record decided, what was presumed, what would change the advice, and which study or "
        "plan fits better. It advises; it never diagnoses and never says that a patient is safe."
    ),
)
ORDER_SIGN = Service(
    id="lumbar-imaging-order-sign",
    hook="order-sign",
    title="Lumbar imaging: last check before the order is signed",
    description=(
        "The same advice for every lumbar imaging order that is about to be signed; by default it speaks up only where "
        "something should change."
    ),
)
SERVICES: tuple[Service, ...] = (ORDER_SELECT, ORDER_SIGN)
SERVICE_BY_ID: dict[str, Service] = {service.id: service for service in SERVICES}


def discovery_document(services: tuple[Service, ...] = SERVICES) -> bytes:
    """The answer of `GET /cds-services`."""
    prefetch = {template.key: template.query for template in TEMPLATES}
    return msgspec.json.encode(
        {
            "services": [
                {
                    "hook": service.hook,
                    "title": service.title,
                    "description": service.description,
                    "id": service.id,
                    "version": SPEC_VERSION,
                    "usageRequirements": USAGE_REQUIREMENTS,
                    "prefetch": prefetch,
                }
                for service in services
            ]
        }
    )


def expected_sources(encounter_named: bool, user_is_practitioner: bool) -> dict[str, str]:
    """Prefetch keys that this call should hold, with the resource type of each; the rest had no token to fill in."""
    expected = {template.key: template.resource_type for template in TEMPLATES}
    if not encounter_named:
        del expected["encounter"]
    if not user_is_practitioner:
        del expected["userRole"]
    return expected
