"""Resources as an EHR's FHIR server writes them: US Core profiles, local codes beside standard ones, metadata.

The shape follows what large vendors' R4 servers return: ``meta`` with version and profile, the local flowsheet or
orderable code next to the standard one, references with display names, business identifiers, and a narrative on
problems, procedures, reports and orders. OIDs below 2.999 are reserved for examples (ITU-T X.660): no site owns them.
"""

import random
from datetime import date, timedelta
from typing import Any
from zlib import crc32

from bench.clutter_codes import ClutterCode

Json = dict[str, Any]

BASE = "https://ehr.example.org/fhir/R4"
LOCAL = "urn:oid:2.999.1.13"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CPT = "http://www.ama-assn.org/go/cpt"
UCUM = "http://unitsofmeasure.org"

_CATEGORY_NAMES = {
    "vital-signs": "Vital Signs",
    "laboratory": "Laboratory",
    "survey": "Survey",
    "social-history": "Social History",
    "exam": "Exam",
}


def coding(system: str, code: str, display: str) -> Json:
    """A Coding."""
    return {"system": system, "code": code, "display": display}


def concept(text: str, *codings: Json) -> Json:
    """A CodeableConcept whose text is what the clinician saw."""
    return {"coding": list(codings), "text": text}


class ChartWriter:
    """Writes one patient's resources; the same seed and day give the same bytes."""

    def __init__(self, seed: int, today: date, codings: int = 2) -> None:
        self._random = random.Random(seed)
        self._codings = codings
        self.today = today
        self.patient_id = self.new_id()
        self.encounter_id = self.new_id()
        self.practitioner_id = self.new_id()

    # --- small parts ---------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """A server-assigned id: a UUID."""
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(low, high)

    def choose(self, items: tuple[ClutterCode, ...]) -> ClutterCode:
        """One of the codes."""
        return self._random.choice(items)

    def day(self, days_ago: int) -> str:
        """An ISO date."""
        return (self.today - timedelta(days=days_ago)).isoformat()

    def instant(self, days_ago: int) -> str:
        """A date and time in UTC, in office hours."""
        return f"{self.day(days_ago)}T{self.number(13, 21):02}:{self.number(0, 59):02}:{self.number(0, 59):02}Z"

    def coded(self, code: ClutterCode) -> Json:
        """The standard code with the site's own codes beside it; ``codings`` counts them all."""
        locals_ = [
            # A site's flowsheet row or orderable has one number, whoever it is recorded for.
            coding(f"{LOCAL}.{10 + place}.768282", str(crc32(f"{place} {code.code}".encode())), code.display)
            for place in range(max(0, self._codings - 1))
        ]
        return concept(code.display, coding(code.system, code.code, code.display), *locals_)

    def subject(self) -> Json:
        """The patient as a reference."""
        return {"reference": f"Patient/{self.patient_id}"}

    def encounter(self, days_ago: int) -> Json:
        """The encounter in which something was recorded: today's, or an older one that prefetch did not bring along."""
        which = self.encounter_id if days_ago == 0 else self.new_id()
        return {"reference": f"Encounter/{which}", "display": "Office Visit"}

    def practitioner(self) -> Json:
        """Whoever recorded it, without a name."""
        return {"reference": f"Practitioner/{self.practitioner_id}", "display": "Clinician"}

    def identifier(self, arc: str) -> list[Json]:
        """A business identifier under the site's own OID arc."""
        return [{"use": "usual", "system": f"{LOCAL}.{arc}", "value": str(self.number(10**8, 10**9))}]

    def head(self, kind: str, profile: str, days_ago: int, ident: str = "") -> Json:
        """What every resource begins with."""
        return {
            "resourceType": kind,
            "id": ident or self.new_id(),
            "meta": {
                "versionId": str(self.number(1, 4)),
                "lastUpdated": self.instant(days_ago),
                "profile": [f"{US_CORE}/{profile}"],
            },
        }

    @staticmethod
    def narrative(*lines: str) -> Json:
        """A generated narrative, as servers add to problems, procedures, reports and orders."""
        rows = "".join(
            f"<tr><td>{label}</td><td>{text}</td></tr>" for label, text in zip(lines[::2], lines[1::2], strict=True)
        )
        return {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><table class="grid"><tbody>{rows}</tbody></table></div>',
        }

    # --- observations --------------------------------------------------------------------------------------------

    def observation(self, category: str, code: Json, days_ago: int, profile: str, **values: Any) -> Json:
        """An Observation of one category, with its value elements."""
        name = _CATEGORY_NAMES[category]
        return {
            **self.head("Observation", profile, days_ago),
            "status": "final",
            "category": [concept(name, coding(f"{TERMINOLOGY}/observation-category", category, name))],
            "code": code,
            "subject": self.subject(),
            "encounter": self.encounter(days_ago),
            "effectiveDateTime": self.instant(days_ago),
            "performer": [self.practitioner()],
            **values,
        }

    def quantity(self, code: ClutterCode) -> Json:
        """A result inside the code's usual range."""
        value = round(self._random.uniform(float(code.low), float(code.high)), code.decimals)
        number = int(value) if code.decimals == 0 else value
        return {"value": number, "unit": code.unit, "system": UCUM, "code": code.unit}

    def component(self, code: ClutterCode) -> Json:
        """One number of a panel."""
        return {"code": self.coded(code), "valueQuantity": self.quantity(code)}

    # --- everything else -----------------------------------------------------------------------------------------

    def condition(
        self, code: Json, days_ago: int, clinical: str = "active", category: str = "problem-list-item"
    ) -> Json:
        """A problem-list entry or an encounter diagnosis."""
        text = code["text"]
        label = "Problem List Item" if category == "problem-list-item" else "Encounter Diagnosis"
        condition = {
            **self.head("Condition", "us-core-condition-problems-health-concerns", days_ago),
            "text": self.narrative("Problem", text, "Status", clinical),
            "clinicalStatus": {
                "coding": [coding(f"{TERMINOLOGY}/condition-clinical", clinical, clinical.capitalize())]
            },
            "verificationStatus": {
                "coding": [coding(f"{TERMINOLOGY}/condition-ver-status", "confirmed", "Confirmed")],
            },
            "category": [concept(label, coding(f"{TERMINOLOGY}/condition-category", category, label))],
            "code": code,
            "subject": self.subject(),
            "encounter": self.encounter(days_ago),
            "onsetDateTime": self.day(days_ago),
            "recordedDate": self.day(days_ago),
            "recorder": self.practitioner(),
        }
        if clinical == "resolved":
            condition["abatementDateTime"] = self.day(max(0, days_ago - 20))
        return condition

    def medication(self, code: Json, days_ago: int, status: str = "active", reason: Json | None = None) -> Json:
        """A prescription with dosage and supply."""
        request = {
            **self.head("MedicationRequest", "us-core-medicationrequest", days_ago),
            "identifier": [
                {"use": "usual", "system": f"{LOCAL}.2.7.2.798268", "value": str(self.number(10**8, 10**9))}
            ],
            "status": status,
            "intent": "order",
            "reportedBoolean": False,
            "medicationCodeableConcept": code,
            "subject": self.subject(),
            "encounter": self.encounter(days_ago),
            "authoredOn": self.instant(days_ago),
            "requester": self.practitioner(),
            "dosageInstruction": [
                {
                    "text": "Take 1 tablet by mouth daily with food.",
                    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
                }
            ],
            "dispenseRequest": {
                "numberOfRepeatsAllowed": 1,
                "quantity": {"value": 30, "unit": "tablet"},
                "expectedSupplyDuration": {"value": 30, "unit": "Day", "system": UCUM, "code": "d"},
            },
        }
        if reason is not None:
            request["reasonCode"] = [reason]
        return request

    def procedure(self, code: Json, days_ago: int, status: str = "completed", reason: Json | None = None) -> Json:
        """Something that was done to or with the patient."""
        procedure = {
            **self.head("Procedure", "us-core-procedure", days_ago),
            "text": self.narrative("Procedure", code["text"], "Status", status, "Date", self.day(days_ago)),
            "identifier": [
                {"use": "usual", "system": f"{LOCAL}.2.7.2.696570", "value": str(self.number(10**7, 10**8))}
            ],
            "status": status,
            "code": code,
            "subject": self.subject(),
            "encounter": self.encounter(days_ago),
            "performedDateTime": self.instant(days_ago),
            "performer": [{"actor": self.practitioner()}],
        }
        if reason is not None:
            procedure["reasonCode"] = [reason]
        return procedure

    def service_request(self, code: Json, days_ago: int, status: str = "completed", reason: Json | None = None) -> Json:
        """An order or referral that was placed earlier."""
        request = {
            **self.head("ServiceRequest", "us-core-servicerequest", days_ago),
            "text": self.narrative("Order", code["text"], "Status", status),
            "identifier": [
                {"use": "usual", "system": f"{LOCAL}.2.7.3.798268", "value": str(self.number(10**8, 10**9))}
            ],
            "status": status,
            "intent": "order",
            "priority": "routine",
            "code": code,
            "subject": self.subject(),
            "encounter": self.encounter(days_ago),
            "authoredOn": self.instant(days_ago),
            "requester": self.practitioner(),
        }
        if reason is not None:
            request["reasonCode"] = [reason]
        return request

    def imaging_report(self, code: Json, days_ago: int, conclusion: str) -> Json:
        """A final radiology report whose text stays in the EHR; only the conclusion comes along."""
        when = self.instant(days_ago)
        return {
            **self.head("DiagnosticReport", "us-core-diagnosticreport-note", days_ago),
            "text": self.narrative("Study", code["text"], "Date", self.day(days_ago), "Conclusion", conclusion),
            "identifier": [
                {"use": "usual", "system": f"{LOCAL}.2.7.4.798268", "value": str(self.number(10**8, 10**9))}
            ],
            "basedOn": [{"reference": f"ServiceRequest/{self.new_id()}", "display": code["text"]}],
            "status": "final",
            "category": [concept("Radiology", coding(LOINC, "LP29684-5", "Radiology"))],
            "code": code,
            "subject": self.subject(),
            "encounter": self.encounter(days_ago),
            "effectiveDateTime": when,
            "issued": when,
            "resultsInterpreter": [self.practitioner()],
            "conclusion": conclusion,
            "presentedForm": [{"contentType": "text/html", "url": f"Binary/{self.new_id()}", "title": code["text"]}],
        }

    def allergy(self, code: Json, days_ago: int) -> Json:
        """An allergy with a reaction."""
        return {
            **self.head("AllergyIntolerance", "us-core-allergyintolerance", days_ago),
            "text": self.narrative("Allergen", code["text"], "Status", "active", "Reaction", "Rash"),
            "clinicalStatus": concept(
                "Active", coding(f"{TERMINOLOGY}/allergyintolerance-clinical", "active", "Active")
            ),
            "verificationStatus": concept(
                "Confirmed", coding(f"{TERMINOLOGY}/allergyintolerance-verification", "confirmed", "Confirmed")
            ),
            "type": "allergy",
            "criticality": "low",
            "code": code,
            "patient": self.subject(),
            "recordedDate": self.day(days_ago),
            "recorder": self.practitioner(),
            "reaction": [{"manifestation": [{"text": "Rash"}], "description": "Rash", "severity": "mild"}],
        }

    def device(self, code: Json) -> Json:
        """A device that the patient has."""
        return {
            **self.head("Device", "us-core-implantable-device", 900),
            "text": self.narrative("Device", code["text"], "Status", "active"),
            "status": "active",
            "deviceName": [{"name": code["text"], "type": "user-friendly-name"}],
            "type": code,
            "patient": self.subject(),
        }
