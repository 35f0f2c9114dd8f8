"""The log line of a call says of it what its record says, and says the same where no record is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs

from audit_trail.record import DecisionRecord
from cds_service.app import create_app
from cds_service.recording import Recorder
from cds_service.settings import Settings
from cds_service.trust import Caller
from tests.builders import a_draft
from tests.cds_service.kept_records import KeptRecords, recorder_to
from tests.cds_service.service_under_test import SELECT, a_call
from tests.cds_service.test_recording import CALLER, TrustInOne
from tests.clinic import usual_tools

# Of one moment, or of the record alone.
VARIES = ("time", "record", "milliseconds", "reading_milliseconds", "deciding_milliseconds", "cards_milliseconds")


def _with_orders(*studies: str) -> dict[str, Any]:
    call = a_call()
    drafts = [a_draft(study, order_id=f"order-{number}") for number, study in enumerate(studies)]
    call["context"]["draftOrders"]["entry"] = [{"resource": draft} for draft in drafts]
    call["context"]["selections"] = [f"ServiceRequest/{draft['id']}" for draft in drafts]
    return call


def _not_ours() -> dict[str, Any]:
    call = a_call()
    call["context"]["draftOrders"]["entry"][0]["resource"]["code"] = {"text": "MRI knee left"}
    return call


def _strange() -> dict[str, Any]:
    call = a_call()
    del call["prefetch"]["procedures"]
    mine = {"resourceType": "Condition", "subject": {"reference": f"Patient/{call['context']['patientId']}"}}
    strange = {**mine, "id": "x", "code": {"coding": [{"system": "urn:site", "code": "what"}]}}
    call["prefetch"]["conditions"] = {"resourceType": "Bundle", "entry": [{"resource": strange}, {"resource": 3}]}
    return call


CALLS: dict[str, tuple[Any, Caller]] = {
    "one order": (a_call(), CALLER),
    "two orders": (_with_orders("mri-lumbar-without-contrast", "ct-lumbar-without-contrast"), CALLER),
    "gaps, unknown codes, broken entries": (_strange(), CALLER),
    "another hook than the endpoint's": (a_call(hook="patient-view"), CALLER),
    "a client that is shown nothing": (a_call(), structs.replace(CALLER, silent=True)),
    "a caller whom nobody registered": (a_call(), Caller("https://page.example")),
    "no order of ours": (_not_ours(), CALLER),
    "no call": ({"hook": "order-select"}, CALLER),
    "no patient": (a_call(prefetch={}), CALLER),
}


def _line(call: Any, caller: Caller, recorder: Recorder, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    client = create_app(Settings(), usual_tools(), TrustInOne(frozenset(), caller=caller), recorder).test_client()
    client.post(SELECT, json=call)
    (line,) = [json.loads(each) for each in capfd.readouterr().out.splitlines() if '"event":"call"' in each]
    assert isinstance(line, dict)
    return line


def _said_of(record: DecisionRecord) -> dict[str, Any]:
    """What a line is to say, as the record has it; fields that say nothing are left out."""
    orders = record.orders
    said = {
        "service": record.service,
        "status": record.status,
        "outcome": record.outcome,
        "milliseconds": record.timings.whole,
        "body_bytes": record.request_bytes,
        "decision": record.decision,
        "hook_differs": record.hook_differs,
        "silent": record.silent,
        "client": record.client if record.registered else "",
        "judged_orders": len(orders),
        "situations": [order.situation for order in orders],
        "ratings": [order.rating for order in orders if order.rating],
        "rows": [order.row for order in orders if order.row],
        "variants": [order.variant for order in orders if order.variant is not None],
        "urgencies": [order.urgency for order in orders],
        "cards": [card.uuid for card in record.cards],
        "indicators": [card.indicator for card in record.cards],
        "gaps": list(record.gaps),
        "dropped_entries": record.dropped_entries,
        "foreign_entries": record.foreign_entries,
        "unread_texts": record.unread_texts,
        "unmapped_codes": len(record.unmapped_codes),
        "reading_milliseconds": record.timings.reading,
        "deciding_milliseconds": record.timings.deciding,
        "cards_milliseconds": record.timings.cards,
        "fetch_milliseconds": record.timings.fetching,
        "fetch_queries": record.fetch_queries,
        "failure": record.failure,
    }
    return {name: value for name, value in said.items() if value or name == "status"}


@pytest.mark.parametrize("name", CALLS)
def test_a_line_says_what_the_record_says_and_the_same_without_one(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    call, caller = CALLS[name]
    kept, unkept = KeptRecords(), recorder_to(None, "info")
    line = _line(call, caller, recorder_to(kept, "info"), capfd)
    (record,) = kept.calls
    assert line.pop("record") == f"kept-{kept.records.index(record) + 1}"
    beside = {key: line.pop(key, None) for key in ("time", "level", "event", "patient", "user", "fetch_troubles")}
    assert {key: value for key, value in line.items() if value} == _said_of(record)
    assert len(beside["patient"] or "") == (16 if record.patient else 0)
    without = _line(call, caller, unkept, capfd)
    lasting = {**line, **{key: value for key, value in beside.items() if value}}
    if not record.body_digest or record.outcome != "answered":  # then the id is made up
        lasting["decision"] = without["decision"]
    for varies in VARIES:
        lasting.pop(varies, None)
        without.pop(varies, None)
    assert without == lasting
