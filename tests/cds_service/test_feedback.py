"""Feedback: the shapes of the specification and of vendors are taken; what is broken is named item by item."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.errors import AnotherClientsCard, InvalidFeedback, MalformedBody
from cds_service.feedback import read_feedback
from cds_service.schemas import validator

SERVICE = "lumbar-imaging-order-select"
ACCEPTED: dict[str, Any] = {
    "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
    "outcomeTimestamp": "2026-11-25T10:05:31Z",
}
OVERRIDDEN: dict[str, Any] = {
    "card": "9368d37b-283f-44a0-93ea-547cebab93ed",
    "outcome": "overridden",
    "outcomeTimestamp": "2026-11-25T10:05:31.123+01:00",
}


def overridden(**more: object) -> dict[str, Any]:
    return {**OVERRIDDEN, **more}


def without(item: dict[str, Any], member: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != member}


def report(*items: object) -> bytes:
    return json.dumps({"feedback": list(items)}).encode()


REASON = {"reason": {"code": "d7ecf885", "system": "https://example.org/cds-services/override-reasons"}}

SOUND = [
    pytest.param(ACCEPTED, id="accepted"),
    pytest.param(OVERRIDDEN, id="overridden-without-reason"),
    pytest.param(overridden(overrideReason=REASON), id="reason"),
    pytest.param(overridden(overrideReason={"userComment": "clinician's own words"}), id="comment"),
    pytest.param(overridden(overrideReason={**REASON, "userComments": "both"}), id="reason-and-comment"),
    pytest.param(overridden(overrideReason={"reason": {"code": "x"}}), id="reason-without-system"),
    pytest.param(overridden(overrideReasons=REASON), id="plural-holding-one-object"),
    pytest.param(overridden(overrideReasons={"extension": {"com.example.reason": "1"}}), id="extension-for-reason"),
    pytest.param(overridden(outcomeTimestamp="2026-11-25T10:05:31"), id="time-without-zone"),
    pytest.param({**ACCEPTED, "com.example": {"x": 1}}, id="unknown-member"),
    pytest.param({**ACCEPTED, "extension": {"com.example.seen": True}}, id="extension-of-the-item"),
    pytest.param({**ACCEPTED, "card": "urn:uuid:4E0A3A1E-3283-4575-AB82-028D55FE2719"}, id="card-as-urn"),
    pytest.param(overridden(overrideReasons=[REASON, {"userComment": "and a word"}]), id="a-list-of-reasons"),
    pytest.param(overridden(overrideReasons=None), id="null-reasons"),
    pytest.param(overridden(overrideReason={"reason": None, "userComment": None}), id="null-inside"),
]

BROKEN = [
    pytest.param(without(ACCEPTED, "card"), "feedback[0] needs card", id="no-card"),
    pytest.param(without(ACCEPTED, "outcome"), "feedback[0] needs ", id="no-outcome"),
    pytest.param(without(ACCEPTED, "outcomeTimestamp"), "feedback[0] needs ", id="no-timestamp"),
    pytest.param(without(ACCEPTED, "acceptedSuggestions"), "feedback[0] needs ", id="accepted-nothing"),
    pytest.param({**ACCEPTED, "acceptedSuggestions": []}, "feedback[0].acceptedSuggestions ", id="accepted-empty"),
    pytest.param({**ACCEPTED, "acceptedSuggestions": [{}]}, "acceptedSuggestions[0] needs id", id="accepted-no-id"),
    pytest.param({**ACCEPTED, "outcome": "ignored"}, "feedback[0].outcome ", id="bad-outcome"),
    pytest.param({**ACCEPTED, "outcomeTimestamp": "yesterday"}, "feedback[0].outcomeTimestamp ", id="bad-timestamp"),
    pytest.param({**ACCEPTED, "outcomeTimestamp": 1}, "feedback[0].outcomeTimestamp ", id="number-timestamp"),
    pytest.param(overridden(overrideReason="no"), "feedback[0].overrideReason ", id="reason-is-text"),
    pytest.param(
        overridden(overrideReason={"userComments": "x" * 4001}), "feedback[0].overrideReason.userComments ", id="long"
    ),
    pytest.param("text", "feedback[0]", id="item-is-text"),
]


@pytest.mark.parametrize("item", SOUND)
def test_what_clients_are_known_to_send_is_taken(item: dict[str, Any]) -> None:  # FB-2, FB-5, PX-7
    read = read_feedback(report(item), SERVICE)
    assert read.refusal is None
    assert read.counts.accepted + read.counts.overridden == 1
    assert read.counts.refused == 0
    assert [taken.outcome for taken in read.items] == [item["outcome"]]
    assert list(validator("feedback").iter_errors({"feedback": [item]})) == []


@pytest.mark.parametrize(("item", "named"), BROKEN)
def test_a_broken_item_is_named(item: object, named: str) -> None:  # FB-2, FB-3
    read = read_feedback(report(item), SERVICE)
    assert read.refusal is not None
    assert named in read.refusal.diagnostics
    assert read.counts.refused == 1
    assert read.items == ()
    assert list(validator("feedback").iter_errors({"feedback": [item]})) != []


def test_sound_items_of_a_batch_are_counted_beside_a_broken_one() -> None:  # FB-2, FB-4
    read = read_feedback(report(ACCEPTED, {"card": "x"}, overridden(overrideReason=REASON), ACCEPTED), SERVICE)
    counts = read.counts
    assert (counts.accepted, counts.overridden, counts.with_reason, counts.refused) == (2, 1, 1, 1)
    assert read.refusal is not None
    assert read.refusal.diagnostics.startswith("feedback[1] needs")


def test_a_long_list_of_broken_items_is_cut_and_says_so() -> None:
    refusal = read_feedback(report(*[{}] * 9), SERVICE).refusal
    assert refusal is not None
    assert "and 4 more" in refusal.diagnostics


def test_another_clients_cards_are_named_before_what_is_broken_and_count_for_nothing() -> None:
    read = read_feedback(
        report(*[{}] * 9, ACCEPTED, OVERRIDDEN),
        SERVICE,
        lambda cards: {card: card != ACCEPTED["card"] for card in cards},
    )
    assert isinstance(read.refusal, AnotherClientsCard)
    assert read.refusal.diagnostics.startswith("feedback[9].card was not sent to this client; feedback[0] needs ")
    assert "and 5 more" in read.refusal.diagnostics
    counts = read.counts
    assert (counts.accepted, counts.overridden, counts.refused, counts.of_another_client) == (0, 1, 10, 1)
    assert [item.card for item in read.items] == [OVERRIDDEN["card"]]


def test_what_the_caller_wrote_is_not_repeated() -> None:
    refusal = read_feedback(report({**ACCEPTED, "outcome": "Jane Roe, 1950-01-01"}), SERVICE).refusal
    assert refusal is not None
    assert "Roe" not in refusal.diagnostics


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"feedback":{}}', b'{"feedback":[]}', b"null", b'"x"'])
def test_a_report_without_items_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidFeedback):
        read_feedback(body, SERVICE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"feedback":[],}',
        b'{"feedback":NaN}',
        b'{"feedback":[],"feedback":[]}',
        b'{"feedback":"\xff"}',
        b"[" * 100_000,
    ],
)
def test_a_report_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read_feedback(body, SERVICE)
