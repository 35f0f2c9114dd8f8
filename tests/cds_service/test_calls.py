"""What callers send: the specification's shapes and the ones that real EHRs bend, each answered and never failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.service_catalogue import TEMPLATES
from tests.builders import PATIENT_ID, a_draft
from tests.cds_service.service_under_test import ORIGIN, SELECT, SIGN, STUDY, Address, a_call
from tests.cds_service.test_http import assert_answer, assert_outcome

Json = dict[str, Any]
NEVER_EXPECTED = {"patient", "encounter", "userRole"}  # the Patient fails the call; the others may have no token
SEARCHED = [template.key for template in TEMPLATES if template.key not in NEVER_EXPECTED]
NOTHING_FOUND = {
    "resourceType": "Bundle",
    "type": "searchset",
    "total": 0,
    "entry": [
        {
            "resource": {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "warning", "code": "processing", "details": {"text": "no results"}}],
            },
            "search": {"mode": "outcome"},
        }
    ],
}
FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "transient"}]}


def answer_to(service: Address, call: object, path: str = SELECT, **headers: str) -> Json:
    return assert_answer(service.post(path, call, **headers))


def changed(change: Callable[[Json], object]) -> Json:
    call: Json = json.loads(json.dumps(a_call()))
    change(call)
    return call


def draft(call: Json) -> Json:
    order: Json = call["context"]["draftOrders"]["entry"][0]["resource"]
    return order


def words(body: Json) -> str:
    """What a clinician reads of the answer."""
    return json.dumps([[card["summary"], card.get("detail", "")] for card in body["cards"]])


def verdicts(body: Json) -> list[tuple[str, str]]:
    return [(card["indicator"], card["summary"]) for card in body["cards"]]


# --- nothing to say, and always something to say ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param({"resourceType": "MedicationRequest", "id": "order-1", "status": "draft"}, id="medicine"),
        pytest.param({"resourceType": "ServiceRequest", "id": "order-1", "code": {"coding": [{}]}}, id="no-study-yet"),
        pytest.param({"resourceType": "ServiceRequest", "id": "order-1"}, id="no-code"),
        pytest.param({"resourceType": "ServiceRequest", "id": "order-1", "code": {"text": "MRI brain"}}, id="brain"),
        pytest.param({"resourceType": "NutritionOrder", "id": "order-1"}, id="diet"),
    ],
)
def test_an_order_that_is_not_ours_gets_no_card_and_no_action(service: Address, resource: Json) -> None:  # RESP-2
    call = changed(lambda call: call["context"]["draftOrders"]["entry"].__setitem__(0, {"resource": resource}))
    assert answer_to(service, call) == {"cards": []}


def test_an_order_that_is_not_ours_opens_no_chart(service: Address) -> None:
    call = a_call(prefetch={"patient": {"resourceType": "Patient", "id": "somebody-else"}})
    draft(call)["code"] = {"text": "MRI brain"}
    assert answer_to(service, call) == {"cards": []}


def test_a_lumbar_order_is_never_met_with_silence(service: Address) -> None:
    body = answer_to(service, a_call())
    assert body["cards"] or body.get("systemActions")


def test_an_order_without_details_is_answered(service: Address) -> None:  # CALL-13
    orders: tuple[Json, ...] = (
        {"resourceType": "ServiceRequest"},
        {"resourceType": "ServiceRequest", "code": {}, "reasonCode": []},
        {"resourceType": "ServiceRequest", "id": "order-1", "status": None, "code": {"coding": [{}]}, "subject": {}},
        {**draft(a_call()), "reasonCode": [], "subject": None},
        {key: value for key, value in draft(a_call()).items() if key in ("resourceType", "code")},
    )
    for order in orders:
        call = a_call()
        call["context"]["draftOrders"]["entry"][0]["resource"] = order
        answer_to(service, call)


@pytest.mark.parametrize("bundle", [{}, {"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": []}])
def test_no_draft_orders_are_no_orders_of_ours(service: Address, bundle: Json) -> None:
    assert answer_to(service, changed(lambda call: call["context"].update(draftOrders=bundle))) == {"cards": []}


def test_only_the_selected_order_is_judged(service: Address) -> None:  # CALL-12
    call = changed(lambda call: call["context"].update(selections=["MedicationRequest/m-1"]))
    call["context"]["draftOrders"]["entry"].append(
        {"resource": {"resourceType": "MedicationRequest", "id": "m-1", "status": "draft"}}
    )
    assert answer_to(service, call) == {"cards": []}


def test_a_call_without_selections_judges_every_draft(service: Address) -> None:
    call = changed(lambda call: call["context"].pop("selections"))
    assert verdicts(answer_to(service, call)) == verdicts(answer_to(service, a_call()))


def test_at_signing_every_draft_is_judged_whatever_its_status(service: Address) -> None:  # CALL-14
    call = a_call(hook="order-sign")
    del call["context"]["selections"]
    draft(call)["status"] = "active"
    body = answer_to(service, call, SIGN)
    assert body["cards"]
    actions = [action for card in body["cards"] for each in card.get("suggestions", []) for action in each["actions"]]
    assert not [action for action in actions if action["type"] == "create" and action["resource"].get("code") == STUDY]


# --- shapes of the envelope -------------------------------------------------------------------------------------------


def test_another_hook_than_the_endpoints_is_answered(service: Address) -> None:  # PX-4 as the public sandbox needs it
    same = a_call()
    assert verdicts(answer_to(service, {**same, "hook": "patient-view"})) == verdicts(answer_to(service, same))


def test_unknown_fields_and_extensions_are_ignored(service: Address) -> None:  # PX-1, EXT-1
    expected = verdicts(answer_to(service, a_call()))
    call = a_call(
        extension={"com.example.trigger": {"action": "18"}},
        somethingNew=[1, {"deep": [None]}],
        user="Practitioner/old-style",
    )
    call["context"].update({"com.example": {"x": 1}, "newField": None, "encounterId": None})
    call["context"]["draftOrders"].update({"type": "collection", "com.example": 1})
    call["context"]["draftOrders"]["entry"][0].update({"fullUrl": "urn:uuid:1", "search": {"mode": "match"}})
    assert verdicts(answer_to(service, call)) == expected


def test_a_call_with_server_and_token_is_answered(service: Address) -> None:
    call = a_call(
        fhirServer="https://ehr.example/fhir/",
        fhirAuthorization={
            "access_token": "canary-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.read",
            "subject": "cds",
        },
    )
    answer = service.post(SELECT, call)
    assert_answer(answer)
    assert "canary" not in answer.text


def test_the_same_call_gets_the_same_answer_to_the_byte(service: Address) -> None:
    body = json.dumps(a_call()).encode()
    first = service.post(SELECT, body)
    assert_answer(first)
    assert all(service.post(SELECT, body).content == first.content for _ in range(3))


def test_ids_of_two_clients_and_of_two_calls_never_meet(service: Address) -> None:  # CARD-1, SUG-2
    def uuids(body: Json) -> set[str]:
        cards = body["cards"]
        return {card["uuid"] for card in cards} | {s["uuid"] for card in cards for s in card.get("suggestions", [])}

    sets = [
        uuids(answer_to(service, a_call())),
        uuids(answer_to(service, a_call(), Origin=ORIGIN)),
        uuids(answer_to(service, a_call(hookInstance="3c7a2b10-aaaa-4f6a-9a53-000000000000"))),
        uuids(answer_to(service, a_call(hook="order-sign"), SIGN)),
        uuids(answer_to(service, a_call(extension={"com.example": 1}))),
    ]
    everything = set().union(*sets)
    assert len(everything) == sum(len(each) for each in sets) > 0


# --- the patient ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [pytest.param(None, id="null"), pytest.param(FAILED, id="failed"), pytest.param("<html>", id="broken"),
     pytest.param({}, id="empty"), pytest.param("absent", id="absent")],
)  # fmt: skip
def test_without_the_patient_nothing_can_be_decided(service: Address, value: object) -> None:  # CALL-6
    call = a_call()
    if value == "absent":
        del call["prefetch"]["patient"]
    else:
        call["prefetch"]["patient"] = value
    assert_outcome(service.post(SELECT, call), 412, "incomplete")


@pytest.mark.parametrize("prefetch", [None, {}])
def test_without_any_prefetch_the_patient_is_missing(service: Address, prefetch: object) -> None:  # CALL-6
    assert_outcome(service.post(SELECT, a_call(prefetch=prefetch)), 412, "incomplete")


def test_another_patient_is_refused(service: Address) -> None:
    call = a_call()
    call["prefetch"]["patient"]["id"] = "somebody-else"
    body = assert_outcome(service.post(SELECT, call), 422, "business-rule")
    assert "somebody-else" not in json.dumps(body)
    assert PATIENT_ID not in json.dumps(body)


# --- prefetch: known-empty, unknown, failed, broken -------------------------------------------------------------------


@pytest.mark.parametrize("key", SEARCHED)
def test_null_and_nothing_found_mean_known_to_be_empty(service: Address, key: str) -> None:  # CALL-5, CALL-7
    usual = answer_to(service, a_call())
    for empty in (None, NOTHING_FOUND, {"resourceType": "Bundle", "type": "searchset", "total": 0}):
        call = a_call()
        call["prefetch"][key] = empty
        assert verdicts(answer_to(service, call)) == verdicts(usual)


@pytest.mark.parametrize("key", ["conditions", "examination", "procedures", "medications", "imagingReports"])
@pytest.mark.parametrize(
    "value",
    [pytest.param("absent", id="absent"), pytest.param(FAILED, id="failed"), pytest.param("<html>502", id="broken"),
     pytest.param([], id="list"), pytest.param(7, id="number")],
)  # fmt: skip
def test_a_part_of_the_record_that_was_not_read_is_named(
    service: Address, key: str, value: object
) -> None:  # CALL-5, CALL-6
    usual = answer_to(service, a_call())
    call = a_call()
    if value == "absent":
        del call["prefetch"][key]
    else:
        call["prefetch"][key] = value
    body = answer_to(service, call)
    assert body["cards"]
    assert words(body) != words(usual)
    assert "<html" not in json.dumps(body)


def test_a_search_with_more_pages_is_incomplete_and_the_link_is_not_followed(service: Address) -> None:  # CALL-8
    page = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "next", "url": "http://127.0.0.1:9/secret-page"}],
        "entry": [],
    }
    call = changed(lambda call: call["prefetch"].update(conditions=page))
    body = answer_to(service, call)
    assert words(body) != words(answer_to(service, a_call()))
    assert "secret-page" not in json.dumps(body)


def test_resources_are_read_by_type_under_any_key(service: Address) -> None:
    call = a_call()
    renamed = a_call()
    renamed["prefetch"] = {f"item{number}": value for number, value in enumerate(call["prefetch"].values())}
    answer_to(service, renamed)


def test_a_malformed_entry_costs_itself_and_not_the_call(service: Address) -> None:
    broken: list[object] = [None, 7, {}, {"resource": None}, {"resource": []}, {"resource": {"resourceType": 5}},
              {"resource": {"resourceType": "Condition", "code": "text", "subject": 3}}]  # fmt: skip
    call = a_call()
    call["prefetch"]["conditions"] = {"resourceType": "Bundle", "type": "searchset", "entry": broken}
    assert answer_to(service, call)["cards"]


def test_draft_orders_may_hold_other_resources_and_absolute_references(service: Address) -> None:  # PX-8
    call = changed(lambda call: None)
    draft(call)["subject"] = {"reference": f"https://ehr.example/fhir/Patient/{PATIENT_ID}"}
    entries = call["context"]["draftOrders"]["entry"]
    entries.insert(0, {"resource": {"resourceType": "Medication", "id": "m", "code": {"text": "ibuprofen"}}})
    entries[1]["fullUrl"] = "https://ehr.example/fhir/ServiceRequest/order-1"
    call["context"]["selections"] = ["https://ehr.example/fhir/ServiceRequest/order-1"]
    assert verdicts(answer_to(service, call)) == verdicts(answer_to(service, a_call()))


# --- the answer -------------------------------------------------------------------------------------------------------


def test_ratings_are_updates_of_the_submitted_order_and_nothing_else(service: Address) -> None:  # RESP-4, PAMA-4
    call = a_call()
    sent = draft(call)
    actions = answer_to(service, call)["systemActions"]
    assert actions
    for action in actions:
        assert action["type"] == "update"
        resource = dict(action["resource"])
        extensions = resource.pop("extension")
        assert resource == {key: value for key, value in sent.items() if key != "extension"}
        assert len(extensions) >= 3


def test_there_are_no_system_actions_without_a_rating(service: Address) -> None:  # RESP-5, PAMA-3
    call = changed(lambda call: call["context"]["draftOrders"]["entry"].clear())
    assert "systemActions" not in answer_to(service, call)


def test_capabilities_of_unknown_clients_are_not_assumed(service: Address) -> None:  # CAP-1
    assert "actionSelectionBehavior" not in json.dumps(answer_to(service, a_call()))


def test_extension_names_are_globally_unique(service: Address) -> None:  # EXT-1, EXT-2
    body = answer_to(service, a_call())
    for holder in [body, *body["cards"]]:
        if "extension" in holder:
            assert isinstance(holder["extension"], dict)
            for name in holder["extension"]:
                assert name == "systemActions" or "." in name


def test_a_draft_with_every_kind_of_baggage_comes_back_whole(service: Address) -> None:  # ACT-4
    baggage: Json = {
        "meta": {"tag": [{"system": "https://ehr.example/tags", "code": "x"}]},
        "identifier": [{"system": "https://ehr.example/orders", "value": "1"}],
        "extension": [{"url": "https://ehr.example/ext", "valueString": "kept"}],
        "note": [{"text": "kept"}],
        "performer": [{"reference": "Organization/o"}],
    }
    call = a_call()
    draft(call).update(baggage)
    for action in answer_to(service, call)["systemActions"]:
        for member, value in baggage.items():
            if member == "extension":
                assert value[0] in action["resource"]["extension"]
            else:
                assert action["resource"][member] == value


def test_two_studies_in_one_session_are_told_apart(service: Address) -> None:  # PX-3
    call = a_call()
    second = a_draft("ct-lumbar-without-contrast", order_id="order-2")
    call["context"]["draftOrders"]["entry"].append({"resource": second})
    call["context"]["selections"].append("ServiceRequest/order-2")
    body = answer_to(service, call)
    assert 1 < len(body["cards"]) <= 3
    assert len({card["summary"] for card in body["cards"]} | {card.get("detail") for card in body["cards"]}) > 2
