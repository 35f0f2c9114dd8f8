"""Our terminology as FHIR: valid R4, versioned by content, nothing shown that a licence forbids."""

import re
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.conceptmap import ConceptMap
from fhir.resources.R4B.valueset import ValueSet

from fhir_mappings.served_terminology import CATALOGUE, KINDS, resource, resource_ids, search_set
from fhir_mappings.terminology import TerminologyOptions, load_terminology

TERMINOLOGY = load_terminology()
LEAN = load_terminology(TerminologyOptions(without_cpt=True, without_licensed_snomed=True))
CPT = "http://www.ama-assn.org/go/cpt"
MODELS: dict[str, Any] = {"CodeSystem": CodeSystem, "ValueSet": ValueSet, "ConceptMap": ConceptMap}
ALL = [(kind, name) for kind in KINDS for name in resource_ids(TERMINOLOGY, kind)]


def served(kind, name, terminology=TERMINOLOGY):
    found = resource(terminology, kind, name)
    assert found is not None
    return found


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_resource_is_valid_and_named_by_its_id(kind, name):
    found = served(kind, name)
    MODELS[kind].model_validate(found)
    assert (found["resourceType"], found["id"]) == (kind, name)
    assert found["url"] == f"https://lumbar-imaging-cds.github.io/fhir/{kind}/{name}"
    assert re.fullmatch(r"[0-9a-f]{12}", found["version"])
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", found["name"])
    assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_answers_with_every_resource(kind):
    for summary in (False, True):
        bundle = search_set(TERMINOLOGY, kind, summary=summary)
        Bundle.model_validate(bundle)
        assert bundle["total"] == len(resource_ids(TERMINOLOGY, kind)) == len(bundle["entry"])
    assert "compose" not in search_set(TERMINOLOGY, "ValueSet", summary=True)["entry"][0]["resource"]


def test_what_does_not_exist_is_not_served():
    assert resource(TERMINOLOGY, "ValueSet", "no-such-concept") is None
    assert resource(TERMINOLOGY, "Patient", "low-back-pain") is None
    assert search_set(TERMINOLOGY, "Patient") == {"resourceType": "Bundle", "type": "searchset", "total": 0}


def test_a_value_set_holds_the_codes_that_mean_its_concept():
    found = served("ValueSet", "low-back-pain")
    codes = {
        (include["system"], coded["code"])
        for include in found["compose"]["include"]
        for coded in include.get("concept", [])
    }
    rows = [row for row in TERMINOLOGY.rows if row.concept == "low-back-pain"]
    assert codes == {(row.system, row.code) for row in rows}
    filters = [include["filter"][0]["value"] for include in found["compose"]["include"] if "filter" in include]
    assert filters == [row.code for row in rows if row.descendants]


def test_a_value_set_holds_our_own_codes_too():
    include = served("ValueSet", "straight-leg-raise")["compose"]["include"][-1]
    assert include["system"] == TERMINOLOGY.own.url
    assert [coded["code"] for coded in include["concept"]] == ["slr-positive"]


def test_codes_that_state_absence_are_in_no_value_set_but_in_the_map():
    absent = [row for row in TERMINOLOGY.rows if row.absent and row.concept == "pregnancy"]
    assert absent
    listed = {
        coded["code"]
        for include in served("ValueSet", "pregnancy")["compose"]["include"]
        for coded in include.get("concept", [])
    }
    assert not listed & {row.code for row in absent}
    elements = {element["code"]: element for element in served("ConceptMap", "icd-10-cm")["group"][0]["element"]}
    assert elements["Z32.02"]["target"] == [
        {"code": "pregnancy", "equivalence": "disjoint", "comment": "states that it is absent"}
    ]


def test_the_code_system_publishes_value_types_and_an_example_for_every_code():
    found = served("CodeSystem", "lumbar-cds")
    concepts = {concept["code"]: concept for concept in found["concept"]}
    assert found["count"] == len(concepts) == len(TERMINOLOGY.own.codes)
    for concept in concepts.values():
        named = [prop["code"] for prop in concept["property"]]
        assert named.count("example") == 1
        assert concept["definition"]
    strength = concepts["mrc-knee-extension"]["property"]
    value_types = {prop["valueCode"] for prop in strength if prop["code"] == "value-type"}
    assert value_types == {"integer", "Quantity", "CodeableConcept", "string"}
    assert "$SYSTEM" not in str(found)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_displays_of_licensed_snomed_are_never_shown(kind, name):
    licensed = {row.code for row in TERMINOLOGY.rows if row.licence == "snomed-affiliate"}
    found = served(kind, name)
    includes = found.get("compose", {}).get("include", []) + found.get("group", [])
    for include in includes:
        for coded in include.get("concept", []) + include.get("element", []):
            assert "display" not in coded or coded["code"] not in licensed


def test_tables_that_were_left_out_are_not_served():
    assert "cpt" in resource_ids(TERMINOLOGY, "ConceptMap")
    assert "cpt" not in resource_ids(LEAN, "ConceptMap")
    for name in resource_ids(LEAN, "ValueSet"):
        assert CPT not in {include["system"] for include in served("ValueSet", name, LEAN)["compose"]["include"]}


def test_the_notices_of_a_licence_stand_beside_its_content():
    assert "CPT is copyright American Medical Association" in served("ValueSet", "xr-lumbar")["copyright"]
    assert "content from LOINC" in served("ConceptMap", "loinc")["copyright"]
    assert "CPT" not in served("ValueSet", "xr-lumbar", LEAN)["copyright"]
    assert "copyright" not in served("ConceptMap", "icd-10-cm")


def test_a_version_is_of_the_content_alone():
    again = load_terminology()
    assert [served(kind, name, again) for kind, name in ALL[:40]] == [served(kind, name) for kind, name in ALL[:40]]
    assert served("ValueSet", "xr-lumbar", LEAN)["version"] != served("ValueSet", "xr-lumbar")["version"]
    assert served("ValueSet", "claustrophobia", LEAN)["version"] == served("ValueSet", "claustrophobia")["version"]


def test_the_order_catalogue_of_a_site_is_served_as_a_map(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "system,code,display,concept,emit\n"
        "urn:site,1,MR L-SPINE,mri-lumbar-without-contrast,yes\n"
        "urn:site,2,XR,xr-lumbar,no\n"
    )
    site = load_terminology(TerminologyOptions(order_catalogues=(str(path),)))
    found = served("ConceptMap", CATALOGUE, site)
    ConceptMap.model_validate(found)
    first, second = found["group"][0]["element"]
    assert first["target"] == [
        {"code": "mri-lumbar-without-contrast", "equivalence": "equivalent", "comment": "carried by suggestions"}
    ]
    assert "comment" not in second["target"][0]
    assert "group" not in served("ConceptMap", CATALOGUE)
