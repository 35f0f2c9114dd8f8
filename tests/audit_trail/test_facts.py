"""What the numbers are made of, on both databases: grouped by the database, and the same as counted by hand."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from audit_trail.facts import choices_in, facts_of
from audit_trail.listing import ORDERS, all_calls_listed, calls_listed, how_many
from audit_trail.queries import Queries
from audit_trail.record import FeedbackItem, SourceRead, Timings
from audit_trail.selection import Selection, person
from audit_trail.sentinels import warnings_of
from audit_trail.store import Store
from audit_trail.watching import watched_at
from tests.audit_trail.stores import NOON, a_decision, a_report, card_of, fill, frames

EVER = Selection(since=NOON - timedelta(days=60), until=NOON + timedelta(days=1))


def facts(store: Store, chosen: Selection = EVER) -> Any:
    with Queries(store).connection() as connection:
        return facts_of(connection, chosen)


def test_calls_of_a_day_are_counted_together(store: Store):
    fill(store, count=12)
    store.append(
        "worker-2",
        frames(
            [
                a_decision(
                    50,
                    at=NOON - timedelta(days=2),
                    outcome="failed",
                    status=412,
                    failure="PatientUnavailable",
                    orders=(),
                    cards=(),
                    gaps=(),
                    unmapped_codes=(),
                )
            ]
        ),
    )
    found = sorted(
        (each.day, each.outcome, each.calls, each.cards, each.unread, each.unmapped) for each in facts(store).calls
    )
    day = NOON.date()
    assert found == [(day - timedelta(days=2), "failed", 1, 0, 0, 0), (day, "answered", 12, 12, 12, 12)]


def test_a_call_that_came_again_counts_once_everywhere(store: Store):
    store.append("worker-1", frames([a_decision(1), a_decision(1), a_decision(2)]))
    found = facts(store)
    assert sum(each.calls for each in found.calls) == 2
    assert sum(each.orders for each in found.orders) == 2
    assert len(found.shown) == 2
    assert {each.calls for each in found.noted if each.topic == "gap"} == {2}


def test_orders_are_grouped_by_everything_that_they_are_looked_at_by(store: Store):
    fill(store, count=12)
    found = facts(store).orders
    assert Counter({each.user: each.orders for each in found}) == {
        person("st-anna", f"Practitioner/{each}"): 4 for each in range(3)
    }
    assert {(each.procedure, each.rating, each.row) for each in found} == {
        ("mri-lumbar-without-contrast", "not-appropriate", "acr-variant-1")
    }


def test_of_several_reports_on_a_card_the_last_counts(store: Store):
    store.append("worker-1", frames([a_decision(1), a_decision(2), a_decision(3, client="silent", silent=True)]))
    reports = [
        a_report(1, outcome="accepted"),
        a_report(1, at=NOON + timedelta(hours=1)),
        a_report(2, client="another"),
    ]
    store.append("worker-2", frames(reports))
    found = sorted((each.outcome, each.reason_code) for each in facts(store).shown)
    assert found == [("", ""), ("overridden", "patient-preference")], (
        "neither another client's report nor a silent card"
    )


def test_what_was_noted_is_counted_by_what_it_says(store: Store):
    store.append(
        "worker-1",
        frames([a_decision(1), a_decision(2, unmapped_codes=(("urn:example", "local-1"), ("urn:a|b", "c|d")))]),
    )
    found = {(each.value, each.system): each.calls for each in facts(store).noted if each.topic == "unmapped code"}
    assert found[("local-1", "urn:example")] == 2
    assert sum(found.values()) == 3
    assert {each.value for each in facts(store).noted if each.topic == "presumed"} == {"saddle-anaesthesia", "cancer"}


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ({"client": "st-bea"}, 3), ({"rating": "appropriate"}, 2), ({"rating": "none"}, 1), ({"procedure": "none"}, 1),
        ({"indicator": "critical"}, 2), ({"indicator": "none"}, 1), ({"outcome": "failed"}, 1), ({"silent": True}, 1),
        ({"gap": "Condition: failed"}, 9), ({"unmapped": "urn:example|local-4"}, 1), ({"situation": "defer"}, 6),
        ({"people": (person("st-bea", "Practitioner/1"),)}, 1), ({"people": ()}, 0),
        ({"users": ("Practitioner/1",)}, 3),
        ({"client": "st-bea", "rating": "appropriate"}, 0), ({"client": "st-anna", "indicator": "critical"}, 2),
    ],
    ids=str,
)  # fmt: skip
def test_every_part_of_a_choice_holds_for_lists_and_numbers_alike(store: Store, chosen: dict[str, Any], count: int):
    usual = a_decision(0)
    (order,), (card,) = usual.orders, usual.cards
    better = (structs.replace(order, rating="appropriate", situation="appropriate"),)
    unknown = (structs.replace(order, rating="", procedure="", situation="not-rated"),)
    grave = (structs.replace(card, indicator="critical"),)
    records = [
        *(a_decision(each, client="st-bea") for each in range(3)),
        *(a_decision(each, orders=better) for each in (3, 4)),
        a_decision(5, orders=unknown),
        *(a_decision(each, cards=grave) for each in (6, 7)),
        a_decision(8, silent=True),
        a_decision(9, outcome="failed", orders=(), cards=(), gaps=()),
    ]
    store.append("worker-1", frames(records))
    wanted = Selection(since=EVER.since, until=EVER.until, **chosen)
    with Queries(store).connection() as connection:
        assert how_many(connection, wanted) == count
        assert len(calls_listed(connection, wanted, limit=50)) == count
    assert sum(each.calls for each in facts(store, wanted).calls) == count


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_of_the_list_shows_each_call_once(store: Store, order: str):
    fill(store, count=17)
    with Queries(store).connection() as connection:
        found = [each.call.place for each in all_calls_listed(connection, EVER, order, page=4)]
    assert len(found) == len(set(found)) == 17


def test_a_listed_call_has_its_orders_and_what_was_reported(store: Store):
    store.append("worker-1", frames([a_decision(1)]))
    item = FeedbackItem(card=card_of(1), outcome="accepted", decision="decision-1")
    store.append("worker-2", frames([a_report(1, items=(item,))]))
    with Queries(store).connection() as connection:
        (found,) = calls_listed(connection, EVER)
    assert [(each.rating, each.situation, each.row) for each in found.orders] == [
        ("not-appropriate", "defer", "acr-variant-1")
    ]
    assert found.reported == ("accepted",)


def test_what_occurs_can_be_chosen(store: Store):
    fill(store, count=5)
    with Queries(store).connection() as connection:
        found = choices_in(connection, EVER.since, EVER.until)
    assert (found.services, found.clients, found.rows) == (
        ("lumbar-imaging-order-select",),
        ("st-anna",),
        ("acr-variant-1",),
    )
    assert set(found.users) == {person("st-anna", f"Practitioner/{each}") for each in range(3)}


SOURCES = (SourceRead("conditions", "read", 3), SourceRead("laboratory", "read", 1), SourceRead("devices", "read", 0))


def test_the_sentinels_see_on_record_what_stopped_and_who_fell_silent(store: Store):
    """Five weeks of calls of two clients; since yesterday one is silent, and the other sends no laboratory results."""
    number = 0
    for day in range(2, 36):
        records = []
        for _ in range(12):
            number += 1
            at = NOON - timedelta(days=day, seconds=number)
            client = "st-bea" if number % 2 else "st-anna"
            records.append(a_decision(number, at=at, client=client, sources=SOURCES, timings=Timings(whole=2.0)))
        store.append(f"day-{day}", frames(records))
    recent = [
        a_decision(
            number + each, at=NOON - timedelta(hours=2, seconds=number), sources=SOURCES[:1], timings=Timings(whole=2.0)
        )
        for each in range(1, 60)
    ]
    store.append("today", frames(recent))
    with Queries(store).connection() as connection:
        found = {(each.kind, each.about) for each in warnings_of(watched_at(connection, NOON))}
    assert ("source stopped", "st-anna: laboratory") in found
    assert ("silence", "st-bea") not in found, "six calls a day may well be none"
    assert not [each for each in found if "devices" in each[1] or "conditions" in each[1]]


def test_a_client_that_is_silent_for_a_day_is_seen_on_record(store: Store):
    number = 0
    for week in range(1, 5):
        records = []
        for each in range(15):
            number += 1
            records.append(a_decision(number, at=NOON - timedelta(weeks=week, hours=1 + each), client="st-bea"))
        store.append(f"week-{week}", frames(records))
    with Queries(store).connection() as connection:
        found = warnings_of(watched_at(connection, NOON))
    assert [(each.kind, each.client, each.recent) for each in found] == [("silence", "st-bea", "0 calls")]
