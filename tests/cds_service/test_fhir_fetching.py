"""What a call lacks is read from the server that it names: which queries are made, with which token, and when none.

CALL-4 one query for each missing key · CALL-5 failures and warnings · CALL-7 null · CALL-8 pages · CALL-9, CALL-10 each
call's own token · CALL-6 no Patient.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cds_service.consultation import Consultation, consult
from cds_service.errors import AnotherPatient, PatientUnavailable
from cds_service.service_catalogue import ORDER_SELECT, TEMPLATES
from cds_service.trust import Caller
from sandbox.fhir_server import Behaviour, Fault, FhirServer, Store, running
from tests.builders import (
    PATIENT_ID,
    REQUESTER_ID,
    a_condition,
    a_draft,
    a_medicine,
    a_patient,
    a_referral,
    a_user,
    an_encounter,
    an_observation,
)
from tests.clinic import usual_tools
from tests.fhir_calls import TOKEN, authorization, everything, resources_of, says, store_of, without
from tests.hook_requests import Request, a_request

STUDY = "mri-lumbar-without-contrast"
TODAY = datetime.now(UTC).date()
KEYS = [template.key for template in TEMPLATES]
TYPES = {template.key: template.resource_type for template in TEMPLATES}
OPEN = Behaviour(tokens=frozenset({TOKEN}))


def a_chart() -> list[dict[str, Any]]:
    return [
        a_condition("low-back-pain", onsetDateTime=str(TODAY)),
        an_observation("body-temperature", 36.8, unit="Cel", on=str(TODAY), category="vital-signs"),
        an_encounter(),
        a_user("specialty-family-medicine"),
    ]


def whole_call(**more: Any) -> Request:
    return a_request([a_draft(STUDY)], patient=a_patient(as_of=TODAY), chart=a_chart(), **more)


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with running(store_of(whole_call()), OPEN) as ehr:
        yield ehr


def asked(request: Request, *bases: str, tools: Any = None) -> Consultation:
    caller = Caller("open", fhir_servers=frozenset(bases))
    return consult(msgspec.json.encode(request), ORDER_SELECT, caller, datetime.now(UTC), tools or usual_tools())


def gaps(consultation: Consultation) -> set[tuple[str, str]]:
    assert consultation.picture is not None
    return {(gap.source, gap.why) for gap in consultation.picture.gaps}


def queries(ehr: FhirServer) -> list[str]:
    return sorted(request.resource_type for request in ehr.requests if request.resource_type)


# --- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
def test_a_dropped_key_is_asked_for_once_and_no_other(key: str, server: FhirServer) -> None:
    call = whole_call()
    answer = asked(without(call, server.base, lambda each: each == key), server.base)
    assert queries(server) == [TYPES[key]]
    assert not gaps(answer)
    template = next(each for each in TEMPLATES if each.key == key)
    (request,) = [each for each in server.requests if each.resource_type]
    filled = template.query.replace("{{context.patientId}}", PATIENT_ID)
    filled = filled.replace("{{context.encounterId}}", call["context"].get("encounterId", ""))
    filled = filled.replace("{{userPractitionerId}}", REQUESTER_ID)
    assert request.parameters == dict(each.split("=", 1) for each in filled.partition("?")[2].split("&") if each)
    assert (request.method, request.path.strip("/")) == (
        ("POST", f"{TYPES[key]}/_search") if "?" in template.query else ("GET", filled)
    )


def test_with_full_prefetch_nothing_is_asked_and_no_thread_is_started(server: FhirServer) -> None:
    call = {**whole_call(), "fhirServer": server.base, "fhirAuthorization": authorization()}
    answer = asked(call, server.base)
    assert not server.requests
    assert answer.fetched.queries == 0


@pytest.mark.parametrize("key", [key for key in KEYS if key != "patient"])
def test_a_key_that_is_null_is_known_to_be_empty(key: str, server: FhirServer) -> None:
    call = {**whole_call(), "fhirServer": server.base, "fhirAuthorization": authorization()}
    call["prefetch"] = {**call["prefetch"], key: None}
    asked(call, server.base)
    assert not server.requests


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "transient"}]}


@pytest.mark.parametrize(
    "value",
    [
        OUTCOME,
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": OUTCOME}]},
        "<html>502 Bad Gateway</html>",
        {"resourceType": "Bundle", "type": "searchset", "total": 3},
    ],
    ids=["failed", "failed among the entries", "broken", "fewer than counted"],
)
def test_a_key_that_failed_or_was_cut_short_is_asked_for_once(value: Any, server: FhirServer) -> None:
    call = {**whole_call(), "fhirServer": server.base, "fhirAuthorization": authorization()}
    call["prefetch"] = {**call["prefetch"], "conditions": value}
    answer = asked(call, server.base)
    assert queries(server) == ["Condition"]
    assert not gaps(answer)


def test_a_search_that_found_nothing_and_says_so_with_a_warning_is_no_failure(server: FhirServer) -> None:
    server.serve(behaviour=msgspec.structs.replace(OPEN, nothing_found="outcome"))
    answer = asked(without(whole_call(), server.base, everything), server.base)
    assert not gaps(answer)


@pytest.mark.parametrize("order", ["not lumbar", "no order"])
def test_nothing_is_asked_for_an_order_that_is_not_lumbar_imaging(order: str, server: FhirServer) -> None:
    drafts = [] if order == "no order" else [a_draft({"text": "Complete blood count"}, ())]
    call = without(a_request(drafts, patient=a_patient(as_of=TODAY)), server.base, everything)
    assert asked(call, server.base).cards == 0
    assert not server.requests


# --- with what, and where to ------------------------------------------------------------------------------------------


def test_every_request_carries_the_token_of_its_own_call(server: FhirServer) -> None:
    server.serve(behaviour=Behaviour(tokens=frozenset({"first", "second"})))
    for token in ("first", "second"):
        server.requests.clear()
        asked(without(whole_call(), server.base, everything, token), server.base)
        assert {request.authorization for request in server.requests} == {f"Bearer {token}"}


@pytest.mark.parametrize(
    "authorization",
    [
        {"access_token": "a b", "token_type": "Bearer"},
        {"access_token": "a\r\nX-Evil: b", "token_type": "Bearer"},
        {"access_token": "", "token_type": "Bearer"},
        {"access_token": 5, "token_type": "Bearer"},
        {"access_token": "x", "token_type": "MAC"},
        {"token_type": "Bearer"},
        "Bearer x",
    ],
)
def test_a_token_that_cannot_be_used_is_not_sent(authorization: Any, server: FhirServer) -> None:
    call = without(whole_call(), server.base, lambda key: key == "conditions")
    answer = asked({**call, "fhirAuthorization": authorization}, server.base)
    assert not server.requests
    assert ("Condition", "not provided") in gaps(answer)


def test_an_open_server_is_asked_without_a_token(server: FhirServer) -> None:
    server.serve(behaviour=Behaviour())
    assert not gaps(asked(without(whole_call(), server.base, everything, token=""), server.base))
    assert {request.authorization for request in server.requests} == {""}


def test_a_call_that_names_a_server_of_its_own_is_answered_from_prefetch(server: FhirServer) -> None:
    call = without(whole_call(), server.base, lambda key: key == "conditions")
    for registered in ((), ("https://fhir.example.org/r4",), (f"{server.base}/other",)):
        answer = asked(call, *registered)
        assert ("Condition", "not provided") in gaps(answer)
        assert says(answer.answer.decode(), "not provided")
    assert not server.requests


def test_the_registered_address_may_be_written_otherwise(server: FhirServer) -> None:
    call = without(whole_call(), f"{server.base}/", lambda key: key == "conditions")
    assert not gaps(asked(call, server.base))


@pytest.mark.parametrize("patient_id", ["../Patient", "a b", "a,b", "a|b", "a?b", "a/b", "a%2Fb", "..", "é", "x" * 200])
def test_an_id_that_would_mean_something_in_an_address_is_not_sent(patient_id: str, server: FhirServer) -> None:
    call = without(whole_call(), server.base, everything)
    call["context"] = {**call["context"], "patientId": patient_id}
    for entry in call["context"]["draftOrders"]["entry"]:
        entry["resource"].pop("subject", None)
    with pytest.raises(PatientUnavailable):
        asked(call, server.base)
    assert not server.requests


# --- forms and pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 415, 501])
def test_where_post_is_refused_get_is_used_and_remembered(status: int) -> None:
    with running(store_of(whole_call()), msgspec.structs.replace(OPEN, post_search=status)) as ehr:
        call = without(whole_call(), ehr.base, lambda key: key == "conditions")
        for expected in (["POST", "GET"], ["GET"]):
            ehr.requests.clear()
            assert not gaps(asked(call, ehr.base))
            assert [request.method for request in ehr.requests if request.resource_type] == expected
        ehr.serve(behaviour=msgspec.structs.replace(OPEN, get_search=405))
        assert not gaps(asked(call, ehr.base))


def many(count: int) -> Store:
    chart = [a_condition("low-back-pain", onsetDateTime=str(TODAY), id=f"c{number}") for number in range(count)]
    return Store([*chart, *resources_of(whole_call())])


@pytest.mark.parametrize("style", ["hapi", "search", "relative"])
def test_all_pages_are_read(style: str) -> None:
    with running(many(25), msgspec.structs.replace(OPEN, page_size=4, next_links=style)) as ehr:
        answer = asked(without(whole_call(), ehr.base, everything), ehr.base)
        assert not gaps(answer)
        assert answer.picture is not None
        references = {fact.evidence.reference for fact in answer.picture.facts}
        assert {f"Condition/c{number}" for number in range(25)} <= references


def test_a_prefetched_first_page_is_continued_from_its_link(server: FhirServer) -> None:
    server.serve(many(10), msgspec.structs.replace(OPEN, page_size=4))
    call = without(whole_call(), server.base, lambda key: key == "conditions")
    asked(call, server.base)
    first = server.requests.copy()
    page = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 11,
        "entry": [{"resource": server.store.read("Condition", f"c{number}")} for number in range(4)],
        "link": [{"relation": "next", "url": f"{server.base}?_getpages=Condition&_getpagesoffset=4&_count=4"}],
    }
    server.requests.clear()
    call["prefetch"] = {**call["prefetch"], "conditions": page}
    answer = asked(call, server.base)
    assert not gaps(answer)
    assert [request.method for request in server.requests] == ["GET", "GET"]
    assert len(first) > len(server.requests)


@pytest.mark.parametrize("target", ["https://other.example.org/fhir", "http://127.0.0.1:{port}/other", "//x.example"])
def test_a_page_elsewhere_is_not_followed_and_the_rest_is_named(target: str, server: FhirServer) -> None:
    elsewhere = target.format(port=server.server_port)
    server.serve(many(10), msgspec.structs.replace(OPEN, page_size=4, next_links=elsewhere))
    answer = asked(without(whole_call(), server.base, lambda key: key == "conditions"), server.base)
    assert gaps(answer) == {("Condition", "incomplete")}
    assert [
        request.path for request in server.requests if "/fhir" not in request.path and "other" in request.path
    ] == []
    assert says(answer.answer.decode(), "incomplete")


def test_a_prefetched_page_with_a_link_elsewhere_is_named_and_not_followed(server: FhirServer) -> None:
    call = {**whole_call(sources={"Condition": "paged"}), "fhirServer": server.base}
    answer = asked({**call, "fhirAuthorization": authorization()}, server.base)
    assert gaps(answer) == {("Condition", "incomplete")}
    assert not queries(server)


def test_a_search_without_end_stops_at_the_cap() -> None:
    with running(many(200), msgspec.structs.replace(OPEN, page_size=2)) as ehr:
        answer = asked(without(whole_call(), ehr.base, lambda key: key == "conditions"), ehr.base)
        assert gaps(answer) == {("Condition", "incomplete")}
        assert len([each for each in ehr.requests if "_getpages" in each.query]) == 19


# --- what is referred to ----------------------------------------------------------------------------------------------


def with_reason(reference: str, store: Store) -> Request:
    draft = {**a_draft(STUDY, ()), "reasonReference": [{"reference": reference}]}
    call = a_request([draft], patient=a_patient(as_of=TODAY), chart=[a_user("specialty-family-medicine")])
    for resource in resources_of(call):
        store.put(resource)
    return call


@pytest.mark.parametrize("form", ["Condition/r1", "{base}/Condition/r1", "{base}/Condition/r1/_history/2"])
def test_a_reason_that_the_call_does_not_hold_is_read(form: str, server: FhirServer) -> None:
    store = Store([a_condition("low-back-pain", onsetDateTime=str(TODAY), id="r1")])
    call = with_reason(form.format(base=server.base), store)
    server.serve(store)
    call = {**call, "fhirServer": server.base, "fhirAuthorization": authorization()}
    answer = asked(call, server.base)
    assert [(each.method, each.path) for each in server.requests if each.resource_type] == [("GET", "/Condition/r1")]
    assert answer.picture is not None
    assert "Condition/r1" in {fact.evidence.reference for fact in answer.picture.facts}
    assert "a reason by reference" not in answer.answer.decode()


def test_a_reason_that_shows_that_an_order_is_ours_is_read_before_anything_else(server: FhirServer) -> None:
    draft = {**a_draft({"text": "MRI spine"}, ()), "reasonReference": [{"reference": "Condition/r1"}]}
    call = a_request([draft], patient=a_patient(as_of=TODAY))
    store = store_of(call)
    server.serve(store)
    call = without(call, server.base, everything)
    assert asked(call, server.base).cards == 0
    assert queries(server) == ["Condition"]
    store.put(a_condition("low-back-pain", onsetDateTime=str(TODAY), id="r1"))
    assert asked(call, server.base).cards == 1


@pytest.mark.parametrize(
    "form",
    [
        "https://other.example.org/fhir/Condition/r1",
        "#r1",
        "urn:uuid:5f0c1d34-8a55-4a5e-9e8a-3a3d3f7b7a01",
        "Patient/p",
    ],
)
def test_a_reason_elsewhere_is_not_followed_and_is_quoted_as_unread(form: str, server: FhirServer) -> None:
    call = with_reason(form, server.store)
    answer = asked({**call, "fhirServer": server.base, "fhirAuthorization": authorization()}, server.base)
    assert not queries(server)
    assert "a reason by reference" in answer.answer.decode()


@pytest.mark.parametrize("form", ["Medication/m1", "{base}/Medication/m1"])
def test_medicines_that_prescriptions_refer_to_are_read(form: str, server: FhirServer) -> None:
    plain = a_medicine("systemic-corticosteroid (Prednisone", begun=str(TODAY))
    referring = {key: value for key, value in plain.items() if key != "medicationCodeableConcept"}
    referring["medicationReference"] = {"reference": form.format(base=server.base)}
    medication = {"resourceType": "Medication", "id": "m1", "code": plain["medicationCodeableConcept"]}
    call = a_request([a_draft(STUDY)], patient=a_patient(as_of=TODAY), chart=[referring])
    server.serve(store_of(call))
    server.store.put(medication)
    answer = asked(without(call, server.base, everything), server.base)
    assert answer.picture is not None
    assert "systemic-corticosteroid" in {fact.concept for fact in answer.picture.facts}
    assert not gaps(answer)
    server.serve(store_of(call))  # without the Medication: what it was is not known, and that is said
    assert gaps(asked(without(call, server.base, everything), server.base)) == {("MedicationRequest", "incomplete")}


def test_the_users_own_entry_is_read_where_no_role_is_found(server: FhirServer) -> None:
    call = a_request([a_draft(STUDY)], patient=a_patient(as_of=TODAY))
    server.serve(store_of(call))
    server.store.put({"resourceType": "Practitioner", "id": REQUESTER_ID})
    answer = asked(without(call, server.base, everything), server.base)
    assert queries(server).count("Practitioner") == 1
    assert not gaps(answer)


def test_a_role_as_the_user_is_read(server: FhirServer) -> None:
    call = a_request([a_draft(STUDY)], patient=a_patient(as_of=TODAY))
    call["context"]["userId"] = "PractitionerRole/role-1"
    server.serve(store_of(call))
    server.store.put(a_user("specialty-orthopaedic-surgery"))
    answer = asked({**call, "fhirServer": server.base, "fhirAuthorization": authorization()}, server.base)
    assert [(each.method, each.path) for each in server.requests if each.resource_type] == [
        ("GET", "/PractitionerRole/role-1")
    ]
    assert answer.picture is not None
    assert answer.picture.requester_specialties == ("specialty-orthopaedic-surgery",)


# --- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["dstu2", "stu3", "r5"])
def test_a_server_of_another_version_is_named_and_never_read_as_empty(version: str) -> None:
    with running(store_of(whole_call()), msgspec.structs.replace(OPEN, fhir=version)) as ehr:
        for _ in range(2):
            answer = asked(without(whole_call(), ehr.base, everything), ehr.base)
            assert {why for _, why in gaps(answer)} == {"unsupported version"}
            assert {"Patient", "Condition", "Observation", "ServiceRequest"} <= {source for source, _ in gaps(answer)}
            assert says(answer.answer.decode(), "unsupported version")
        ehr.requests.clear()
        asked(without(whole_call(), ehr.base, everything), ehr.base)
        assert queries(ehr) == ["Patient"]  # what is known of the server is not asked again


def test_r4b_is_read_like_r4() -> None:
    with running(store_of(whole_call()), msgspec.structs.replace(OPEN, fhir="r4b")) as ehr:
        assert not gaps(asked(without(whole_call(), ehr.base, everything), ehr.base))


def test_the_version_is_asked_once(server: FhirServer) -> None:
    for _ in range(3):
        asked(without(whole_call(), server.base, everything), server.base)
    assert [request.path for request in server.requests].count("/metadata") == 1


# --- the patient ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(tokens=frozenset({"another"})),
        Behaviour(faults=(Fault("answer", frozenset({"Patient"}), status=404),)),
        Behaviour(faults=(Fault("html", frozenset({"Patient"})),)),
        Behaviour(faults=(Fault("broken", frozenset({"Patient"})),)),
        Behaviour(faults=(Fault("outcome", frozenset({"Patient"})),)),
        Behaviour(
            faults=(Fault("answer", frozenset({"Patient"}), status=200, body=b'{"resourceType":"Patient","id":"o"}'),)
        ),
    ],
    ids=["wrong token", "404", "a web page", "half of it", "an outcome", "somebody else"],
)
def test_without_the_patient_nothing_is_decided(behaviour: Behaviour, server: FhirServer) -> None:
    server.serve(behaviour=behaviour)
    with pytest.raises(PatientUnavailable):
        asked(without(whole_call(), server.base, everything), server.base)


def test_a_prefetched_patient_who_is_another_stops_the_call_before_anything_is_asked(server: FhirServer) -> None:
    call = without(whole_call(), server.base, lambda key: key != "patient")
    call["prefetch"] = copy.deepcopy(call["prefetch"])
    call["prefetch"]["patient"]["id"] = "another"
    with pytest.raises(AnotherPatient):
        asked(call, server.base)
    assert not server.requests


def test_records_of_another_patient_are_dropped_wherever_they_come_from(server: FhirServer) -> None:
    body = msgspec.json.encode(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [
                {
                    "resource": {
                        **a_condition("cauda-equina-syndrome", id="x"),
                        "subject": {"reference": "Patient/other"},
                    }
                }
            ],
        }
    )
    fault = Fault("answer", frozenset({"Condition"}), status=200, body=body)
    server.serve(behaviour=msgspec.structs.replace(OPEN, faults=(fault,)))
    answer = asked(without(whole_call(), server.base, everything), server.base)
    assert answer.picture is not None
    assert answer.picture.foreign_entries == 1
    assert "cauda-equina-syndrome" not in {fact.concept for fact in answer.picture.facts}


def test_what_the_client_sent_is_never_lost_by_asking(server: FhirServer) -> None:
    call = without(whole_call(), server.base, lambda key: False)
    own = {**a_referral("physical-therapy", on=str(TODAY)), "id": "only-the-client-sees-it"}
    call["prefetch"] = {
        **call["prefetch"],
        "serviceRequests": {"resourceType": "Bundle", "type": "searchset", "total": 5, "entry": [{"resource": own}]},
    }
    answer = asked(call, server.base)
    assert queries(server) == ["ServiceRequest"]
    assert answer.picture is not None
    assert "ServiceRequest/only-the-client-sees-it" in {fact.evidence.reference for fact in answer.picture.facts}
