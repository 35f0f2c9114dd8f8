"""How many cards a day each threshold would have cost: counted from what was decided, shown or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from audit_trail.queries import Queries
from audit_trail.record import CardSummary, DecisionRecord, OrderSummary
from audit_trail.selection import Selection
from audit_trail.simulation import Simulation, simulate
from audit_trail.store import Store
from cards.ids import ids_of_call
from tests.audit_trail.stores import frames

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ALL = Selection(since=MONDAY - timedelta(days=1), until=MONDAY + timedelta(days=30))
SITUATIONS = {"critical": "emergency", "warning": "not-appropriate", "info": "answer-missing", "": "appropriate"}


def call(
    number: int, at: datetime, indicator: str, user: str = "Practitioner/7", patient: str = "p-1", silent: bool = True
) -> DecisionRecord:
    """A call about one MRI; without an indicator it was appropriate, and no card was shown."""
    ids = ids_of_call("st-anna", "lumbar-imaging-order-sign", f"h-{number}", "d")
    order = OrderSummary(
        reference="ServiceRequest/1",
        procedure="mri",
        situation=SITUATIONS[indicator],
        row="acute",
        rating="appropriate",
    )
    uuid = ids.of("card", order.reference, order.situation)
    return DecisionRecord(
        decision=f"decision-{number}",
        at=at,
        outcome="answered",
        status=200,
        service="lumbar-imaging-order-sign",
        client="st-anna",
        user=user,
        patient=patient,
        silent=silent,
        hook_instance=f"h-{number}",
        body_digest="d",
        orders=(order,),
        cards=(CardSummary(uuid=uuid, indicator=indicator),) if indicator else (),
    )


def left_alone(number: int, at: datetime) -> DecisionRecord:
    return DecisionRecord(
        decision=f"decision-{number}",
        at=at,
        outcome="left alone",
        status=200,
        service="lumbar-imaging-order-sign",
        client="st-anna",
        user="Practitioner/7",
    )


CALLS = (
    call(1, MONDAY, "critical"),
    call(2, MONDAY + timedelta(hours=1), "warning"),
    call(3, MONDAY + timedelta(hours=2), "warning"),  # the same advice again
    call(3, MONDAY + timedelta(hours=2), "warning"),  # the same call to the byte
    call(4, MONDAY + timedelta(days=1), "info", user="Practitioner/8"),
    call(5, MONDAY + timedelta(days=1), "", user="Practitioner/8", patient="p-2"),
    call(6, MONDAY + timedelta(days=1), "", user="Practitioner/8", patient="p-2"),
    left_alone(7, MONDAY + timedelta(days=3)),
)


def simulated(store: Store, chosen: Selection = ALL, patient: str = "") -> Simulation:
    store.append("worker-1", frames(CALLS))
    return simulate(Queries(store), chosen, patient)


def test_each_threshold_says_how_many_cards_a_day_it_would_have_cost(store: Store) -> None:
    found = simulated(store)
    assert (found.days, found.calls, found.silent_calls, found.judged_calls, found.clinicians) == (3, 7, 6, 6, 2)
    costs = {
        each.name: (
            each.cards,
            each.a_day,
            each.busiest_day,
            each.calls_with_card,
            each.percent_of_calls,
            each.different,
        )
        for each in found.thresholds
    }
    assert costs == {
        "critical": (1, 0.3, 1, 1, 16.7, 1),
        "warning": (3, 1.0, 3, 3, 50.0, 2),
        "info": (4, 1.3, 3, 4, 66.7, 3),
        "silent line": (6, 2.0, 3, 6, 100.0, 4),
    }
    assert [each.a_clinician_a_day for each in found.thresholds] == [0.5, 1.5, 2.0, 3.0]
    assert [(each.situation, each.indicator, each.cards) for each in found.kinds] == [
        ("emergency", "critical", 1),
        ("not-appropriate", "warning", 2),
        ("answer-missing", "info", 1),
        ("appropriate", "silent line", 2),
    ]


def test_only_the_chosen_calls_are_counted(store: Store) -> None:
    tuesday = Selection(since=MONDAY + timedelta(hours=12), until=MONDAY + timedelta(days=2))
    found = simulated(store, tuesday)
    assert (found.calls, found.days) == (3, 1)
    assert [each.cards for each in found.thresholds] == [0, 0, 1, 3]
    of_patient = simulate(Queries(store), ALL, "p-2")
    assert [each.cards for each in of_patient.thresholds] == [0, 0, 0, 2]


def test_where_nothing_was_recorded_nothing_would_have_been_shown(store: Store) -> None:
    found = simulate(Queries(store), ALL)
    assert (found.since, found.days, found.calls) == (None, 0, 0)
    assert [each.a_day for each in found.thresholds] == [0.0, 0.0, 0.0, 0.0]
