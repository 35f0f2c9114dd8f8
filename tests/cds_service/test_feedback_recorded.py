"""Feedback on record: each item with its reason and comment, also on a card that nobody knows, and linked when read.

PX-7 the three published bodies of one vendor · FB-4 repeats · FB-5 reasons and comments
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from audit_trail.happened import reports_once
from audit_trail.queries import Queries
from audit_trail.record import FeedbackItem, FeedbackRecord
from audit_trail.store import Store
from audit_trail.story import story_of
from cds_service.app import create_app
from cds_service.settings import Settings
from tests.audit_trail.recorded import NOON, recorded
from tests.audit_trail.stores import address, frames, store
from tests.cds_service.kept_records import KeptRecords, recorder_to
from tests.cds_service.service_under_test import SELECT, a_call
from tests.clinic import usual_tools

__all__ = ["address", "store"]

CARD = "123456"  # as published
TIME = "2022-05-19T19:44:04Z"
CODED = {
    "reason": {
        "code": "contraindicated",
        "display": "bad",
        "system": "http://example.org/cds-services/fhir/CodeSystem/override-reasons",
    },
    "userComment": "User Entered Free Text",
}
VENDOR = "com.epic.cdshooks.feedback.overrideReason."
OWN_MENU = {
    "extension": {
        VENDOR + "reasonCategory": "45",
        VENDOR + "reasonDisplay": "Does not meet criteria",
        VENDOR + "reasonTitle": "Does not meet criteria",
    },
    "userComment": "User Entered Free Text",
}
PUBLISHED: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "overridden with a reason": (
        {"card": CARD, "outcome": "overridden", "outcomeTimestamp": TIME, "overrideReasons": CODED},
        ("contraindicated", "bad", "User Entered Free Text"),
    ),
    "overridden with an extension": (
        {"card": CARD, "outcome": "overridden", "outcomeTimestamp": TIME, "overrideReasons": OWN_MENU},
        ("45", "Does not meet criteria", "User Entered Free Text"),
    ),
    "accepted": (
        {
            "acceptedSuggestions": [{"id": "replaceWithGUID"}],
            "card": CARD,
            "outcome": "accepted",
            "outcomeTimestamp": TIME,
        },
        ("", "", ""),
    ),
}


@pytest.fixture
def kept() -> KeptRecords:
    return KeptRecords()


@pytest.fixture
def client(kept: KeptRecords) -> FlaskClient:
    app = create_app(Settings(), usual_tools(), recorder=recorder_to(kept))
    return app.test_client()


def reported(client: FlaskClient, *items: dict[str, Any]) -> int:
    return client.post(f"{SELECT}/feedback", json={"feedback": list(items)}).status_code


@pytest.mark.parametrize(("item", "told"), PUBLISHED.values(), ids=list(PUBLISHED))
def test_a_vendors_published_bodies_are_recorded_on_a_card_that_nobody_knows(
    client: FlaskClient, kept: KeptRecords, item: dict[str, Any], told: tuple[str, str, str]
) -> None:
    assert reported(client, item) == 200
    (record,) = kept.records
    assert isinstance(record, FeedbackRecord)
    (kept_item,) = record.items
    assert (kept_item.card, kept_item.outcome, kept_item.decision) == (CARD, item["outcome"], "")
    assert (kept_item.reason_code, kept_item.reason_display, kept_item.comment) == told
    assert kept_item.outcome_timestamp == TIME


def test_a_batch_is_one_record_and_what_is_broken_in_it_is_counted(client: FlaskClient, kept: KeptRecords) -> None:
    items = [item for item, _ in PUBLISHED.values()]
    assert reported(client, *items, {"card": CARD}) == 400
    (record,) = kept.records
    assert isinstance(record, FeedbackRecord)
    assert (len(record.items), record.refused) == (3, 1)


def test_feedback_that_cannot_be_recorded_is_not_taken(client: FlaskClient, kept: KeptRecords) -> None:
    kept.broken = True
    (item, _), *_ = PUBLISHED.values()
    assert reported(client, item) == 503


def test_reason_and_comment_are_linked_to_decision_rule_and_clinician(
    client: FlaskClient, kept: KeptRecords, store: Store
) -> None:
    decision = recorded(a_call())
    item = {"card": f"urn:uuid:{decision.cards[0].uuid.upper()}", "outcome": "overridden", "overrideReason": CODED}
    for _ in range(2):  # sent twice
        assert reported(client, {**item, "outcomeTimestamp": "2026-11-25T12:05:00Z"}) == 200
    # The call was recorded as a registered client's, and so is its feedback.
    reports = [
        FeedbackRecord(at=NOON + timedelta(minutes=9), service=each.service, client="st-anna", items=each.items)
        for each in kept.records
        if isinstance(each, FeedbackRecord)
    ]
    store.append("worker-1", frames([*reports, decision]))  # the feedback first: it is linked when it is read
    found = Queries(store).decision(decision.decision)
    assert found is not None
    once = reports_once(Queries(store).outcomes(found.record))
    assert [(each.item.reason_code, each.item.comment) for each in once] == [
        ("contraindicated", "User Entered Free Text")
    ]
    assert (found.record.user, found.record.orders[0].row) == (decision.user, decision.orders[0].row)
    story = story_of(found.record, once)
    (told,) = [section for section in story.sections if section.title == "What happened next"]
    assert told.rows == (("2026-11-25 12:05 UTC", "overridden", "bad; “User Entered Free Text”"),)


def test_another_clients_report_on_the_same_card_is_not_the_decisions(store: Store) -> None:
    decision = recorded(a_call())
    item = FeedbackItem(card=decision.cards[0].uuid, outcome="overridden")
    foreign = FeedbackRecord(at=NOON, service=decision.service, client="st-bea", items=(item,))
    store.append("worker-1", frames([decision, foreign]))
    assert Queries(store).outcomes(decision) == ()
