"""Report cards: a clinician's appropriateness beside that of peers, on screen and as a sheet of paper."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, abort, render_template, url_for
from msgspec import Struct, structs

from audit_pages import numbers_tables as tables
from audit_pages.charts import Series, lines, strip
from audit_pages.desk import Chosen, Desk, csv_answer, page_href, sorted_as_asked
from audit_pages.tables import Cell, Heading, TableView, count, share
from audit_trail.facts import Facts
from audit_trail.per_cent import per_cent, rounded
from audit_trail.statistics import (
    FEWEST_ORDERS,
    FEWEST_PEERS,
    Line,
    Peers,
    Rate,
    breakdown,
    line,
    over_time,
    peers,
    periods,
    reasons,
)

REPORT_DAYS = 90
_ON_PAPER = frozenset({"name", "orders", "appropriate", "not", "share", "accepted", "overridden"})


class Report(Struct, frozen=True):
    """What stands on one report card."""

    own: Line
    others: Line
    peers: Peers | None
    place: int  # of those with enough orders, the most appropriate first; 0: not among them
    ranked: int

    @property
    def enough(self) -> bool:
        """Are there enough orders for a rate?"""
        return self.own.rated >= FEWEST_ORDERS


class Clinicians:
    """The views."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def page(self) -> str:
        """`GET /audit/clinicians`"""
        chosen = self._desk.chosen(REPORT_DAYS)
        facts = self._desk.facts(chosen.selection)
        found = breakdown(facts, "user")
        self._desk.record("clinicians", chosen, records=len(found))
        return render_template(
            "audit_pages/clinicians.html",
            chosen=chosen,
            today=self._desk.gate.now().date(),
            endpoint="audit.clinicians",
            table=sorted_as_asked(clinicians_table(found, chosen)),
            peers=peers(found),
            chart=_all_of_them(peers(found)),
            fewest=FEWEST_ORDERS,
            too_few=FEWEST_PEERS,
        )

    def file(self) -> Response:
        """`GET /audit/clinicians.csv`"""
        chosen = self._desk.chosen(REPORT_DAYS)
        found = breakdown(self._desk.facts(chosen.selection), "user")
        self._desk.record("clinicians.csv", chosen, records=len(found))
        return csv_answer(sorted_as_asked(clinicians_table(found, chosen)))

    def one(self, alias: str) -> str:
        """`GET /audit/clinicians/{pseudonym}`"""
        chosen = self._desk.chosen(REPORT_DAYS)
        users = [each for each in chosen.choices.users if chosen.words.alias(each) == alias]
        if not users:
            abort(404)
        facts = self._desk.facts(structs.replace(chosen.selection, people=None))
        own = _only(facts, users[0])
        report = report_of(facts, users[0])
        self._desk.record("report card", chosen, records=report.own.orders)
        here = page_href("audit.decisions", structs.replace(chosen.filters, clinician=alias))
        return render_template(
            "audit_pages/report_card.html",
            chosen=chosen,
            alias=alias,
            name=chosen.words.person(users[0]),
            report=report,
            made_on=self._desk.gate.now().date(),
            chart=_beside_peers(report),
            trend=_trend(own),
            studies=_part(own, chosen, "by-study", here),
            rules=_part(own, chosen, "by-rule", here),
            reasons=tables.reasons_table(own, chosen.words),
            given=sum(each.count for each in reasons(own) if each.code or each.text),
            fewest=FEWEST_ORDERS,
            too_few=FEWEST_PEERS,
        )


def report_of(facts: Facts, user: str) -> Report:
    """A clinician's line, that of all others, and where it stands among those with enough orders."""
    by_user = breakdown(facts, "user")
    own = next((each for each in by_user if each.name == user), line(user, (), ()))
    rest = [each for each in by_user if each.name != user and each.name]
    others = line(
        "",
        (each for each in facts.orders if each.user and each.user != user),
        (each for each in facts.shown if each.user and each.user != user),
    )
    enough = sorted(
        (each for each in by_user if each.name and each.rated >= FEWEST_ORDERS),
        key=lambda each: -(each.appropriate.percent or 0),
    )
    place = next((at for at, each in enumerate(enough, start=1) if each.name == user), 0)
    return Report(own, others, peers(rest), place, len(enough))


def clinicians_table(found: tuple[Line, ...], chosen: Chosen) -> TableView:
    """Everybody who ordered, with the range in which their rate may truly lie."""
    rows = []
    for each in found:
        alias = chosen.words.alias(each.name)
        href = f"{url_for('audit.clinician', alias=alias)}?{chosen.filters.query(clinician='')}" if each.name else ""
        rows.append(
            (
                Cell(chosen.words.person(each.name), href=href),
                count(each.orders),
                count(each.rated),
                share(each.appropriate.percent, each.ratings[0], each.rated),
                _range(each.appropriate),
                share(each.acceptance.percent, each.accepted, each.shown),
                share(each.override.percent, each.overridden, each.shown),
            )
        )
    headings = (
        Heading("name", "Clinician"), Heading("orders", "Orders", True),
        Heading("rated", "That criteria apply to", True), Heading("share", "Appropriate", True),
        Heading("range", "95 % range", True), Heading("accepted", "Accepted", True),
        Heading("overridden", "Overridden", True),
    )  # fmt: skip
    return TableView("clinicians", "Clinicians", headings, tuple(rows)).by("-orders")


def _range(rate: Rate) -> Cell:
    ends = rate.interval
    return Cell("–", "") if ends is None else Cell(f"{rounded(ends[0])} to {per_cent(ends[1])}", ends[0])


def _only(facts: Facts, user: str) -> Facts:
    return structs.replace(
        facts,
        orders=tuple(each for each in facts.orders if each.user == user),
        shown=tuple(each for each in facts.shown if each.user == user),
        calls=(),
        noted=(),
        took=(),
    )


def _part(facts: Facts, chosen: Chosen, name: str, here: Callable[..., str]) -> TableView:
    found = tables.breakdowns(facts, chosen.words, chosen.filters, here, lambda _: "")
    whole = next(each for each in found if each.id == name).first(8)
    # A sheet of paper holds the columns that are about the clinician, not those for a spreadsheet.
    kept = [at for at, each in enumerate(whole.headings) if each.key in _ON_PAPER]
    rows = tuple(tuple(row[at] for at in kept) for row in whole.rows)
    return structs.replace(whole, headings=tuple(whole.headings[at] for at in kept), rows=rows)


def _beside_peers(report: Report) -> str:
    if report.peers is None:
        return ""
    own = report.own.appropriate.percent if report.enough else None
    said = f"; this clinician {rounded(own)} per cent" if own is not None else ""
    label = (
        f"Appropriateness of {len(report.peers.rates)} peers: the middle half lies between {rounded(report.peers.low)} "
        f"and {rounded(report.peers.high)} per cent, the median is {rounded(report.peers.middle)} per cent{said}"
    )
    return strip(label, report.peers.rates, own, report.peers.low, report.peers.high, report.peers.middle)


def _all_of_them(found: Peers | None) -> str:
    if found is None:
        return ""
    label = (
        f"Appropriateness of {len(found.rates)} clinicians: the middle half lies between {rounded(found.low)} and "
        f"{rounded(found.high)} per cent, the median is {rounded(found.middle)} per cent"
    )
    return strip(label, found.rates, None, found.low, found.high, found.middle)


def _trend(facts: Facts) -> str:
    """By week or day, in per cent of the orders that criteria apply to; empty where there is next to nothing."""
    steps = periods(facts)
    orders = over_time(facts, facts.orders, lambda each: each.day, lambda each: each.rating, lambda each: each.orders)
    good, bad = orders.get("appropriate", (0,) * len(steps)), orders.get("not-appropriate", (0,) * len(steps))
    values = tuple(100 * a / (a + b) if a + b else None for a, b in zip(good, bad, strict=True))
    if sum(value is not None for value in values) < 3:
        return ""
    begun = next(place for place, value in enumerate(values) if value is not None)
    steps, values = steps[begun:], values[begun:]
    unit = "week" if steps[0].days > 1 else "day"
    series = [Series("appropriate", "first", values)]
    return lines(f"Appropriate orders a {unit}, in per cent", [each.label for each in steps], series, "per cent", 100)
