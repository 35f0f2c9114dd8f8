"""What is taken out of a text, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from audit_pages.people import Viewer
from audit_pages.withheld import Withheld, withheld_from
from audit_pages.words import Words
from audit_trail.packing import packed
from audit_trail.record import DecisionRecord
from tests.audit_trail.recorded import recorded
from tests.builders import a_draft, a_patient
from tests.hook_requests import a_request

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
QUALITY = Words(Viewer(who="q", name="q", role="quality", through="password"), lambda _, name: f"{len(name):012}", {})
AUDITOR = Words(Viewer(who="a", name="a", role="auditor", through="password"), lambda _, name: name, {})
PATIENT = {
    "resourceType": "Patient",
    "id": "p-1",
    "name": [{"family": "Ann", "given": ["Mary Lou"], "text": "Mary Lou Ann"}],
    "birthDate": "1961-02-03",
    "address": [{"line": ["12 Elm Street"], "city": "Springfield", "use": "home"}],
    "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:x", "value": "00-11-22"}],
    "contact": [{"name": {"family": "Nextofkin"}}],
}


def hidden(**more: Any) -> Withheld:
    request = {"prefetch": {"patient": PATIENT, **more}}
    record = DecisionRecord(
        decision="d", at=NOW, outcome="answered", status=200, service="s", client="c", user="Practitioner/dr-7",
        patient="p-1", encounter="e-9", request=packed(msgspec.json.encode(request)), request_kept="as it came",
    )  # fmt: skip
    return withheld_from(record, QUALITY)


@pytest.mark.parametrize(
    "text",
    [
        "Mary Lou Ann", "Ann was here", "call mary", "12 Elm Street", "lives in Springfield", "MRN 00-11-22",
        "born 1961-02-03",
        "tell Nextofkin", "encounter e-9",
    ],
)  # fmt: skip
def test_what_names_the_patient_is_taken_out(text: str):
    assert "[withheld]" in hidden().of(text)
    for word in ("Ann", "mary", "Elm", "Springfield", "00-11-22", "1961", "Nextofkin", "e-9"):
        assert word not in hidden().of(text).split()


@pytest.mark.parametrize("text", ["Annual check", "cannot be sure", "MR scan", "home exercise", "1961 mg"])
def test_words_that_only_hold_a_name_stay(text: str):
    assert hidden().of(text) == text


def test_people_become_pseudonyms():
    said = hidden().of("On 2026-11-25, Practitioner/dr-7 called. It was about Patient/p-1.")
    assert said == "On 2026-11-25, clinician-000000000017 called. It was about patient-000000000003."


def test_references_keep_their_type_alone():
    assert hidden().of("pain [Condition/abc-1] [ServiceRequest/x#reasonCode]") == "pain [Condition] [ServiceRequest]"


def test_a_clinician_who_is_only_named_in_a_reference_is_taken_out():
    entry = {"resourceType": "Condition", "id": "c", "recorder": {"reference": "Practitioner/9", "display": "Dr Who"}}
    assert hidden(conditions={"entry": [{"resource": entry}]}).of("told by Dr Who") == "told by [withheld]"


@pytest.mark.parametrize("member", ["requester", "performer", "author"])
def test_a_name_that_stands_without_a_reference_is_taken_out(member: str):
    entry = {"resourceType": "ServiceRequest", "id": "s", member: [{"display": "Dr Hyde"}]}
    assert hidden(orders={"entry": [{"resource": entry}]}).of("ordered by Hyde") == "ordered by [withheld]"


def test_text_that_nobody_understood_is_left_out_whole():
    call = a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=NOW.date()))
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    order["reasonCode"] = [{"text": "seen with her sister Gwendolyn Farnsworth who is worried"}]
    record = recorded(call, now=NOW)
    said = withheld_from(record, QUALITY).of("Not read: “seen with her sister Gwendolyn Farnsworth who…”. And more.")
    assert "Gwendolyn" not in said
    assert said.endswith("And more.")


def test_an_auditor_reads_everything():
    record = recorded(a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=NOW.date())), now=NOW)
    text = "Patient/pat-1 and Condition/1"
    assert withheld_from(record, AUDITOR).of(text) == text
