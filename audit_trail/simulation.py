"""How many cards a day would have been shown from each threshold on: counts over what was decided, shown or not.

A silent client's calls are decided and recorded like any other's, so that a site can measure before it goes live.
A call that was repeated to the byte counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import select

from audit_trail.queries import Queries
from audit_trail.selection import Selection, conditions
from audit_trail.tables import CARD, DECISION, JUDGED_ORDER

THRESHOLDS: Final = (
    ("critical", "critical cards"),
    ("warning", "and warnings"),
    ("info", "and information: every card as it was decided"),
    ("silent line", "and a line for each appropriate order that has no card"),
)
_SEVERITY: Final = {name: rank for rank, (name, _) in enumerate(THRESHOLDS)}


class Shown(Struct, frozen=True, gc=False):
    """One card that would have been shown."""

    decision: str
    day: date
    user: str
    indicator: str
    situation: str
    advice: tuple[str, ...]  # patient, study, kind of advice and row: said again, it is the same advice


class Threshold(Struct, frozen=True):
    """What one threshold would have cost."""

    name: str
    means: str
    cards: int
    a_day: float
    busiest_day: int
    calls_with_card: int
    percent_of_calls: float
    different: int  # pieces of advice, each counted once a day
    a_clinician_a_day: float


class Kind(Struct, frozen=True):
    """Cards of one kind of advice."""

    situation: str
    indicator: str
    cards: int
    a_day: float


class Simulation(Struct, frozen=True):
    """The cost of each threshold over a period."""

    since: datetime | None
    until: datetime | None
    days: int  # with at least one call
    calls: int
    silent_calls: int
    judged_calls: int
    clinicians: int
    thresholds: tuple[Threshold, ...]
    kinds: tuple[Kind, ...]


class _Call(Struct, frozen=True, gc=False):
    decision: str
    at: datetime
    user: str
    patient: str
    silent: bool
    orders: int


def simulate(queries: Queries, chosen: Selection, patient: str = "") -> Simulation:
    """What each threshold would have cost over these calls."""
    calls = _calls(queries, chosen, patient)
    return cost_of(calls.values(), [*_cards(queries, chosen, calls), *_without_card(queries, chosen, calls)])


def cost_of(calls: Iterable[_Call], shown: Sequence[Shown]) -> Simulation:
    """The counts over cards that would have been shown."""
    all_calls = list(calls)
    days = {call.at.astimezone(UTC).date() for call in all_calls}
    judged = sum(call.orders > 0 for call in all_calls)
    people = len({(call.user, call.at.astimezone(UTC).date()) for call in all_calls if call.orders and call.user})
    thresholds = tuple(
        _threshold(
            name, means, [each for each in shown if _SEVERITY[each.indicator] <= rank], len(days), judged, people
        )
        for rank, (name, means) in enumerate(THRESHOLDS)
    )
    moments = [call.at for call in all_calls]
    return Simulation(
        since=min(moments, default=None),
        until=max(moments, default=None),
        days=len(days),
        calls=len(all_calls),
        silent_calls=sum(call.silent for call in all_calls),
        judged_calls=judged,
        clinicians=len({call.user for call in all_calls if call.orders and call.user}),
        thresholds=thresholds,
        kinds=_kinds(shown, len(days)),
    )


def _threshold(name: str, means: str, shown: list[Shown], days: int, judged: int, people: int) -> Threshold:
    by_day = Counter(each.day for each in shown)
    with_card = len({each.decision for each in shown})
    return Threshold(
        name=name,
        means=means,
        cards=len(shown),
        a_day=_per(len(shown), days),
        busiest_day=max(by_day.values(), default=0),
        calls_with_card=with_card,
        percent_of_calls=_per(100 * with_card, judged),
        different=len({(each.day, each.user, *each.advice) for each in shown}),
        a_clinician_a_day=_per(len(shown), people),
    )


def _kinds(shown: Sequence[Shown], days: int) -> tuple[Kind, ...]:
    count = Counter((each.situation, each.indicator) for each in shown)
    return tuple(
        Kind(situation, indicator, cards, _per(cards, days))
        for (situation, indicator), cards in sorted(count.items(), key=lambda one: (_SEVERITY[one[0][1]], -one[1]))
    )


def _per(count: int, of: int) -> float:
    return round(count / of, 1) if of else 0.0


def _calls(queries: Queries, chosen: Selection, patient: str) -> dict[str, _Call]:
    column = DECISION.c
    query = select(column.decision, column.at, column.user_id, column.patient_id, column.silent, column.orders).where(
        *conditions(DECISION, chosen)
    )
    if patient:
        query = query.where(column.patient_id == patient)
    found: dict[str, _Call] = {}
    with queries.connection() as connection:
        for row in connection.execute(query.order_by(column.at)):
            call = _Call(row.decision, row.at, row.user_id, row.patient_id, row.silent, row.orders)
            found.setdefault(row.decision, call)
    return found


def _cards(queries: Queries, chosen: Selection, calls: dict[str, _Call]) -> list[Shown]:
    column = CARD.c
    query = select(
        column.decision, column.uuid, column.indicator, column.situation, column.procedure, column.rule_row
    ).where(*conditions(CARD, chosen))
    found: dict[tuple[str, str], Shown] = {}
    with queries.connection() as connection:
        for row in connection.execute(query):
            call = calls.get(row.decision)
            if call is not None:
                advice = (call.patient, row.procedure, row.situation, row.rule_row)
                found[row.decision, row.uuid] = _shown(call, row.indicator, row.situation, advice)
    return list(found.values())


def _without_card(queries: Queries, chosen: Selection, calls: dict[str, _Call]) -> list[Shown]:
    """Appropriate orders of calls that hold no card: at `order-sign` they stay silent unless a site wants the line."""
    column, card = JUDGED_ORDER.c, CARD.c
    query = (
        select(column.decision, column.reference, column.procedure, column.rule_row)
        .where(*conditions(JUDGED_ORDER, chosen), column.situation == "appropriate")
        .where(column.decision.not_in(select(card.decision).where(*conditions(CARD, chosen))))
    )
    found: dict[tuple[str, str], Shown] = {}
    with queries.connection() as connection:
        for row in connection.execute(query):
            call = calls.get(row.decision)
            if call is not None:
                advice = (call.patient, row.procedure, "appropriate", row.rule_row)
                found[row.decision, row.reference] = _shown(call, "silent line", "appropriate", advice)
    return list(found.values())


def _shown(call: _Call, indicator: str, situation: str, advice: tuple[str, ...]) -> Shown:
    return Shown(call.decision, call.at.astimezone(UTC).date(), call.user, indicator, situation, advice)
