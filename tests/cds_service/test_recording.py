"""What is on record of each call, and what happens where a record cannot be kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from audit_trail.packing import unpacked
from audit_trail.record import (
    ContentRecord,
    DecisionRecord,
    Details,
    FeedbackRecord,
    details_of,
    encode,
)
from cds_service.app import create_app
from cds_service.chart_source import NOTHING_FETCHED, FetchRecord
from cds_service.collaborators import Collaborators
from cds_service.consultation import digest_of
from cds_service.errors import NotAuthenticated, TooManyCalls
from cds_service.settings import Settings
from cds_service.strangers import RECORDED_A_MINUTE, Strangers
from cds_service.trust import Caller, OpenTrust, RequestHeaders
from cds_service.versions import software_version
from sandbox.fhir_server import Behaviour, running
from tests.builders import a_condition, a_patient
from tests.cds_service.kept_records import KeptRecords, recorder_to
from tests.cds_service.service_under_test import SELECT, SIGN, a_call
from tests.clinic import usual_tools
from tests.fhir_calls import TOKEN, store_of, without

CALLER = Caller("st-anna", registered=True, issuer="https://ehr.example.org", token_id="t-1", tenant="north")
TODAY = datetime.now(UTC).date()
OVERRIDDEN = {"card": "c-1", "outcome": "overridden", "outcomeTimestamp": "2026-11-25T10:05:31Z"}


class TrustInOne(OpenTrust, frozen=True):
    """Everybody is this caller."""

    caller: Caller = CALLER

    def identify(self, headers: RequestHeaders, path: str) -> Caller:
        return self.caller


class TurnsAway(OpenTrust, frozen=True):
    """Knows who it is, and turns them away."""

    def identify(self, headers: RequestHeaders, path: str) -> Caller:
        raise TooManyCalls(3.0, "st-anna")


class KnowsNobody(OpenTrust, frozen=True):
    """No token counts, unless somebody says that they are the one."""

    def identify(self, headers: RequestHeaders, path: str) -> Caller:
        if headers.get("Accept") == "application/json":
            return CALLER
        raise NotAuthenticated("signature")


def service(
    kept: KeptRecords, caller: Caller = CALLER, tools: Collaborators | None = None, required: bool = False
) -> FlaskClient:
    trust = TrustInOne(frozenset(), caller=caller)
    recorder = recorder_to(kept, required=required)
    return create_app(Settings(max_body_mb=1), tools or usual_tools(), trust, recorder).test_client()


def count(client: FlaskClient, name: str) -> float:
    """The sum of a counter over its labels."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def recorded(call: Any, path: str = SELECT, caller: Caller = CALLER) -> tuple[Any, DecisionRecord]:
    """The answer to a call, and its record."""
    kept = KeptRecords()
    body = call if isinstance(call, bytes) else json.dumps(call).encode()
    answer = service(kept, caller).post(path, data=body, content_type="application/json")
    (record,) = kept.calls
    return answer, record


def request_of(record: DecisionRecord) -> Any:
    return json.loads(unpacked(record.request))


# --- answered ---------------------------------------------------------------------------------------------------------


def test_who_asked_about_whom_and_what_came_is_on_record() -> None:
    call = a_call(hookInstance="i-1", fhirServer="https://ehr.example.org/fhir")
    call["context"] |= {"encounterId": "e-1"}
    _, record = recorded(call)
    assert (record.outcome, record.status, record.service) == ("answered", 200, SELECT.rpartition("/")[2])
    assert (record.client, record.registered, record.profile) == ("st-anna", True, "cds-hooks-2.0")
    assert (record.issuer, record.token_id, record.tenant) == ("https://ehr.example.org", "t-1", "north")
    assert (record.user, record.patient) == (call["context"]["userId"], call["context"]["patientId"])
    assert (record.encounter, record.hook_instance, record.hook) == ("e-1", "i-1", "order-select")
    assert record.fhir_server == "https://ehr.example.org/fhir"
    assert request_of(record) == call
    assert record.request_kept == "as it came"
    body = json.dumps(call).encode()
    assert (record.request_bytes, record.body_digest) == (len(body), digest_of(body))


def test_what_was_decided_and_said_is_on_record_to_the_byte() -> None:
    answer, record = recorded(a_call())
    assert unpacked(record.answer) == answer.data
    said = answer.json["cards"][0]
    (card,) = record.cards
    assert (card.uuid, card.indicator, card.topic) == (said["uuid"], said["indicator"], said["source"]["topic"]["code"])
    assert [each.uuid for each in card.suggestions] == [each["uuid"] for each in said["suggestions"]]
    assert [each.label for each in card.suggestions] == [each["label"] for each in said["suggestions"]]
    (order,) = record.orders
    assert (order.procedure, order.situation, order.rating) == (
        "mri_lumbar_spine_without_iv_contrast",
        "not-appropriate",
        "not-appropriate",
    )
    assert order.reference == "ServiceRequest/" + a_call()["context"]["draftOrders"]["entry"][0]["resource"]["id"]
    assert order.row
    assert order.guideline == "acr"
    assert order.score
    assert order.presumed


def test_every_finding_with_its_evidence_and_what_was_searched_is_on_record() -> None:
    call = a_call()
    call["prefetch"]["conditions"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": a_condition("malignant-neoplasm (breast", id="c-7", onsetDateTime="2020-01-02")}],
    }
    del call["prefetch"]["procedures"]
    call["prefetch"]["laboratory"] = None
    _, record = recorded(call)
    findings = details_of(record)["advice"][0]["findings"]
    assert findings["cancer"]["answer"] == "yes"
    (evidence,) = [each for each in findings["cancer"]["because"] if each["reference"] == "Condition/c-7"]
    assert evidence["dated"] == "2020-01-02"
    assert findings["infection"]["presumed"] is True
    sources = {source.key: source for source in record.sources}
    assert (sources["conditions"].state, sources["conditions"].entries) == ("read", 1)
    assert sources["laboratory"].state == "known empty"
    assert "procedures" not in sources
    assert any(gap.startswith("Procedure: ") for gap in record.gaps)
    details = msgspec.json.decode(unpacked(record.details), type=Details)  # by the version that wrote it
    assert details.advice[0].findings.cancer.yes


def test_codes_that_are_not_known_are_on_record() -> None:
    call = a_call()
    strange = {"resourceType": "Condition", "id": "x", "subject": {"reference": "Patient/p"}}
    strange["subject"] = {"reference": f"Patient/{call['context']['patientId']}"}
    strange["code"] = {"coding": [{"system": "urn:site", "code": "what-is-it"}]}
    strange["clinicalStatus"] = {"coding": [{"code": "active"}]}
    call["prefetch"]["conditions"] = {"resourceType": "Bundle", "entry": [{"resource": strange}]}
    _, record = recorded(call)
    assert ("urn:site", "what-is-it") in record.unmapped_codes


def test_by_what_it_was_made_is_on_record_and_the_contents_before_it() -> None:
    kept = KeptRecords()
    client = service(kept)
    for _ in range(2):
        client.post(SELECT, json=a_call())
    contents = {record.digest: record for record in kept.records if isinstance(record, ContentRecord)}
    assert len(contents) == len([each for each in kept.records if isinstance(each, ContentRecord)]) == 4
    for record in kept.calls:
        assert record.editions == ("acr-low-back-pain-2021", *record.editions[1:])
        assert len(record.editions) == 3
        versions = record.versions
        assert versions.software == software_version()
        for name in ("rules", "terminology", "wording", "settings"):
            assert contents[getattr(versions, name)].name == name
            assert json.loads(unpacked(contents[getattr(versions, name)].content))
    assert isinstance(kept.records[0], ContentRecord)


def test_where_the_time_went_is_on_record() -> None:
    _, record = recorded(a_call())
    timings = record.timings
    assert timings.whole > 0
    assert min(timings.reading, timings.deciding, timings.cards) > 0
    assert timings.fetching == 0
    parts = timings.trust + timings.waiting + timings.reading + timings.deciding + timings.cards
    assert parts <= timings.whole + 0.01


def test_the_same_call_again_is_a_record_of_its_own_of_the_same_decision() -> None:
    kept = KeptRecords()
    client = service(kept)
    for _ in range(2):
        client.post(SELECT, json=a_call(hookInstance="again"))
    one, other = kept.calls
    assert one.decision == other.decision
    assert one.cards == other.cards


def test_what_was_fetched_is_on_record_as_it_came() -> None:
    call = a_call()
    call["prefetch"] |= {
        "conditions": {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": a_condition("malignant-neoplasm (breast", id="c-7")}],
        }
    }
    with running(store_of(call), Behaviour(tokens=frozenset({TOKEN}))) as ehr:
        stripped = without(call, ehr.base, lambda key: key == "conditions")
        caller = msgspec.structs.replace(CALLER, fhir_servers=frozenset({ehr.base}))
        _, record = recorded(stripped, caller=caller)
    answers = {answer.key: answer for wave in record.fetched for answer in wave.answers}
    conditions = answers["conditions"]
    (page,) = map(unpacked, conditions.pages)
    assert json.loads(page)["entry"][0]["resource"]["id"] == "c-7"
    assert conditions.state == "read"
    assert record.fetch_queries == len(answers)
    assert record.timings.fetching > 0
    assert {source.key for source in record.sources if source.fetched} >= {"conditions"}
    assert request_of(record)["fhirAuthorization"] is None
    assert record.request_kept == "without token"
    assert TOKEN.encode() not in encode(record)


def test_a_server_that_repeats_the_token_puts_none_on_record() -> None:
    call = a_call()
    told = {**a_condition("malignant-neoplasm (breast", id="c-7"), "note": [{"text": f"asked for with Bearer {TOKEN}"}]}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": told}]}
    call["prefetch"] |= {"conditions": bundle}
    with running(store_of(call), Behaviour(tokens=frozenset({TOKEN}))) as ehr:
        caller = msgspec.structs.replace(CALLER, fhir_servers=frozenset({ehr.base}))
        _, record = recorded(without(call, ehr.base, lambda key: key == "conditions"), caller=caller)
    pages = [unpacked(page) for wave in record.fetched for answer in wave.answers for page in answer.pages]
    assert any(b"asked for with Bearer removed" in page for page in pages)
    assert not any(TOKEN.encode() in page for page in pages)


def test_a_patient_who_cannot_be_had_is_on_record_with_what_was_asked() -> None:
    call = a_call()
    with running(store_of(call), Behaviour(tokens=frozenset({"another"}))) as ehr:
        stripped = without(call, ehr.base, lambda key: key == "patient")
        caller = msgspec.structs.replace(CALLER, fhir_servers=frozenset({ehr.base}))
        answer, record = recorded(stripped, caller=caller)
    assert answer.status_code == record.status == 412
    assert any(trouble.startswith("patient: HTTP") for trouble in record.fetch_troubles)
    assert record.patient == call["context"]["patientId"]


# --- left alone, failed -----------------------------------------------------------------------------------------------


def test_an_order_that_is_not_ours_is_on_record_with_its_request() -> None:
    call = a_call()
    call["context"]["draftOrders"]["entry"][0]["resource"]["code"] = {"text": "MRI knee left"}
    answer, record = recorded(call)
    assert answer.json == {"cards": []}
    assert (record.outcome, record.status, record.orders, record.details) == ("left alone", 200, (), b"")
    assert record.decision
    assert record.patient == call["context"]["patientId"]
    assert request_of(record) == call


FAILED = {
    "no JSON": (b'{"hook": ', 400, "MalformedBody", False),
    "no call": (b'{"hook": "order-select"}', 422, "UnusableRequest", False),
    "no patient": (json.dumps(a_call(prefetch={})).encode(), 412, "PatientUnavailable", True),
    "another patient": (
        json.dumps(a_call(prefetch={"patient": a_patient(as_of=TODAY, id="other")})).encode(),
        422,
        "AnotherPatient",
        True,
    ),
    "too large": (b'"' + b"x" * (1024 * 1024), 413, "BodyTooLarge", False),
}


@pytest.mark.parametrize("name", FAILED)
def test_a_call_that_fails_is_on_record_with_what_is_known_of_it(name: str) -> None:
    body, status, failure, patient_known = FAILED[name]
    answer, record = recorded(body)
    assert answer.status_code == record.status == status
    assert (record.outcome, record.failure) == ("failed", failure)
    assert unpacked(record.answer) == answer.data
    assert record.client == "st-anna"
    assert bool(record.patient) is patient_known
    if name != "too large":  # then it was not read
        assert unpacked(record.request) == body
        assert record.body_digest == digest_of(body)


def test_who_is_known_and_turned_away_is_on_record_by_name() -> None:
    kept = KeptRecords()
    app = create_app(Settings(), usual_tools(), TurnsAway(frozenset()), recorder_to(kept))
    assert app.test_client().post(SELECT, json=a_call()).status_code == 429
    (record,) = kept.calls
    assert (record.client, record.registered, record.request, record.failure) == ("st-anna", True, b"", "TooManyCalls")


class Broken:
    """A chart source with a bug in it."""

    def gather(self, call: object, caller: object, deadline: object, reasons: object = ()) -> Any:
        raise KeyError("Canary, 1950-01-01")

    def with_reasons(self, call: Any, caller: object, deadline: object, reasons: object) -> tuple[Any, FetchRecord]:
        return call, NOTHING_FETCHED


def test_those_whom_nobody_knows_cannot_fill_the_record_and_keep_nobody_out_of_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    kept = KeptRecords()
    client = create_app(Settings(), usual_tools(), KnowsNobody(frozenset()), recorder_to(kept, "info")).test_client()
    sent = 3 * RECORDED_A_MINUTE
    for _ in range(sent):
        assert client.post(SELECT, json={}).status_code == 401
    assert RECORDED_A_MINUTE <= len(kept.calls) < 2 * RECORDED_A_MINUTE
    before = len(kept.calls)
    assert client.post(SELECT, json=a_call(), headers={"Accept": "application/json"}).status_code == 200
    assert len(kept.calls) == before + 1
    lines = [json.loads(line) for text in capfd.readouterr() for line in text.splitlines()]
    assert sum(line.get("check") == "signature" for line in lines) == sent
    assert sum("logged only" in line.get("said", "") for line in lines) == 1


def test_the_room_for_strangers_fills_again() -> None:
    now = [0.0]
    strangers = Strangers(60, lambda: now[0])
    assert [strangers.take() for _ in range(61)] == [True] * 60 + [False]
    now[0] = 2.0
    assert [strangers.take() for _ in range(3)] == [True, True, False]
    assert (strangers.left_out(), strangers.left_out()) == (2, 0)
    now[0] = 4000.0
    assert sum(strangers.take() for _ in range(100)) == 60


def test_a_defect_is_on_record_with_the_call_that_shows_it() -> None:
    usual, kept = usual_tools(), KeptRecords()
    tools = Collaborators(usual.settings, usual.terminology, usual.guidelines, Broken())
    answer = service(kept, tools=tools).post(SELECT, json=a_call())
    assert answer.status_code == 500
    (record,) = kept.calls
    assert (record.failure, record.status) == ("KeyError", 500)
    assert "gather" in record.where
    assert request_of(record)["hook"] == "order-select"
    assert "Canary" not in record.where


@pytest.mark.parametrize("path", ["/cds-services/no-such-service", "/no-such-page"])
def test_what_is_no_call_of_a_service_leaves_no_record(path: str) -> None:
    kept = KeptRecords()
    assert service(kept).post(path, json=a_call()).status_code == 404
    assert kept.calls == []


# --- silent -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SELECT, SIGN])
def test_a_silent_client_is_shown_nothing_and_everything_is_on_record(path: str) -> None:
    call = a_call(hook=path.removeprefix("/cds-services/lumbar-imaging-"))
    shown, loud = recorded(call, path)
    answer, record = recorded(call, path, msgspec.structs.replace(CALLER, silent=True))
    assert answer.status_code == 200
    assert answer.data == b'{"cards":[]}'
    assert (record.silent, loud.silent) == (True, False)
    assert unpacked(record.answer) == shown.data
    assert (record.orders, record.cards, record.decision) == (loud.orders, loud.cards, loud.decision)


def test_a_silent_clients_failures_are_failures() -> None:
    answer, record = recorded(b"{", caller=msgspec.structs.replace(CALLER, silent=True))
    assert answer.status_code == record.status == 400


# --- where it cannot be kept ------------------------------------------------------------------------------------------


def test_where_the_journal_cannot_be_written_the_card_goes_out_and_the_counts_say_so() -> None:
    kept = KeptRecords()
    client = service(kept)
    kept.broken = True
    answer = client.post(SELECT, json=a_call())
    assert answer.status_code == 200
    assert answer.get_json()["cards"]
    assert count(client, "lumbar_cds_records_failed_total") > 0
    kept.broken = False
    assert client.post(SELECT, json=a_call()).status_code == 200
    assert len(kept.calls) == 1


def test_where_records_are_required_a_call_that_cannot_be_recorded_is_not_answered() -> None:
    kept = KeptRecords()
    client = service(kept, required=True)
    assert client.post(SELECT, json=a_call()).status_code == 200
    kept.broken = True
    answer = client.post(SELECT, json=a_call())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "nothing was assessed" in answer.text
    kept.broken = False
    assert client.post(SELECT, json=a_call()).status_code == 200


@pytest.mark.parametrize(("required", "status"), [(True, 503), (False, 200)])
def test_a_store_that_is_gone_for_too_long_stops_calls_only_where_records_are_required(
    required: bool, status: int
) -> None:
    kept = KeptRecords()
    kept.given_up = True
    client = service(kept, required=required)
    assert client.post(SELECT, json=a_call()).status_code == status
    assert [record.status for record in kept.calls] == [status]


def test_feedback_that_cannot_be_recorded_is_not_taken_and_can_be_sent_again() -> None:
    kept = KeptRecords()
    client = service(kept)
    kept.broken = True
    report = {"feedback": [OVERRIDDEN]}
    assert client.post(SELECT + "/feedback", json=report).status_code == 503
    kept.broken = False
    assert client.post(SELECT + "/feedback", json=report).status_code == 200
    (record,) = [each for each in kept.records if isinstance(each, FeedbackRecord)]
    assert (record.client, record.issuer, record.token_id, record.tenant) == (
        "st-anna",
        "https://ehr.example.org",
        "t-1",
        "north",
    )
    assert [(item.card, item.outcome) for item in record.items] == [("c-1", "overridden")]


def test_a_defect_in_the_record_takes_no_card_from_a_clinician(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> DecisionRecord:
        raise ValueError("Canary, 1950-01-01")

    monkeypatch.setattr("cds_service.recording.answered", broken)
    assert service(KeptRecords()).post(SELECT, json=a_call()).get_json()["cards"]
    assert service(KeptRecords(), required=True).post(SELECT, json=a_call()).status_code == 503
