"""The resources that a call brings once: the patient, today's visit, and the role of the clinician who orders."""

from datetime import date

from bench.resources import LOCAL, SNOMED, TERMINOLOGY, US_CORE, ChartWriter, Json, coding, concept


def patient(chart: ChartWriter, age: int, sex: str) -> Json:
    """A US Core Patient with race, ethnicity, identifiers, contact data; nobody's."""
    birth = date(chart.today.year - age, 1, 15)  # the birthday has passed, or is today
    if chart.today < date(chart.today.year, 1, 15):
        birth = date(chart.today.year - age - 1, 1, 15)
    omb = "urn:oid:2.16.840.1.113883.6.238"  # CDC race and ethnicity, as in US Core's Patient examples
    return {
        **chart.head("Patient", "us-core-patient", 30, chart.patient_id),
        "text": chart.narrative("Name", "Example, Patient", "Sex", sex, "Born", birth.isoformat()),
        "extension": [
            {
                "url": f"{US_CORE}/us-core-race",
                "extension": [
                    {"url": "ombCategory", "valueCoding": coding(omb, "2028-9", "Asian")},
                    {"url": "text", "valueString": "Asian"},
                ],
            },
            {
                "url": f"{US_CORE}/us-core-ethnicity",
                "extension": [
                    {"url": "ombCategory", "valueCoding": coding(omb, "2186-5", "Not Hispanic or Latino")},
                    {"url": "text", "valueString": "Not Hispanic or Latino"},
                ],
            },
        ],
        "identifier": [
            {
                "use": "usual",
                "type": concept(
                    "Medical Record Number", coding(f"{TERMINOLOGY}/v2-0203", "MR", "Medical record number")
                ),
                "system": f"{LOCAL}.5.737384.14",
                "value": str(chart.number(100_000, 999_999)),
            }
        ],
        "active": True,
        "name": [{"use": "official", "text": "Patient Example", "family": "Example", "given": ["Patient"]}],
        "telecom": [{"system": "phone", "value": "555-555-0100", "use": "home"}],
        "gender": sex,
        "birthDate": birth.isoformat(),
        "deceasedBoolean": False,
        "address": [
            {"use": "home", "line": ["1 Example Street"], "city": "Example", "postalCode": "00000", "country": "US"}
        ],
        "communication": [{"language": {"coding": [coding("urn:ietf:bcp:47", "en", "English")], "text": "English"}}],
        "generalPractitioner": [chart.practitioner()],
        "managingOrganization": {"reference": f"Organization/{chart.new_id()}", "display": "Example Health"},
    }


def visit(chart: ChartWriter) -> Json:
    """Today's office visit in general practice."""
    return {
        **chart.head("Encounter", "us-core-encounter", 0, chart.encounter_id),
        "status": "in-progress",
        "class": coding(f"{TERMINOLOGY}/v3-ActCode", "AMB", "ambulatory"),
        "type": [concept("Office Visit", coding(f"{LOCAL}.10.698084.30", "101", "Office Visit"))],
        "serviceType": concept("General practice", coding(SNOMED, "394814009", "General practice (specialty)")),
        "subject": chart.subject(),
        "participant": [{"individual": chart.practitioner()}],
        "period": {"start": chart.instant(0)},
        "serviceProvider": {"reference": f"Organization/{chart.new_id()}", "display": "Example Health"},
    }


def role_of_user(chart: ChartWriter) -> Json:
    """The ordering clinician's role: family medicine."""
    return {
        **chart.head("PractitionerRole", "us-core-practitionerrole", 200),
        "active": True,
        "practitioner": chart.practitioner(),
        "specialty": [
            concept("Family Medicine", coding("http://nucc.org/provider-taxonomy", "207Q00000X", "Family Medicine"))
        ],
    }
