"""The numbers of a selection: rates with their uncertainty, breakdowns, reasons and latency. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Final, Literal, TypeVar

from msgspec import Struct

from audit_trail.facts import Facts, Orders, Shown, Took

RATINGS: Final = ("appropriate", "not-appropriate", "no-criteria-apply", "")  # the last: no rating was given
By = Literal["service", "client", "user", "procedure", "row", "situation", "rating"]
T = TypeVar("T")
_Z: Final = 1.959964  # of the normal distribution: 95 %


class Rate(Struct, frozen=True, gc=False):
    """A share, and between what it may truly lie (Wilson's interval, 95 %)."""

    count: int
    of: int

    @property
    def percent(self) -> float | None:
        """Per cent; ``None`` of nothing."""
        return 100 * self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper end in per cent. E. B. Wilson, J Am Stat Assoc 1927;22:209-212."""
        if not self.of:
            return None
        share, n, z = self.count / self.of, self.of, _Z
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


class Line(Struct, frozen=True, gc=False):
    """Orders and cards that have one thing in common: a service, a rule row, a study, a clinician, a client."""

    name: str
    orders: int
    ratings: tuple[int, int, int, int]  # as RATINGS
    shown: int
    accepted: int
    overridden: int

    @property
    def rated(self) -> int:
        """Orders that criteria apply to: the denominator of appropriateness."""
        return self.ratings[0] + self.ratings[1]

    @property
    def appropriate(self) -> Rate:
        """Of the orders that criteria apply to."""
        return Rate(self.ratings[0], self.rated)

    @property
    def acceptance(self) -> Rate:
        """Of the cards shown."""
        return Rate(self.accepted, self.shown)

    @property
    def override(self) -> Rate:
        """Of the cards shown."""
        return Rate(self.overridden, self.shown)


class Headline(Struct, frozen=True):
    """The few numbers at the top."""

    calls: int
    answered: int
    left_alone: int
    failed: int
    orders: Line
    critical: int
    silent: int
    median: float | None
    slow: float | None  # 95 of 100 calls were faster
    gaps: int  # calls that could not read a part of the record


def headline(facts: Facts) -> Headline:
    """The few numbers at the top."""
    outcomes: Counter[str] = Counter()
    for each in facts.calls:
        outcomes[each.outcome] += each.calls
    whole = sorted(each.whole for each in facts.took)
    return Headline(
        calls=sum(outcomes.values()),
        answered=outcomes["answered"],
        left_alone=outcomes["left alone"],
        failed=outcomes["failed"],
        orders=line("", facts.orders, facts.shown),
        critical=sum(each.calls for each in facts.calls if each.indicator == "critical"),
        silent=sum(each.calls for each in facts.calls if each.silent),
        median=percentile(whole, 50),
        slow=percentile(whole, 95),
        gaps=sum(each.unread for each in facts.calls),
    )


def line(name: str, orders: Iterable[Orders], shown: Iterable[Shown]) -> Line:
    """One line of all these."""
    ratings = dict.fromkeys(RATINGS, 0)
    for each in orders:
        ratings[each.rating] = ratings.get(each.rating, 0) + each.orders
    outcomes = Counter(each.outcome for each in shown)
    return Line(
        name=name,
        orders=sum(ratings.values()),
        ratings=(ratings[RATINGS[0]], ratings[RATINGS[1]], ratings[RATINGS[2]], ratings[RATINGS[3]]),
        shown=sum(outcomes.values()),
        accepted=outcomes["accepted"],
        overridden=outcomes["overridden"],
    )


def breakdown(facts: Facts, by: By) -> tuple[Line, ...]:
    """One line for each service, client, ...; most orders first."""
    orders: dict[str, list[Orders]] = {}
    shown: dict[str, list[Shown]] = {}
    for order in facts.orders:
        orders.setdefault(getattr(order, by), []).append(order)
    for card in facts.shown:
        shown.setdefault(getattr(card, by), []).append(card)
    names = dict.fromkeys([*orders, *shown])
    lines = [line(name, orders.get(name, ()), shown.get(name, ())) for name in names]
    return tuple(sorted(lines, key=lambda each: (-each.orders, each.name)))


class Period(Struct, frozen=True):
    """One step of a chart over time: a day, or a week that starts on that Monday."""

    start: date
    days: int

    @property
    def label(self) -> str:
        """As an axis says it."""
        return f"{self.start.day} {self.start:%b}"


MOST_STEPS: Final = 62  # of a chart by day; longer periods go by week


def periods(facts: Facts) -> tuple[Period, ...]:
    """The steps of the time axis."""
    days = facts.days
    if len(days) <= MOST_STEPS:
        return tuple(Period(day, 1) for day in days)
    first = days[0] - timedelta(days=days[0].weekday())
    weeks = (days[-1] - first).days // 7 + 1
    return tuple(Period(first + timedelta(weeks=each), 7) for each in range(weeks))


def over_time(
    facts: Facts, items: Iterable[T], day: Callable[[T], date], key: Callable[[T], str], count: Callable[[T], int]
) -> dict[str, tuple[int, ...]]:
    """For each key, one count for each period."""
    steps = periods(facts)
    found: dict[str, list[int]] = {}
    for each in items:
        place = (day(each) - steps[0].start).days // steps[0].days
        if 0 <= place < len(steps):
            found.setdefault(key(each), [0] * len(steps))[place] += count(each)
    return {name: tuple(counts) for name, counts in found.items()}


class Reason(Struct, frozen=True, gc=False):
    """Why cards were overridden; no code and no text: no reason was given."""

    code: str
    text: str
    count: int


def reasons(facts: Facts) -> tuple[Reason, ...]:
    """The reasons of overridden cards, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in facts.shown:
        if each.outcome == "overridden":
            counts[each.reason_code, each.reason] += 1
    return tuple(Reason(code, text, count) for (code, text), count in counts.most_common())


class Note(Struct, frozen=True, gc=False):
    """How often something was missing, unknown or failed."""

    value: str
    system: str
    calls: int


def noted(facts: Facts, topic: str) -> tuple[Note, ...]:
    """What was noted under this topic, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in facts.noted:
        if each.topic == topic:
            counts[each.value, each.system] += each.calls
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Note(value, system, calls) for (value, system), calls in ranked)


class Latency(Struct, frozen=True):
    """Percentiles of the answered calls of one period; ``None`` without a call."""

    period: Period
    calls: int
    median: float | None
    p95: float | None
    p99: float | None


def latency_over_time(facts: Facts) -> tuple[Latency, ...]:
    """One line for each period."""
    steps = periods(facts)
    times: list[list[float]] = [[] for _ in steps]
    for each in facts.took:
        place = (each.day - steps[0].start).days // steps[0].days
        if 0 <= place < len(steps):
            times[place].append(each.whole)
    found = []
    for step, those in zip(steps, times, strict=True):
        ranked = sorted(those)
        found.append(Latency(step, len(ranked), percentile(ranked, 50), percentile(ranked, 95), percentile(ranked, 99)))
    return tuple(found)


PARTS: Final = ("trust", "reading", "fetching", "deciding", "cards")


def time_spent(took: Sequence[Took]) -> dict[str, tuple[float | None, float | None]]:
    """Median and 95th percentile of each part of a call, and of the whole."""
    found: dict[str, tuple[float | None, float | None]] = {}
    for part in (*PARTS, "whole"):
        ranked = sorted(getattr(each, part) for each in took)
        found[part] = percentile(ranked, 50), percentile(ranked, 95)
    return found


def percentile(ranked: Sequence[float], percent: float) -> float | None:
    """Of sorted values: the smallest that at least so many per cent do not exceed (nearest rank)."""
    if not ranked:
        return None
    return ranked[max(0, math.ceil(percent / 100 * len(ranked)) - 1)]


class Peers(Struct, frozen=True):
    """The appropriateness of those who ordered enough for a rate to mean something."""

    rates: tuple[float, ...]
    low: float
    middle: float
    high: float


FEWEST_ORDERS: Final = 10  # our choice: with fewer, a rate says more about chance than about a clinician
FEWEST_PEERS: Final = 3  # our choice: with fewer, peers could be told apart


def peers(lines: Iterable[Line]) -> Peers | None:
    """Quartiles of the clinicians with enough orders; ``None`` where they are too few to compare with."""
    rates = sorted(
        each.appropriate.percent
        for each in lines
        if each.rated >= FEWEST_ORDERS and each.name and each.appropriate.percent is not None
    )
    if len(rates) < FEWEST_PEERS:
        return None
    low, middle, high = (percentile(rates, each) or 0.0 for each in (25, 50, 75))
    return Peers(tuple(rates), low, middle, high)
