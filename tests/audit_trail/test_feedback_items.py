"""Feedback as it is recorded: every spelling that clients are known to use means the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit_trail.feedback import card_uuid, item_of, outcome_moment, same_report
from audit_trail.happened import reports_once
from audit_trail.queries import Outcome, Place
from audit_trail.record import FeedbackItem, FeedbackRecord, decode, encode
from cds_service.feedback import read_feedback

CARD = "9368d37b-283f-44a0-93ea-547cebab93ed"
RECEIVED = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MENU = "https://example.org/cds-services/override-reasons"
VENDOR = "com.epic.cdshooks.feedback.overrideReason."


def overridden(**more: object) -> dict[str, Any]:
    return {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-11-25T10:05:31Z", **more}


CODED = {"reason": {"code": "contraindicated", "system": MENU, "display": "bad"}}
OWN_MENU = {VENDOR + "reasonCategory": "45", VENDOR + "reasonDisplay": "Not met", VENDOR + "reasonTitle": "Title"}
# Facts: what is reported. Outcome: code, system, display, comment.
REASONS: dict[str, tuple[dict[str, Any], tuple[str, str, str, str]]] = {
    "none": (overridden(), ("", "", "", "")),
    "2.0 and 3.0: a reason": (overridden(overrideReason=CODED), ("contraindicated", MENU, "bad", "")),
    "2.0 and 3.0: a comment": (overridden(overrideReason={"userComment": " my words "}), ("", "", "", "my words")),
    "both": (overridden(overrideReason={**CODED, "userComment": "x"}), ("contraindicated", MENU, "bad", "x")),
    "the public sandbox: no system": (overridden(overrideReason={"reason": {"code": "a"}}), ("a", "", "", "")),
    "a vendor's plural, one object": (
        overridden(overrideReasons={**CODED, "userComment": "User Entered Free Text"}),
        ("contraindicated", MENU, "bad", "User Entered Free Text"),
    ),
    "a vendor's own menu in an extension": (
        overridden(overrideReasons={"extension": OWN_MENU, "userComment": "x"}),
        ("45", VENDOR + "reasonCategory", "Not met", "x"),
    ),
    "the category as a number": (
        overridden(overrideReasons={"extension": {VENDOR + "reasonCategory": 45}}),
        ("45", VENDOR + "reasonCategory", "", ""),
    ),
    "a code as a number": (overridden(overrideReason={"reason": {"code": 45}}), ("45", "", "", "")),
    "words without a category": (
        overridden(overrideReasons={"extension": {VENDOR + "reasonTitle": "Title"}}),
        ("", "", "Title", ""),
    ),
    "an extension of another kind": (overridden(overrideReasons={"extension": {"com.example": {"x": 1}}}), ("",) * 4),
    "a list": (
        overridden(overrideReasons=[{"userComment": "first"}, CODED, {"userComments": "then"}]),
        ("contraindicated", MENU, "bad", "first\nthen"),
    ),
    "both spellings": (
        overridden(overrideReason=CODED, overrideReasons={**CODED, "userComment": "x"}),
        ("contraindicated", MENU, "bad", "x"),
    ),
    "nulls": (overridden(overrideReason=None, overrideReasons={"reason": None, "userComment": None}), ("",) * 4),
    "half a surrogate pair": (overridden(overrideReason={"userComment": "a\ud800b"}), ("", "", "", "a?b")),
}


@pytest.mark.parametrize(("reported", "told"), REASONS.values(), ids=list(REASONS))
def test_the_reason_is_found_under_every_spelling(reported: dict[str, Any], told: tuple[str, ...]) -> None:
    body = json.dumps({"feedback": [reported]}).encode()
    read = read_feedback(body, "lumbar-imaging-order-select")
    assert read.refusal is None
    (item,) = read.items
    assert (item.reason_code, item.reason_system, item.reason_display, item.comment) == told
    assert json.loads(item.item) == reported
    kept = decode(encode(FeedbackRecord(at=RECEIVED, service="s", items=read.items)))
    assert isinstance(kept, FeedbackRecord)
    assert kept.items == read.items


def test_what_is_accepted_is_named_by_its_suggestions() -> None:
    suggestion = "e56e1945-20b3-4393-8503-a1a20fd73152"
    reported = {
        **overridden(),
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": f"urn:uuid:{suggestion.upper()}"}],
    }
    assert item_of(reported).accepted_suggestions == (suggestion,)


@pytest.mark.parametrize("written", [CARD, CARD.upper(), f"urn:uuid:{CARD}", f" URN:UUID:{CARD.upper()} "])
def test_a_card_is_the_same_however_its_id_is_written(written: str) -> None:
    assert card_uuid(written) == CARD


MOMENTS = {
    "utc": ("2026-11-25T10:05:31Z", "2026-11-25T10:05:31+00:00"),
    "an offset": ("2026-11-25T10:05:31+01:00", "2026-11-25T09:05:31+00:00"),
    "no zone is utc": ("2026-11-25 10:05", "2026-11-25T10:05:00+00:00"),
    "a comma": ("2026-11-25t10:05:31,5z", "2026-11-25T10:05:31.500000+00:00"),
    "late by a week": ("2026-11-18T10:05:31Z", "2026-11-18T10:05:31+00:00"),
    "a clock that is fast": ("2026-11-25T12:05:00Z", RECEIVED.isoformat()),
    "no such day": ("2026-11-31T10:00:00Z", RECEIVED.isoformat()),
    "before the calendar": ("0001-01-01T00:00:00+14:00", RECEIVED.isoformat()),
}


@pytest.mark.parametrize(("stated", "meant"), MOMENTS.values(), ids=list(MOMENTS))
def test_the_moment_is_the_clients_but_never_in_the_future(stated: str, meant: str) -> None:
    assert outcome_moment(FeedbackItem(card=CARD, outcome="overridden", outcome_timestamp=stated), RECEIVED) == (
        datetime.fromisoformat(meant)
    )


def test_a_repeated_report_is_the_same_and_a_later_outcome_is_not() -> None:  # FB-4
    first = item_of(overridden())
    again = item_of(overridden(card=CARD.upper(), outcomeTimestamp="2026-11-25T11:05:31+01:00"))
    assert same_report(first) == same_report(again)
    other = item_of(overridden(outcomeTimestamp="2026-11-25T10:05:32Z"))
    accepted = item_of({**overridden(), "outcome": "accepted", "acceptedSuggestions": [{"id": "x"}]})
    assert len({same_report(each) for each in (first, other, accepted)}) == 3


def test_a_report_is_sent_again_once_also_by_a_client_whose_clock_runs_ahead() -> None:
    ahead = item_of(overridden(outcomeTimestamp=(RECEIVED + timedelta(seconds=90)).isoformat()))
    found = [Outcome(ahead, RECEIVED + timedelta(seconds=each), Place("w", each)) for each in (0, 30, 60)]
    assert len(reports_once(found)) == 1


def test_an_enormous_item_is_kept_by_its_members_only() -> None:
    item = item_of(overridden(extension={"com.example": "x" * 20_000}, overrideReason=CODED))
    assert (item.item, item.reason_code) == (b"", "contraindicated")
