"""What a hook call may look like, what is refused, and what one malformed part of it costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.decode import Limits, Malformed, MalformedCall, decode_call
from fhir_mappings.fhir_records import Condition, Observation
from fhir_mappings.prefetch_values import State
from tests.fhir_mappings.records import PATIENT, bundle, condition, decoded, observation, order, request

CALL = request({"patient": PATIENT}, [order()])
BODY = json.dumps(CALL)


def without(key: str) -> str:
    return json.dumps({name: value for name, value in CALL.items() if name != key})


def with_context(**members: Any) -> str:
    return json.dumps({**CALL, "context": {**CALL["context"], **members}})


def test_a_call_is_read_in_full():
    call = decoded(request({"patient": PATIENT, "none": None}, [order()], encounterId="e9"))
    assert (call.hook, call.hook_instance, call.context.patient_id) == ("order-select", "h-1", "p1")
    assert (call.context.user_id, call.context.encounter_id) == ("Practitioner/d1", "e9")
    assert call.context.selections == ("ServiceRequest/order-1",)
    assert call.context.draft_orders == (order(),)
    assert not call.has_authorization


NOT_JSON = {
    "nothing": b"",
    "no JSON": b"hook=order-select",
    "cut off": BODY.encode()[:-1],
    "trailing text": BODY.encode() + b"x",
    "a byte order mark": b"\xef\xbb\xbf" + BODY.encode(),
    "not UTF-8, in a part that nobody reads": BODY.replace('"h-1"', '"h-1","unread":"\x01"')
    .encode("latin-1")
    .replace(b"\x01", b"\xff"),
    "UTF-16": BODY.encode("utf-16"),
    "NaN": BODY.replace('"h-1"', '"h-1","unread":NaN').encode(),
    "Infinity in a draft": with_context(draftOrders={"entry": [{"resource": {"resourceType": "ServiceRequest"}}]})
    .replace('"ServiceRequest"', '"ServiceRequest","quantity":Infinity')
    .encode(),
    "a key twice in the envelope": BODY.replace('"hook":', '"hook":"order-sign","hook":', 1).encode(),
    "context twice": BODY.replace('"context":', '"context":{"patientId":"p2"},"context":', 1).encode(),
    "prefetch twice": BODY.replace('"prefetch":', '"prefetch":{"patient":null},"prefetch":', 1).encode(),
    "a key twice in the context": BODY.replace('"patientId":', '"patientId":"p2","patientId":', 1).encode(),
    "a key twice in the prefetch": BODY.replace('"patient":', '"patient":null,"patient":', 1).encode(),
    "a key twice deep inside a draft": BODY.replace('"coding":', '"coding":[],"coding":', 1).encode(),
    "half a surrogate pair in the envelope": BODY.replace('"h-1"', '"\\ud800"').encode(),
    "half a surrogate pair in a draft": BODY.replace('"order-1"', '"\\udc00"').encode(),
    "a number that cannot be kept": BODY.replace('"intent":', '"priorityNumber":1e999,"intent":', 1).encode(),
    "nested without end": BODY.replace('"h-1"', '"h-1","unread":' + "[" * 50_000 + "]" * 50_000).encode(),
    "nested without end in the prefetch": BODY.replace("null", "0")
    .replace('"prefetch": {', '"prefetch": {"x":' + "[" * 50_000 + "]" * 50_000 + ",", 1)
    .encode(),
    "nested deeply in a draft": with_context(
        draftOrders={"entry": [{"resource": {"resourceType": "ServiceRequest", "note": "@"}}]}
    )
    .replace('"@"', "[" * 80 + "]" * 80)
    .encode(),
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_body_without_one_certain_meaning_is_refused_as_no_json(body: bytes):
    with pytest.raises(MalformedCall) as refused:
        decode_call(body)
    assert refused.value.kind is Malformed.NOT_JSON


UNUSABLE = {
    "a list": ("[]", ""),
    "a text": ('"hook"', ""),
    "no hook": (without("hook"), "hook"),
    "an empty hook": (BODY.replace('"order-select"', '" "'), "hook"),
    "a hook that is a number": (BODY.replace('"order-select"', "5"), "hook"),
    "no hookInstance": (without("hookInstance"), "hookInstance"),
    "no context": (without("context"), "context"),
    "a context that is a list": (json.dumps({**CALL, "context": []}), "context"),
    "no patient": (with_context(patientId=None), "context.patientId"),
    "a patient that is a number": (with_context(patientId=7), "context.patientId"),
    "no draft orders": (with_context(draftOrders=None), "context.draftOrders"),
    "draft orders that are a list": (with_context(draftOrders=[order()]), "context.draftOrders"),
    "draft orders that are no Bundle": (with_context(draftOrders=order()), "context.draftOrders"),
    "selections that are a text": (with_context(selections="ServiceRequest/order-1"), "context.selections"),
    "a selection that is a number": (with_context(selections=[1]), "context.selections"),
    "an encounter that is an object": (with_context(encounterId={}), "context.encounterId"),
    "a prefetch that is a list": (json.dumps({**CALL, "prefetch": []}), "prefetch"),
}


@pytest.mark.parametrize(("body", "where"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_call_that_cannot_be_used_is_refused_with_the_place(body: str, where: str):
    with pytest.raises(MalformedCall) as refused:
        decode_call(body.encode())
    assert refused.value.kind is Malformed.UNUSABLE
    assert refused.value.where == where


def test_a_refusal_never_repeats_what_was_sent():
    body = with_context(patientId=["Jane Secret"], note="Jane Secret")
    with pytest.raises(MalformedCall) as refused:
        decode_call(body.encode())
    assert "Secret" not in str(refused.value)


def test_unknown_members_extensions_and_nulls_are_ignored():
    body = {**CALL, "fhirServer": None, "prefetch": None, "extension": {"com.example": {"a": [1]}}, "unknown": {"b": 2}}
    body["context"] = {**body["context"], "userId": None, "encounterId": None, "selections": None, "other": [{}]}
    call = decode_call(json.dumps(body).encode())
    assert call.prefetch == {}
    assert (call.context.user_id, call.context.encounter_id, call.context.selections) == ("", "", None)
    assert call.extension == {"com.example": {"a": [1]}}


def test_ids_in_the_context_may_be_written_as_references():
    call = decode_call(with_context(patientId="Patient/p1", encounterId="Encounter/e1").encode())
    assert (call.context.patient_id, call.context.encounter_id) == ("p1", "e1")


def test_a_draft_stays_as_it_was_sent_down_to_its_numbers_and_unknown_members():
    draft = order(extension=[{"url": "u", "valueDecimal": 1.5}], quantityQuantity={"value": 2}, vendor={"ü": "é\u202e"})
    assert decoded(request({}, [draft])).context.draft_orders == (draft,)


def test_draft_entries_without_a_resource_are_dropped_and_counted():
    entries = [{"resource": order()}, {}, {"resource": None}, "text", {"resource": {"id": "no-type"}}]
    call = decode_call(with_context(draftOrders={"entry": entries}).encode())
    assert (len(call.context.draft_orders), call.context.dropped_drafts) == (1, 4)


def test_more_drafts_than_the_limit_are_refused():
    with pytest.raises(MalformedCall, match="more than 2 draft orders"):
        decode_call(json.dumps(request({}, [order(), order(), order()])).encode(), Limits(draft_orders=2))


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_many_drafts_are_read_and_one_that_is_nested_deeply_is_refused_however_it_is_spaced(
    separators: tuple[str, str],
):
    ids = [f"draft-{number}" for number in range(100)]
    several = request({}, [order(id=each) for each in ids])
    call = decode_call(json.dumps(several, separators=separators).encode())
    assert [draft["id"] for draft in call.context.draft_orders] == ids
    deep = json.dumps(request({}, [order(note="@")]), separators=separators).replace('"@"', "[" * 80 + "]" * 80)
    with pytest.raises(MalformedCall, match="nested too deeply"):
        decode_call(deep.encode())


def test_an_access_token_is_noticed_and_not_kept():
    call = decode_call(json.dumps({**CALL, "fhirAuthorization": {"access_token": "t0ken"}}).encode())
    assert call.has_authorization
    assert "t0ken" not in repr(call)


VALUES: dict[str, tuple[Any, State, int, bool]] = {
    "null is known to be empty": (None, State.EMPTY, 0, False),
    "a single resource": (PATIENT, State.READ, 1, False),
    "a searchset": (bundle(observation("low-back-pain"), condition("sciatica")), State.READ, 2, False),
    "an empty searchset": ({"resourceType": "Bundle", "type": "searchset", "total": 0}, State.READ, 0, False),
    "a searchset with a next page": (
        bundle(condition("sciatica"), link=[{"relation": "self", "url": "a"}, {"relation": "next", "url": "b"}]),
        State.READ,
        1,
        True,
    ),
    "a searchset that holds less than its total": (bundle(condition("sciatica"), total=3), State.READ, 1, True),
    "a broken body passed on as a text": ('{"resourceType": "Bundle", "entry": [', State.UNREADABLE, 0, False),
    "a number": (5, State.UNREADABLE, 0, False),
    "a truth value": (True, State.UNREADABLE, 0, False),
    "a list": ([condition("sciatica")], State.UNREADABLE, 0, False),
    "an object without a type": ({"entry": []}, State.UNREADABLE, 0, False),
    "a type that no rule reads": ({"resourceType": "Basic", "id": "b"}, State.READ, 0, False),
    "a type of a later FHIR version": ({"resourceType": "Transport", "id": "t"}, State.READ, 0, False),
    "an OperationOutcome with an error": (
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]},
        State.FAILED,
        0,
        False,
    ),
    "an OperationOutcome with a warning": (
        {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]},
        State.EMPTY,
        0,
        False,
    ),
    "an OperationOutcome that says that something was withheld": (
        {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]},
        State.EMPTY,
        0,
        True,
    ),
    "an OperationOutcome without issues": ({"resourceType": "OperationOutcome", "issue": []}, State.FAILED, 0, False),
}


@pytest.mark.parametrize(("value", "state", "entries", "incomplete"), VALUES.values(), ids=VALUES.keys())
def test_a_prefetch_value_is_what_it_says(value: Any, state: State, entries: int, incomplete: bool):
    found = decoded(request({"key": value})).prefetch["key"]
    read = [entry for entry in found.entries if type(entry.resource).__name__ != "Basic"]
    assert (found.state, len(read), found.incomplete) == (state, entries, incomplete)


MALFORMED: dict[str, Any] = {
    "an entry that is a text": "text",
    "an entry that is a list": [],
    "a status that is a number": {"resource": observation("low-back-pain", status=5)},
    "an id that is an object": {"resource": condition("sciatica", id={})},
    "a subject that is a text": {"resource": condition("sciatica", subject="Patient/p1")},
    "a reference that is a number": {"resource": condition("sciatica", subject={"reference": 1})},
    "a date that is a number": {"resource": observation("low-back-pain", effectiveDateTime=20261124)},
    "no resource type": {"resource": {"id": "x", "code": {"text": "low back pain"}}},
    "a resource type that is a number": {"resource": {"resourceType": 3}},
    "a resource that is a list": {"resource": [condition("sciatica")]},
}


@pytest.mark.parametrize("entry", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_entry_is_dropped_and_counted_and_the_rest_is_read(entry: Any):
    page = bundle(condition("sciatica"), observation("low-back-pain"))
    page["entry"].insert(1, entry)
    call = decoded(request({"good": bundle(condition("sciatica")), "bad": page}))
    found = call.prefetch["bad"]
    assert (found.state, found.dropped) == (State.READ, 1)
    assert [type(each.resource) for each in found.entries] == [Condition, Observation]
    assert call.prefetch["good"].dropped == 0


def test_half_a_surrogate_pair_in_a_record_costs_that_entry():
    body = json.dumps(request({"key": bundle(condition({"text": "@"}), condition("sciatica"))}))
    found = decode_call(body.replace('"@"', '"\\ud83d"').encode()).prefetch["key"]
    assert (found.dropped, len(found.entries)) == (1, 1)


def test_an_entry_of_a_type_of_a_later_version_is_passed_over_and_not_counted():
    found = decoded(request({"key": bundle({"resourceType": "Transport"}, condition("sciatica"))})).prefetch["key"]
    assert (found.dropped, len(found.entries)) == (0, 1)


def test_a_page_of_malformed_entries_only_was_not_read():
    found = decoded(request({"key": bundle(observation("low-back-pain", status=5))})).prefetch["key"]
    assert (found.state, found.dropped) == (State.UNREADABLE, 1)


def test_the_type_of_a_resource_may_stand_anywhere_in_it():
    late = {key: condition("sciatica")[key] for key in ("id", "code", "subject", "resourceType")}
    (entry,) = decoded(request({"key": bundle(late)})).prefetch["key"].entries
    assert isinstance(entry.resource, Condition)
