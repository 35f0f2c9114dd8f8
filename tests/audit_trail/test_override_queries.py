"""Overrides out of the store: on both databases, cheaply, and in whatever order records arrive."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from audit_trail.draining import StoreDown
from audit_trail.override_queries import decisions_of, feedback_seen, outcomes_since
from audit_trail.overrides import CardOutcome, Whose
from audit_trail.queries import Queries
from audit_trail.record import DecisionRecord, FeedbackItem, FeedbackRecord, Record
from audit_trail.store import Store
from cds_service.collaborators import GuidelinesByDay
from cds_service.operator_log import OperatorLog
from cds_service.override_watch import SECONDS_BETWEEN_WHOLE_LOOKS, OverrideWatch
from cds_service.settings import Settings
from rules.facts import ClinicalPicture
from rules.recommendation import Recommendation
from tests.audit_trail.recorded import NOON, recorded
from tests.audit_trail.stores import frames
from tests.cards.builders import a_picture, advise
from tests.cds_service.service_under_test import a_call

SINCE = NOON - timedelta(hours=8)


def keep(store: Store, *records: Record, writer: str = "worker-1", first: int = 1) -> None:
    store.append(writer, frames(list(records), first))


def told(decision: DecisionRecord, at: datetime = NOON, outcome: str = "overridden", **more: str) -> FeedbackRecord:
    item = FeedbackItem(
        card=decision.cards[0].uuid,
        outcome=outcome,
        reason_code="planned-procedure",
        outcome_timestamp=at.isoformat(),
    )
    return FeedbackRecord(
        at=at + timedelta(seconds=2), service=decision.service, client=decision.client, items=(replace(item, **more),)
    )


def call(number: int = 1) -> DecisionRecord:
    return recorded({**a_call(), "hookInstance": f"00000000-0000-4000-8000-{number:012d}"})


class Asked:
    """A watch at a store, and a clinician who asks."""

    def __init__(self, store: Store) -> None:
        self.now = NOON
        self.down = False
        self.store = store
        self.watch = OverrideWatch(self._queries, GuidelinesByDay(Settings()), OperatorLog("error"), lambda: self.now)

    def _queries(self) -> Queries:
        if self.down:
            raise StoreDown("out of reach")
        return Queries(self.store)

    def remembered(self, after: timedelta = timedelta(0)) -> int:
        self.now += after
        self.watch.look()
        return len(self.watch.memory)


def test_an_override_is_found_with_its_moment_and_its_reason(store: Store) -> None:
    decision = call()
    keep(store, decision, told(decision))
    queries = Queries(store)
    (outcome,) = outcomes_since(queries, SINCE)
    assert outcome == CardOutcome(
        "st-anna", decision.cards[0].uuid, "overridden", NOON, NOON + timedelta(seconds=2), "planned-procedure"
    )
    card = (outcome.client, outcome.card)
    assert decisions_of(queries, frozenset({card, ("st-bea", outcome.card), ("st-anna", "unknown")})) == {
        card: decision
    }
    assert feedback_seen(queries, SINCE).count == 1
    assert feedback_seen(queries, NOON + timedelta(hours=1)).count == 0


def test_the_watch_learns_what_arrives_and_forgets_what_is_over(store: Store) -> None:
    asked, decision = Asked(store), call()
    keep(store, decision)
    assert asked.remembered() == 0
    keep(store, told(decision), first=2)
    assert asked.remembered(timedelta(seconds=1)) == 1
    assert asked.remembered(timedelta(hours=7)) == 1
    assert asked.remembered(timedelta(hours=1, seconds=2)) == 0


def test_an_override_that_is_taken_back_is_over(store: Store) -> None:
    asked, decision = Asked(store), call()
    keep(store, decision, told(decision))
    assert asked.remembered() == 1
    keep(store, told(decision, NOON + timedelta(minutes=1), "accepted"), first=3)
    assert asked.remembered(timedelta(minutes=2)) == 0


def test_a_decision_whose_journal_is_drained_after_the_feedback_is_found_at_the_next_whole_look(store: Store) -> None:
    asked, decision = Asked(store), call()
    keep(store, told(decision))
    assert asked.remembered() == 0
    keep(store, decision, writer="worker-2")
    assert asked.remembered(timedelta(seconds=SECONDS_BETWEEN_WHOLE_LOOKS)) == 1


def test_while_the_store_is_down_what_was_remembered_stays(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    asked, decision = Asked(store), call()
    keep(store, decision, told(decision))
    assert asked.remembered() == 1
    asked.down = True
    for _ in range(3):
        assert asked.remembered(timedelta(seconds=1)) == 1
    assert capfd.readouterr().err.count("new overrides are missed") == 1
    asked.down = False
    keep(store, told(decision, NOON, "accepted"), first=3)
    assert asked.remembered(timedelta(seconds=1)) == 0


def test_where_nothing_new_has_arrived_the_records_are_not_read_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, decision = Asked(store), call()
    keep(store, decision, told(decision))
    assert asked.remembered() == 1
    monkeypatch.setattr(
        "cds_service.override_watch.outcomes_since", partial(pytest.fail, "the records were read again")
    )
    assert asked.remembered(timedelta(seconds=1)) == 1


def test_who_is_not_named_by_any_override_is_answered_without_looking_at_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_key(advice: Recommendation, picture: ClinicalPicture) -> None:
        pytest.fail("a digest was made of the facts")

    monkeypatch.setattr("audit_trail.overrides.advice_key", no_key)
    watch = OverrideWatch(
        lambda: pytest.fail("the store was asked"), GuidelinesByDay(Settings()), OperatorLog(), lambda: NOON
    )
    whose = Whose("st-anna", "", "Practitioner/7", "p", "e")
    assert watch.memory.respected(whose, advise(), a_picture(), NOON, 8) is None
