"""The parts of which R4 resources of a chart are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"


class UnreadableLine(ValueError):
    """A line of a chart that means nothing; the message says what was expected."""


class Chart(Struct, frozen=True):
    """Whose chart it is, and the words by which dates are found."""

    patient_id: str
    day: Callable[[str], str]
    encounter_id: str

    @property
    def subject(self) -> dict[str, Any]:
        """The reference to the patient."""
        return {"reference": f"Patient/{self.patient_id}"}


def coded(system: str, code: str, display: str) -> dict[str, Any]:
    """A CodeableConcept of HL7's own terminology."""
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code, "display": display}]}


def quantity(value: float, unit: str) -> dict[str, Any]:
    """A quantity in a UCUM unit."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}
