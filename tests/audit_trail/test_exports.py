"""Exports: valid R4 in the shapes of IHE BALP, JSON that holds everything, and a table that a spreadsheet can open."""

from __future__ import annotations

import base64
import csv
import io
import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.provenance import Provenance
from msgspec.structs import replace

from audit_trail.export_csv import COLUMNS, decision_as_rows, heading
from audit_trail.export_fhir import decision_as_fhir
from audit_trail.export_ndjson import decision_as_json
from audit_trail.fhir_parts import Here
from audit_trail.packing import packed, unpacked
from audit_trail.queries import Place, Stored
from audit_trail.record import AccessRecord, DecisionRecord, FeedbackItem
from audit_trail.story import Happened
from cds_service.service_catalogue import TEMPLATES
from sandbox.fhir_server import Behaviour, running
from sandbox.samples import samples
from tests.audit_trail.recorded import CALLER, NOON, recorded
from tests.cds_service.service_under_test import a_call
from tests.fhir_calls import TOKEN, everything, store_of, without
from tests.r4_rules import wrong_with

HERE = Here(
    "https://cds.example.org",
    "https://lumbar-imaging-cds.github.io/fhir",
    {template.key: template.query for template in TEMPLATES},
)
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
Json = dict[str, Any]


def a_sample(name: str) -> Json:
    text = samples()[name].filled(NOON.date(), lambda: "11111111-1111-4111-8111-111111111111")
    call: Json = json.loads(text)
    return call


def stored(record: DecisionRecord) -> Stored[DecisionRecord]:
    return Stored(Place("worker-1", 7), record)


@pytest.fixture(scope="module")
def fetched() -> DecisionRecord:
    """A call whose whole chart was read from the EHR's own server, and a search that was refused."""
    call = a_sample("six-weeks-of-therapy-and-planned-injection-mri")
    with running(store_of(call), Behaviour(tokens=frozenset({TOKEN}))) as ehr:
        stripped = without(call, ehr.base, everything)
        return recorded(stripped, caller=replace(CALLER, fhir_servers=frozenset({ehr.base})))


OVERRIDDEN = FeedbackItem(
    card="9368d37b-283f-44a0-93ea-547cebab93ed",
    outcome="overridden",
    reason_code="planned-procedure",
    comment="=HYPERLINK(1)",
    outcome_timestamp="2026-11-25T12:05:00Z",
)
ACCESS = AccessRecord(at=NOON + timedelta(hours=1), who="ada", role="auditor", through="web", action="show")


def resources(record: DecisionRecord) -> list[Json]:
    happened = [Happened(OVERRIDDEN, NOON + timedelta(minutes=6))]
    accesses = [Stored(Place("pages", 3), ACCESS)]
    return list(decision_as_fhir(stored(record), happened, accesses, HERE))


RECORDS: dict[str, DecisionRecord] = {
    "answered": recorded(a_sample("acute-low-back-pain-three-weeks-mri")),
    "an emergency": recorded(a_sample("saddle-numbness-and-retention-radiograph")),
    "left alone": recorded(a_sample("head-ct-stays-silent")),
    "refused": recorded({**a_call(), "prefetch": {}}),
    "no call at all": recorded(b"[]"),
    "a defect": replace(recorded(a_call()), outcome="failed", status=500, failure="KeyError"),
    "open mode": replace(recorded(a_call()), client="open", registered=False, issuer="", fhir_server="", user=""),
    "pruned": replace(recorded(a_call()), request=b"", details=b"", answer=b""),
}


def assert_valid(resource: Json) -> None:
    models: dict[str, Any] = {"AuditEvent": AuditEvent, "Provenance": Provenance}
    model = models[resource["resourceType"]]
    model.model_validate_json(json.dumps(resource))
    assert wrong_with(resource) == []
    assert "null" not in json.dumps(resource)
    assert not _empty(resource)
    for entity in resource.get("entity", ()):  # R4 sev-1: a name or a query, not both
        assert not {"name", "query"} <= entity.keys()


def _empty(value: Any) -> bool:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return not value or any(_empty(each) for each in inner)
    return value == ""


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_is_valid_r4(name: str) -> None:
    for resource in resources(RECORDS[name]):
        assert_valid(resource)


def test_what_was_fetched_is_valid_r4(fetched: DecisionRecord) -> None:
    assert sum(len(wave.answers) for wave in fetched.fetched) >= 10
    for resource in resources(fetched):
        assert_valid(resource)
        if resource["resourceType"] == "AuditEvent":
            assert_balp(resource)


@pytest.mark.parametrize("name", RECORDS)
def test_events_that_claim_a_balp_profile_have_its_shape(name: str) -> None:
    for resource in resources(RECORDS[name]):
        if resource["resourceType"] == "AuditEvent":
            assert_balp(resource)


# The constraints of the profiles, from IHE/ITI.BasicAudit, input/fsh: interaction, action, client and server by the
# code of their role, who the user is, what the entities are.
SOURCE, DESTINATION = "110153", "110152"
SHAPES = {
    "Create": ({"create"}, "C", SOURCE, DESTINATION, {"AUT", "INF", "CST"}, {"3", "4", "20"}),
    "Read": ({"read", "vread"}, "R", DESTINATION, SOURCE, {"IRCP"}, {"3", "4", "20"}),
    "Query": ({"search", "search-type", "search-system"}, "E", SOURCE, DESTINATION, {"IRCP"}, {"24"}),
}


def assert_balp(event: Json) -> None:
    profiles = event.get("meta", {}).get("profile", [])
    if not profiles:
        assert event["outcome"] != "0"
        return
    name = profiles[0].removeprefix(BALP)
    of_patient = name.startswith("Patient")
    interactions, action, client, server, users, data_roles = SHAPES[name.removeprefix("Patient")]
    assert (event["type"]["system"], event["type"]["code"]) == (TERMINOLOGY + "audit-event-type", "rest")
    assert {each["code"] for each in event["subtype"]} & interactions
    assert {each["system"] for each in event["subtype"]} == {"http://hl7.org/fhir/restful-interaction"}
    assert (event["action"], event["outcome"]) == (action, "0")
    agents = {agent["type"]["coding"][0]["code"]: agent for agent in event["agent"]}
    for role in (client, server):
        assert agents[role]["type"]["coding"][0]["system"] == DCM
        assert agents[role]["who"]
        assert agents[role]["network"]["address"]
        assert agents[role]["requestor"] is False
    people = [agent for code, agent in agents.items() if code in users]
    assert len(people) == len(event["agent"]) - 2 <= 1
    for person in people:
        assert person["requestor"] is True
        assert person["who"]
        assert "network" not in person
    objects = [each for each in event["entity"] if each["type"]["system"] == TERMINOLOGY + "audit-entity-type"]
    (data,) = [each for each in objects if each["type"]["code"] == "2"]
    assert data["role"]["code"] in data_roles
    assert ("query" in data) == (name.endswith("Query"))
    assert ("what" in data) == (not name.endswith("Query"))
    patients = [each for each in objects if each["type"]["code"] == "1"]
    assert len(patients) == int(of_patient)
    for patient in patients:
        assert patient["role"]["code"] == "1"
        assert "Patient/" in patient["what"]["reference"]


def test_the_shapes_are_those_of_what_happened(fetched: DecisionRecord) -> None:
    found = [each["meta"]["profile"][0].removeprefix(BALP) for each in resources(fetched) if "meta" in each]
    assert found[0] == "PatientCreate"
    assert set(found[1:-2]) == {"PatientQuery", "PatientRead"}
    assert found[-2:] == ["PatientCreate", "PatientRead"]


def test_a_query_is_told_as_it_was_asked(fetched: DecisionRecord) -> None:
    queries = {
        entity["description"]: base64.b64decode(entity["query"]).decode()
        for event in resources(fetched)
        for entity in event.get("entity", ())
        if "query" in entity
    }
    patient = fetched.patient
    assert queries["conditions"] == f"Condition?patient={patient}&_count=250"
    assert not any("{{" in query for query in queries.values())
    reads = [
        entity["what"]["reference"]
        for event in resources(fetched)
        if event.get("subtype", [{}])[0].get("code") == "read"
        for entity in event["entity"]
        if entity["type"]["code"] == "2" and "reference" in entity["what"]
    ]
    assert f"{fetched.fhir_server}/Patient/{patient}" in reads


def test_the_provenance_names_every_entry_that_was_counted_and_the_contents() -> None:
    record = RECORDS["an emergency"]
    (provenance,) = [each for each in resources(record) if each["resourceType"] == "Provenance"]
    referred = {each["what"].get("reference", "") for each in provenance["entity"]}
    advice = msgspec.json.decode(unpacked(record.details))["advice"][0]
    for evidence in advice["findings"]["cauda_equina"]["because"]:
        assert any(f"/{evidence['reference']}" in each for each in referred)
    assert not any("#" in each for each in referred)
    contents = {each["what"]["identifier"]["value"] for each in provenance["entity"] if "identifier" in each["what"]}
    versions = record.versions
    assert contents == {versions.rules, versions.terminology, versions.wording, versions.settings}
    assert provenance["agent"][0]["who"]["display"] == f"lumbar-imaging-cds {versions.software}"
    assert provenance["agent"][1]["who"]["reference"].endswith(record.user)


def test_ids_of_events_stay_the_same_and_no_two_share_one(fetched: DecisionRecord) -> None:
    ids = [each["id"] for each in resources(fetched)]
    assert ids == [each["id"] for each in resources(fetched)]
    assert len(set(ids)) == len(ids)


# --- JSON and CSV -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDS)
def test_a_line_of_json_holds_the_whole_record(name: str) -> None:
    record = RECORDS[name]
    line = decision_as_json(record, "worker-1-7", [Happened(OVERRIDDEN, NOON)])
    assert b"\n" not in line
    whole = json.loads(line)
    assert whole["record"] == "worker-1-7"
    for member, content in (("request", record.request), ("answer", record.answer), ("details", record.details)):
        assert (member in whole) == bool(content)
        if content:
            assert whole[member] == json.loads(unpacked(content))
    assert whole["feedback"][0]["comment"] == "=HYPERLINK(1)"
    assert whole["outcome"] == record.outcome


def test_what_was_fetched_is_json_inside_the_line(fetched: DecisionRecord) -> None:
    whole = json.loads(decision_as_json(fetched, "worker-1-7"))
    pages = [page for wave in whole["fetched"] for answer in wave["answers"] for page in answer.get("pages", ())]
    assert len(pages) >= 10
    assert all(page["resourceType"] for page in pages)
    assert TOKEN not in json.dumps(whole)


def test_damaged_content_is_said_to_be_damaged_and_text_stays_text() -> None:
    record = replace(RECORDS["answered"], details=b"damaged", answer=packed(b"no json\x00\xff"))
    whole = json.loads(decision_as_json(record, "worker-1-7"))
    assert whole["details"] == {"damaged": True}
    assert whole["answer"].startswith("no json")


def rows(record: DecisionRecord, *happened: Happened) -> list[dict[str, str]]:
    text = heading() + "".join(decision_as_rows(record, "worker-1-7", happened))
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("name", RECORDS)
def test_every_call_has_a_line_with_every_column(name: str) -> None:
    record = RECORDS[name]
    found = rows(record)
    assert len(found) == max(1, len(record.orders))
    for row in found:
        assert tuple(row) == COLUMNS
        assert (row["record"], row["decision"], row["outcome"]) == ("worker-1-7", record.decision, record.outcome)
        assert None not in row.values()


def test_the_last_outcome_of_a_card_stands_on_the_line_of_its_order() -> None:
    record = RECORDS["answered"]
    item = replace(OVERRIDDEN, card=record.cards[0].uuid)
    accepted = replace(item, outcome="accepted", outcome_timestamp="2026-11-25T11:00:00Z", reason_code="", comment="")
    (row,) = rows(record, Happened(item, NOON + timedelta(minutes=6)), Happened(accepted, NOON + timedelta(hours=5)))
    assert (row["feedback"], row["reason_code"], row["feedback_at"]) == (
        "overridden",
        "planned-procedure",
        "2026-11-25T12:05:00+00:00",
    )
    assert row["indicator"] == "warning"
    assert row["summary"].startswith("Check red flags")
    assert row["rating"] == "not-appropriate"


def test_no_cell_is_a_formula() -> None:
    record = replace(RECORDS["answered"], user="@SUM(A1)", client="+1", tenant="-2")
    item = replace(OVERRIDDEN, card=record.cards[0].uuid)
    (row,) = rows(record, Happened(item, NOON))
    assert (row["comment"], row["user"], row["client"], row["tenant"]) == ("'=HYPERLINK(1)", "'@SUM(A1)", "'+1", "'-2")
