"""Every table of the page of numbers, from one set of facts: the page shows them, and each is a file too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from audit_pages.filters import Filters
from audit_pages.nearest import Nearest
from audit_pages.tables import Cell, Heading, TableView, count, milliseconds, share
from audit_pages.words import OUTCOME, TOPICS, Words, plain, rating_words
from audit_trail.facts import Facts
from audit_trail.statistics import (
    RATINGS,
    Line,
    Note,
    breakdown,
    latency_over_time,
    noted,
    over_time,
    periods,
    reasons,
    time_spent,
)

_LINE: Final = (
    Heading("orders", "Orders", True),
    Heading("appropriate", "Appropriate", True),
    Heading("not", "Not appropriate", True),
    Heading("none", "No criteria apply", True),
    Heading("unrated", "Not rated", True),
    Heading("share", "Appropriate, of rated", True),
    Heading("cards", "Cards", True),
    Heading("accepted", "Accepted", True),
    Heading("overridden", "Overridden", True),
)


class UnmappedCode(Struct, frozen=True, gc=False):
    """A code that no list knows, by its name in a record, with its nearest neighbour."""

    note: Note
    name: str
    nearest: Nearest | None


def over_time_table(facts: Facts) -> TableView:
    """Calls, orders by rating, and cards, for each day or week."""
    steps = periods(facts)
    nothing = (0,) * len(steps)
    calls = over_time(facts, facts.calls, lambda each: each.day, lambda _: "", lambda each: each.calls)
    orders = over_time(facts, facts.orders, lambda each: each.day, lambda each: each.rating, lambda each: each.orders)
    cards = over_time(facts, facts.shown, lambda each: each.day, lambda each: each.outcome, lambda _: 1)
    rows = []
    for place, step in enumerate(steps):
        shown = sum(each[place] for each in cards.values())
        cells = [Cell(step.start.isoformat()), count(calls.get("", nothing)[place])]
        cells += [count(orders.get(rating, nothing)[place]) for rating in RATINGS]
        cells += [count(shown), *(count(cards.get(each, nothing)[place]) for each in ("accepted", "overridden"))]
        rows.append(tuple(cells))
    unit = "week from" if steps and steps[0].days > 1 else "day"
    headings = (
        Heading("day", unit.capitalize()), Heading("calls", "Calls", True),
        *(Heading(f"r{place}", rating_words(each).capitalize(), True) for place, each in enumerate(RATINGS)),
        Heading("cards", "Cards", True), Heading("accepted", "Accepted", True),
        Heading("overridden", "Overridden", True),
    )  # fmt: skip
    return TableView("over-time", f"Calls, orders by rating, and cards, by {unit}", headings, tuple(rows), "day")


def outcomes_table(facts: Facts, href: Callable[..., str]) -> TableView:
    """What became of the calls."""
    counts: dict[tuple[str, int, str], int] = {}
    for each in facts.calls:
        key = (each.outcome, each.status, each.failure)
        counts[key] = counts.get(key, 0) + each.calls
    rows = tuple(
        (
            Cell(OUTCOME.get(outcome, outcome), href=href(outcome=outcome)),
            Cell(failure or "–"),
            count(status),
            count(calls),
        )
        for (outcome, status, failure), calls in counts.items()
    )
    headings = (
        Heading("outcome", "Outcome"),
        Heading("why", "Failure"),
        Heading("status", "Status", True),
        Heading("calls", "Calls", True),
    )
    return TableView("outcomes", "What became of the calls", headings, rows).by("-calls")


def lines_table(name: str, title: str, first: str, lines: Iterable[Line], said: Callable[[str], Cell]) -> TableView:
    """A breakdown."""
    rows = tuple((said(each.name), *_cells(each)) for each in lines)
    return TableView(name, title, (Heading("name", first), *_LINE), rows).by("-orders")


def _cells(line: Line) -> tuple[Cell, ...]:
    return (
        count(line.orders),
        *(count(each) for each in line.ratings),
        share(line.appropriate.percent, line.ratings[0], line.rated),
        count(line.shown),
        share(line.acceptance.percent, line.accepted, line.shown),
        share(line.override.percent, line.overridden, line.shown),
    )


def breakdowns(
    facts: Facts, words: Words, filters: Filters, href: Callable[..., str], report: Callable[[str], str]
) -> tuple[TableView, ...]:
    """By service, situation, rule row, study, clinician and client."""

    def linked(part: str, said: Callable[[str], str], none: str = "") -> Callable[[str], Cell]:
        return lambda name: Cell(said(name), href=href(**{part: name or none}) if name or none else "")

    def person(user: str) -> Cell:
        return Cell(words.person(user), href=report(words.alias(user)) if user else "")

    return (
        lines_table("by-service", "By service", "Service", breakdown(facts, "service"), linked("service", str)),
        lines_table(
            "by-situation", "By kind of card", "Kind of card", breakdown(facts, "situation"), linked("situation", plain)
        ),
        lines_table(
            "by-rule",
            "By the rule row that led",
            "Rule row",
            breakdown(facts, "row"),
            lambda row: Cell(words.row(row), href=href(rule=row or "none"), sub=row),
        ),
        lines_table(
            "by-study", "By ordered study", "Study", breakdown(facts, "procedure"), linked("study", words.study, "none")
        ),
        lines_table("by-clinician", "By clinician", "Clinician", breakdown(facts, "user"), person),
        lines_table(
            "by-client",
            "By client",
            "Client",
            breakdown(facts, "client"),
            linked("client", lambda name: name or "not named"),
        ),
    )


def reasons_table(facts: Facts, words: Words) -> TableView:
    """Why cards were overridden."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in reasons(facts):
        counts[words.reason(each.code, each.text), each.code if each.text else ""] += each.count
    of = sum(counts.values())
    rows = tuple(
        (Cell(said, sub=code), count(number), share(100 * number / of, number, of))
        for (said, code), number in counts.items()
    )
    headings = (Heading("reason", "Reason"), Heading("count", "Cards", True), Heading("share", "Of overridden", True))
    return TableView("reasons", "Reasons of overridden cards", headings, rows).by("-count")


def missing_table(facts: Facts, href: Callable[..., str]) -> TableView:
    """Parts of records that could not be read."""
    rows = tuple((Cell(each.value, href=href(gap=each.value)), count(each.calls)) for each in noted(facts, "gap"))
    return TableView(
        "missing",
        "Parts of the record that could not be read",
        (Heading("what", "Part: why"), Heading("calls", "Calls", True)),
        rows,
    ).by("-calls")


def silence_table(facts: Facts, words: Words) -> TableView:
    """Findings on which the record was silent: presumed, or asked."""
    presumed = {each.value: each.calls for each in noted(facts, "presumed")}
    asked = {each.value: each.calls for each in noted(facts, "asked")}
    rows = tuple(
        (Cell(words.finding(name).capitalize()), count(presumed.get(name, 0)), count(asked.get(name, 0)))
        for name in dict.fromkeys([*asked, *presumed])
    )
    headings = (
        Heading("finding", "Finding"),
        Heading("presumed", "Presumed absent", True),
        Heading("asked", "Asked", True),
    )
    return TableView("silence", "Findings that were not on record", headings, rows).by("-presumed")


def unmapped_table(codes: Iterable[UnmappedCode], href: Callable[..., str]) -> TableView:
    """Codes that no list knows."""
    rows = tuple(
        (
            Cell(each.note.value, href=href(unmapped=f"{each.note.system}|{each.note.value}"), sub=each.note.system),
            Cell(each.name or "–"),
            Cell(each.nearest.concept, sub=each.nearest.because) if each.nearest else Cell("nothing is near"),
            count(each.note.calls),
        )
        for each in codes
    )
    headings = (
        Heading("code", "Code"), Heading("name", "As the record names it"), Heading("nearest", "Nearest known concept"),
        Heading("calls", "Calls", True),
    )  # fmt: skip
    return TableView("unmapped", "Codes that no list knows", headings, rows).by("-calls")


def latency_table(facts: Facts) -> TableView:
    """Percentiles of answered calls over time."""
    rows = tuple(
        (
            Cell(each.period.start.isoformat()),
            count(each.calls),
            milliseconds(each.median),
            milliseconds(each.p95),
            milliseconds(each.p99),
        )
        for each in latency_over_time(facts)
    )
    headings = (
        Heading("day", "From"), Heading("calls", "Calls", True), Heading("median", "Median", True),
        Heading("p95", "95th percentile", True), Heading("p99", "99th percentile", True),
    )  # fmt: skip
    return TableView("latency", "Time of answered calls", headings, rows, "day")


def time_table(facts: Facts) -> TableView:
    """Where the time goes."""
    rows = tuple(
        (Cell(TOPICS[part].capitalize()), milliseconds(median), milliseconds(slow))
        for part, (median, slow) in time_spent(facts.took).items()
    )
    headings = (
        Heading("part", "Part of a call"),
        Heading("median", "Median", True),
        Heading("p95", "95th percentile", True),
    )
    return TableView("time", "Where the time goes", headings, rows)


def troubles_table(facts: Facts) -> TableView:
    """Queries to the EHRs' own servers that went wrong."""
    rows = tuple((Cell(each.value), count(each.calls)) for each in noted(facts, "fetch trouble"))
    return TableView(
        "troubles",
        "Queries to EHRs' servers that went wrong",
        (Heading("what", "Query: what went wrong"), Heading("calls", "Calls", True)),
        rows,
    ).by("-calls")
