"""The source attributes are those of the rule, and what they say is what the rules do."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import msgspec
import pytest

from audit_pages import dsi
from cds_service.service_catalogue import SERVICES, TEMPLATES
from rules.concepts import CONCEPTS
from rules.findings.questions import QUESTIONS
from rules.parameters import Parameters
from tests.builders import a_draft, a_patient
from tests.case_reader import Case, read_cases
from tests.clinic import ask, usual_tools
from tests.hook_requests import a_request

TODAY = date(2026, 11, 25)
SOURCES = dsi.DsiSources(
    version="0.1.0",
    services=tuple((each.id, each.hook, each.title) for each in SERVICES),
    prefetch=tuple((each.key, each.query, each.resource_type) for each in TEMPLATES),
    guidelines=usual_tools().guidelines.on(TODAY),
    terminology=usual_tools().terminology.version,
    on=TODAY,
)
UNUSED = ("(iv)(A)(5)", "(iv)(A)(6)", "(iv)(A)(7)", "(iv)(A)(8)", "(iv)(A)(9)", "(iv)(A)(12)")


def said(paragraph: str) -> str:
    return " ".join(next(each.value for each in dsi.attributes(SOURCES) if each.paragraph == paragraph))


def test_all_thirteen_attributes_of_the_rule_are_there_in_its_order():
    assert [each.paragraph for each in dsi.attributes(SOURCES)] == [f"(iv)(A)({number})" for number in range(1, 14)]
    assert all(each.value for each in dsi.attributes(SOURCES))


def test_every_edition_in_force_is_cited_with_its_dates():
    for info in (SOURCES.guidelines.acr.info, SOURCES.guidelines.acp, SOURCES.guidelines.nice):
        assert info.title in said("(iv)(A)(1)")
        assert info.effective_from.isoformat() in said("(iv)(A)(4)")


def test_every_source_that_a_row_names_is_cited():
    for row in SOURCES.guidelines.safety_rows:
        for source in row.cites:
            assert source in said("(iv)(A)(1)") or source.startswith("our choice")


def test_every_number_in_force_is_listed_with_its_source():
    listed = {each["name"]: each for each in dsi.parameters(SOURCES)}
    assert set(listed) == set(Parameters.__struct_fields__)
    assert all(each["cites"] or each["ourChoice"] for each in listed.values())
    assert all(each["value"] == getattr(SOURCES.guidelines.parameters, name) for name, each in listed.items())
    assert not any(each["siteValue"] for each in listed.values())


def test_a_value_of_the_sites_own_is_shown_as_such():
    changed = msgspec.structs.replace(SOURCES.guidelines.parameters, fever_celsius=37.8)
    of_site = msgspec.structs.replace(
        SOURCES, guidelines=msgspec.structs.replace(SOURCES.guidelines, parameters=changed)
    )
    assert [each["name"] for each in dsi.parameters(of_site) if each["siteValue"]] == ["fever_celsius"]


def test_every_question_is_listed():
    assert [each["name"] for each in dsi.questions()] == list(QUESTIONS)


def test_a_code_list_that_was_left_out_is_a_known_limit():
    without = msgspec.structs.replace(SOURCES, not_recognised=("9 codes of CPT",))
    assert any("9 codes of CPT" in each for each in dsi.limits(without))


EXTENSIONS = [
    # US Core, StructureDefinition us-core-race, us-core-ethnicity, us-core-birthsex, us-core-genderIdentity.
    {
        "url": f"http://hl7.org/fhir/us/core/StructureDefinition/us-core-{name}",
        "extension": [{"url": "text", "valueString": "anything"}],
    }
    for name in ("race", "ethnicity", "genderIdentity", "sexual-orientation")
]


def asked(case: Case, **more: Any) -> str:
    request = json.loads(json.dumps(case.request))
    patient = (request.get("prefetch") or {}).get("patient")
    if isinstance(patient, dict) and patient.get("resourceType") == "Patient":
        patient.update(more)
    return without_ids(ask(request, as_of=case.as_of).body)


def without_ids(body: Any) -> str:
    """Ids derive from the body of the call, and differ with it; everything else must be the same."""
    text = json.dumps(body)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "id", text)


@pytest.mark.parametrize(
    "case", [each for each in read_cases(as_of=TODAY) if not each.settings][::45], ids=lambda each: each.name
)
def test_race_ethnicity_language_orientation_and_identity_change_nothing(case: Case):
    plain = asked(case)
    told = asked(
        case,
        extension=EXTENSIONS,
        communication=[{"language": {"text": "any"}, "preferred": True}],
        maritalStatus={"text": "any"},
    )
    assert told == plain


def test_what_is_said_not_to_be_used_has_no_concept():
    words = (
        "race",
        "ethnic",
        "language",
        "orientation",
        "identity",
        "housing",
        "income",
        "employment",
        "education",
        "food",
    )
    assert not [each for each in CONCEPTS if set(each.split("-")) & set(words)]
    assert all("Not used" in said(each) for each in UNUSED)


def test_what_is_said_to_be_used_is_used():
    assert "Is the patient pregnant?" in said("(iv)(A)(10)")
    for name in ("older age years", "adult age years", "cancer age years"):
        assert name in said("(iv)(A)(11)")
    assert "disability-score" in said("(iv)(A)(13)")


def test_sex_is_used_for_nothing_but_pregnancy():
    """Where pregnancy is out of the question, an answer does not depend on sex."""

    def of(sex: str) -> str:
        person = {**a_patient(as_of=TODAY), "gender": sex, "birthDate": "1950-01-01"}
        reply = ask(a_request([a_draft("ct-lumbar-without-contrast")], patient=person), as_of=TODAY)
        return without_ids(reply.body)

    assert of("female") == of("male")


def test_the_document_is_json_that_says_the_same():
    document = json.loads(msgspec.json.encode(dsi.document(SOURCES)))
    assert [each["attribute"] for each in document["sourceAttributes"]] == [
        each.attribute for each in dsi.attributes(SOURCES)
    ]
    assert document["intervention"]["version"] == "0.1.0"
    assert {each["key"] for each in document["fieldsUsed"]} == {each.key for each in TEMPLATES}
    assert document["regulation"]["cites"] == "45 CFR 170.315(b)(11)(iv)(A)"
