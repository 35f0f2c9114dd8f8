"""The clinicians of the pretend EHR: one for each kind of practice, none of them a person."""

from __future__ import annotations

from sandbox.stories.story import Resource
from sandbox.stories.vocabulary import concept

# Kind of practice: specialty, name on the screen.
PRACTICES = {
    "general-practice": ("family-medicine", "General Practice"),
    "emergency": ("emergency-medicine", "Emergency Department"),
    "orthopaedics": ("orthopaedic-surgery", "Orthopaedic Clinic"),
}


def practitioner_id(practice: str) -> str:
    """Who orders there."""
    return f"sandbox-{practice}"


def clinician(practice: str) -> tuple[Resource, Resource]:
    """The practitioner and the role in which that person works."""
    specialty, name = PRACTICES[practice]
    own = practitioner_id(practice)
    person: Resource = {
        "resourceType": "Practitioner",
        "id": own,
        "active": True,
        "name": [{"text": f"Sandbox Clinician, {name}", "family": "Clinician", "given": ["Sandbox"]}],
    }
    role: Resource = {
        "resourceType": "PractitionerRole",
        "id": f"{own}-role",
        "active": True,
        "practitioner": {"reference": f"Practitioner/{own}"},
        "specialty": [concept(specialty)],
    }
    return person, role
