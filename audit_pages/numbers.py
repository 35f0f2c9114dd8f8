"""`GET /audit`: the page of numbers, and each of its tables as a file."""

from __future__ import annotations

from functools import lru_cache

from flask import Response, abort, render_template, url_for
from msgspec import Struct

from audit_pages import numbers_tables as tables
from audit_pages.charts import Series, bars, lines, stacked_columns
from audit_pages.desk import Chosen, Desk, csv_answer, page_href, sorted_as_asked
from audit_pages.nearest import Neighbours, name_in_record
from audit_pages.tables import TableView
from audit_pages.words import RATING
from audit_trail.facts import Facts
from audit_trail.selection import Selection
from audit_trail.statistics import (
    RATINGS,
    Note,
    breakdown,
    headline,
    latency_over_time,
    noted,
    over_time,
    periods,
)
from fhir_mappings.terminology import Terminology

_NAMED_CODES = 25  # unmapped codes that are looked up in a record each time; the others show their code alone
_NAMES_KEPT = 4096
_ROWS_SHOWN = 12


class Numbers:
    """The views."""

    def __init__(self, desk: Desk, terminology: Terminology) -> None:
        self._desk = desk
        self._neighbours = lru_cache(maxsize=1)(lambda: Neighbours(terminology))
        self._names: dict[tuple[str, str], str] = {}

    def page(self) -> str:
        """`GET /audit`"""
        chosen = self._desk.chosen()
        facts = self._desk.facts(chosen.selection)
        top = headline(facts)
        self._desk.record("numbers", chosen, records=top.calls)
        shown = {each.id: sorted_as_asked(each).first(_most(each)) for each in self._tables(chosen, facts)}
        return render_template(
            "audit_pages/numbers.html",
            chosen=chosen,
            today=self._desk.gate.now().date(),
            top=top,
            tables=shown,
            charts=charts_of(facts),
            endpoint="audit.numbers",
        )

    def file(self, table: str) -> Response:
        """`GET /audit/numbers/{table}.csv`"""
        chosen = self._desk.chosen()
        facts = self._desk.facts(chosen.selection)
        found = next((each for each in self._tables(chosen, facts) if each.id == table), None)
        if found is None:
            abort(404)
        self._desk.record(f"numbers: {table}.csv", chosen, records=len(found.rows))
        return csv_answer(sorted_as_asked(found))

    def _tables(self, chosen: Chosen, facts: Facts) -> tuple[TableView, ...]:
        here, listed = page_href("audit.numbers", chosen.filters), page_href("audit.decisions", chosen.filters)

        def report(alias: str) -> str:
            return f"{url_for('audit.clinician', alias=alias)}?{chosen.filters.query(clinician='')}"

        return (
            tables.over_time_table(facts),
            tables.outcomes_table(facts, listed),
            *tables.breakdowns(facts, chosen.words, chosen.filters, here, report),
            tables.reasons_table(facts, chosen.words),
            tables.missing_table(facts, listed),
            tables.silence_table(facts, chosen.words),
            tables.unmapped_table(self._unmapped(chosen, noted(facts, "unmapped code")), listed),
            tables.latency_table(facts),
            tables.time_table(facts),
            tables.troubles_table(facts),
        )

    def _unmapped(self, chosen: Chosen, notes: tuple[Note, ...]) -> list[tables.UnmappedCode]:
        found = []
        for place, note in enumerate(notes):
            # Names of a site's own codes are record text; the viewer who sees no patient sees those of the lists only.
            name = self._name(chosen.selection, note) if place < _NAMED_CODES else ""
            nearest = self._neighbours().of(note.system, note.value, name)
            found.append(tables.UnmappedCode(note, name if chosen.words.viewer.sees_people else "", nearest))
        return found

    def _name(self, selection: Selection, note: Note) -> str:
        key = (note.system, note.value)
        if key not in self._names:
            queries = self._desk.queries()
            one = Selection(since=selection.since, until=selection.until, unmapped=f"{note.system}|{note.value}")
            listed = queries.decisions(one, limit=1)
            stored = queries.decision(listed[0].place.id) if listed else None
            if len(self._names) >= _NAMES_KEPT:
                self._names.clear()
            self._names[key] = "" if stored is None else name_in_record(stored.record, note.system, note.value)
        return self._names[key]


class Charts(Struct, frozen=True):
    """The pictures of the page."""

    ratings: str
    situations: str
    feedback: str
    latency: str
    gaps: str


def charts_of(facts: Facts) -> Charts:
    """Drawn from the same facts as the tables."""
    steps = periods(facts)
    labels = [each.label for each in steps]
    unit = "week" if steps and steps[0].days > 1 else "day"
    nothing = (0,) * len(steps)
    orders = over_time(facts, facts.orders, lambda each: each.day, lambda each: each.rating, lambda each: each.orders)
    shown = over_time(facts, facts.shown, lambda each: each.day, lambda each: each.outcome, lambda _: 1)
    by_kind = breakdown(facts, "situation")[:8]
    times = latency_over_time(facts)
    gaps = noted(facts, "gap")[:8]
    return Charts(
        ratings=stacked_columns(
            f"Judged orders a {unit}, by rating",
            labels,
            [Series(RATING[each][0], RATING[each][1], orders.get(each, nothing)) for each in RATINGS],
            f"orders a {unit}",
        ),
        situations=bars(
            "Judged orders by kind of card, split by rating",
            [each.name.replace("-", " ") or "none" for each in by_kind],
            [
                Series(RATING[rating][0], RATING[rating][1], tuple(each.ratings[place] for each in by_kind))
                for place, rating in enumerate(RATINGS)
            ],
        ),
        feedback=stacked_columns(
            f"Cards a {unit}, by what became of them",
            labels,
            [
                Series("accepted", "good", shown.get("accepted", nothing)),
                Series("overridden", "bad", shown.get("overridden", nothing)),
                Series("nothing reported", "blank", shown.get("", nothing)),
            ],
            f"cards a {unit}",
        ),
        latency=lines(
            f"Time of answered calls a {unit}: median, 95th and 99th percentile",
            labels,
            [
                Series("median", "first", tuple(each.median for each in times)),
                Series("95th percentile", "second", tuple(each.p95 for each in times)),
                Series("99th percentile", "third", tuple(each.p99 for each in times)),
            ],
            "milliseconds",
        ),
        gaps=bars(
            "Calls in which a part of the record could not be read",
            [each.value for each in gaps],
            [Series("calls", "second", tuple(each.calls for each in gaps))],
        ),
    )


def _most(table: TableView) -> int:
    return len(table.rows) if table.id in ("over-time", "latency", "outcomes", "time") else _ROWS_SHOWN
