"""What is asked of the store: lists in pages, one decision with what belongs to it, overrides, contents, accesses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit_trail.queries import Listed, Place, Queries
from audit_trail.record import record_id
from audit_trail.retention import Why, prune_before
from audit_trail.selection import Selection
from audit_trail.store import Store
from tests.audit_trail.stores import (
    NOON,
    a_content,
    a_decision,
    a_report,
    a_view,
    an_access,
    card_of,
    fill,
    frames,
)

EVER = Selection(since=NOON - timedelta(days=1), until=NOON + timedelta(days=1))


@pytest.fixture
def queries(store: Store) -> Queries:
    return Queries(store)


def test_calls_are_listed_newest_first_in_pages_without_one_missing_or_twice(store: Store, queries: Queries) -> None:
    same = [a_decision(each, at=NOON - timedelta(seconds=each)) for each in range(1, 8)]  # all at the same moment
    store.append("worker-1", frames(same))
    store.append("worker-2", frames([a_decision(each) for each in range(8, 20)]))
    whole = queries.decisions(EVER, limit=100)
    paged: list[Listed] = []
    after: Listed | None = None
    while page := queries.decisions(EVER, after=after, limit=3):
        paged += page
        after = page[-1]
    assert tuple(paged) == whole
    assert len({each.place for each in whole}) == 19
    assert [each.at for each in whole] == sorted((each.at for each in whole), reverse=True)


def test_lists_are_filtered(store: Store, queries: Queries) -> None:
    store.append("worker-1", frames([a_decision(1), a_decision(2, client="st-bea"), a_decision(3, patient="x" * 999)]))

    def listed(**more: object) -> list[str]:
        chosen = Selection(since=NOON, until=NOON + timedelta(seconds=4), **more)  # type: ignore[arg-type]
        return [each.decision for each in queries.decisions(chosen)]

    assert listed() == ["decision-3", "decision-2", "decision-1"]
    assert listed(client="st-bea") == ["decision-2"]
    assert listed(unmapped="urn:example|local-3") == ["decision-3"]
    assert listed(unmapped="urn:example|local-") == []  # the whole value, and as it is written
    assert listed(unmapped="urn:example|LOCAL-3") == []
    assert listed(unmapped="local-3") == []
    assert len(listed(gap="Condition: failed")) == 3
    assert listed(users=("Practitioner/1",)) == ["decision-1"]
    assert [each.decision for each in queries.decisions(EVER, patient="x" * 999)] == ["decision-3"]
    until = Selection(since=NOON, until=NOON + timedelta(seconds=2))
    assert [each.decision for each in queries.decisions(until)] == ["decision-1"]  # the end is excluded


def test_a_call_is_found_by_its_decision_or_by_its_record(store: Store, queries: Queries) -> None:
    repeated = a_decision(2, at=NOON + timedelta(minutes=5))
    store.append("w-1", frames([a_decision(1), a_decision(2), repeated]))
    assert [each.place for each in queries.calls("decision-2")] == [Place("w-1", 2), Place("w-1", 3)]
    assert queries.calls(record_id("w-1", 3))[0].record == repeated
    first = queries.decision("decision-2")
    assert first is not None
    assert first.record == a_decision(2)
    for unknown in ("decision-9", "w-1-9", "w-1-99999999999999999999", "", "-", "\x00", "\ud800", "w-1-x"):
        assert queries.decision(unknown) is None


def test_what_became_of_a_calls_cards_comes_in_the_order_of_arrival(store: Store, queries: Queries) -> None:
    call = a_decision(1)
    store.append("worker-1", frames([call, a_decision(2)]))
    late, early = NOON + timedelta(hours=2), NOON + timedelta(hours=1)
    of_others = a_report(1, client="st-bea")
    reports = [a_report(1, late, "accepted"), a_report(2), a_report(1, early), of_others]
    store.append("worker-2", frames(reports))
    found = queries.outcomes(call)
    assert [(each.item.outcome, each.received) for each in found] == [("overridden", early), ("accepted", late)]
    assert queries.outcomes(a_decision(3)) == ()


def test_cards_lead_to_their_decisions_for_their_own_client_only(store: Store, queries: Queries) -> None:
    store.append("worker-1", frames([a_decision(1), a_decision(2, client="st-bea")]))
    asked = [card_of(1).upper(), card_of(2), "unknown", *(f"x{each}" for each in range(1200))]
    assert queries.decisions_of_cards("st-anna", asked) == {card_of(1).upper(): "decision-1"}


def test_overrides_since_a_moment_come_with_their_decisions(store: Store, queries: Queries) -> None:
    store.append("worker-1", frames([a_decision(1), a_decision(2), a_decision(3)]))
    hour = timedelta(hours=1)
    reports = [
        a_report(1, NOON - hour),
        a_report(2, NOON + hour),
        a_report(2, NOON + 2 * hour, "accepted"),
        a_report(3, NOON + hour, "accepted"),
        a_report(77, NOON + hour),  # a card that is not known
    ]
    store.append("worker-2", frames(reports))
    found = queries.reported_since(NOON, "overridden")
    assert [(each.decision.decision, each.item.outcome) for each in found] == [
        ("decision-2", "overridden"),
        ("decision-2", "accepted"),  # it was taken back
    ]
    assert {each.decision.decision for each in queries.reported_since(NOON)} == {"decision-2", "decision-3"}


def test_contents_are_found_by_their_hash(store: Store, queries: Queries) -> None:
    store.append("worker-1", frames([a_content("rules of old"), a_content("rules of today")]))
    found = queries.content("digest of rules of old")
    assert found is not None
    assert found.content == b"rules of old"
    assert queries.has_content("digest of rules of today")
    assert not queries.has_content("digest of others")
    assert queries.content("\x00") is None


def test_page_views_and_accesses_are_records_that_can_be_asked_for(store: Store, queries: Queries) -> None:
    hour = timedelta(hours=1)
    store.append("worker-1", frames([a_view(1), a_view(2), an_access(NOON, "decision-1"), an_access(NOON + hour)]))
    assert [each.record.language for each in queries.page_views("decision-1")] == ["es"]
    everything = queries.accesses(NOON, NOON + 2 * hour)
    assert [each.record.at for each in everything] == [NOON + hour, NOON]
    assert [each.record.who for each in queries.accesses(NOON, NOON + 2 * hour, "decision-1")] == ["ada"]
    assert queries.accesses(NOON + 2 * hour, NOON + 3 * hour) == ()


def test_an_export_of_any_size_reads_every_record_once(store: Store, queries: Queries) -> None:
    fill(store, count=450)
    found = [each.record.decision for each in queries.records(EVER)]
    assert found == [f"decision-{each}" for each in range(450, 0, -1)]
    assert [each.record.patient for each in queries.records(EVER, patient="patient-3")] == ["patient-3"] * 112


def test_what_was_pruned_is_found_no_more(store: Store, queries: Queries) -> None:
    store.append("worker-1", frames([a_decision(1), a_report(1), a_content("text"), a_view(1)]))
    why = Why(writer="machine", by="ada", because="r", now=NOON)
    prune_before(store, NOON + timedelta(hours=1), why)
    assert queries.decisions(EVER) == ()
    assert queries.decision("decision-1") is None
    assert queries.decision("worker-1-1") is None
    assert queries.outcomes(a_decision(1)) == ()
    assert queries.page_views("decision-1") == ()
    assert list(queries.records(EVER)) == []
    assert queries.has_content("digest of text")
