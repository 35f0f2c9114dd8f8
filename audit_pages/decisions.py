"""The list of calls, and one decision whole: its cards as they were seen, its story, its record, what followed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Response, abort, render_template, request, url_for
from msgspec import Struct

from audit_pages.cards_shown import ShownCard, cards_of
from audit_pages.desk import Desk, csv_answer
from audit_pages.gate import viewer
from audit_pages.tables import Cell, Heading, TableView, count, milliseconds
from audit_pages.withheld import Withheld, withheld_from
from audit_pages.words import OUTCOME, RATING, Words, plain
from audit_trail.happened import reports_once
from audit_trail.listing import ORDERS, ListedCall, all_calls_listed, calls_listed, how_many
from audit_trail.packing import NotPacked, unpacked
from audit_trail.queries import Stored
from audit_trail.record import DecisionRecord
from audit_trail.selection import Selection, person
from audit_trail.story import Happened, Section, Story, plain_answer, story_of

_PAGE: Final = 50
_LAST_PAGE: Final = 1_000_000  # farther than any record goes, and no farther than a database counts
_MOST_IN_FILE: Final = 100_000
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Attempt(Struct, frozen=True):
    """Another call of the same decision."""

    name: str
    at: datetime


class Decisions:
    """The views."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def page(self) -> str:
        """`GET /audit/decisions`"""
        chosen = self._desk.chosen()
        order = request.args.get("order", "newest")
        number = min(max(1, request.args.get("page", 1, type=int)), _LAST_PAGE)
        with self._desk.queries().connection() as connection:
            total = how_many(connection, chosen.selection)
            found = calls_listed(connection, chosen.selection, order=order, skip=(number - 1) * _PAGE, limit=_PAGE)
        self._desk.record("list", chosen, records=len(found))
        return render_template(
            "audit_pages/decisions.html",
            chosen=chosen,
            today=self._desk.gate.now().date(),
            endpoint="audit.decisions",
            table=listed_table(found, chosen.words),
            order=order if order in ORDERS else "newest",
            orders=tuple(ORDERS),
            number=number,
            pages=max(1, -(-total // _PAGE)),
            total=total,
            patient="",
        )

    def file(self) -> Response:
        """`GET /audit/decisions.csv`"""
        chosen = self._desk.chosen()
        with self._desk.queries().connection() as connection:
            total = min(_MOST_IN_FILE, how_many(connection, chosen.selection))
        self._desk.record("list: decisions.csv", chosen, records=total)
        with self._desk.queries().connection() as connection:
            found = all_calls_listed(connection, chosen.selection, request.args.get("order", "newest"))
            rows = [each for each, _ in zip(found, range(_MOST_IN_FILE), strict=False)]
        return csv_answer(listed_table(rows, chosen.words, file=True))

    def of_patient(self) -> str:
        """`POST /audit/decisions`: by patient, for an auditor. Not in an address, which others would see."""
        if not viewer().sees_people:
            abort(403)
        chosen = self._desk.chosen()
        patient = request.form.get("patient", "").strip()
        everything = Selection(since=_BEGINNING, until=self._desk.gate.now() + timedelta(days=1))
        with self._desk.queries().connection() as connection:
            found = calls_listed(connection, everything, patient=patient, limit=500) if patient else ()
        self._desk.record_patient(patient[:200], records=len(found))
        return render_template(
            "audit_pages/decisions.html",
            chosen=chosen,
            today=self._desk.gate.now().date(),
            endpoint="audit.decisions",
            table=listed_table(found, chosen.words),
            order="newest",
            orders=(),
            number=1,
            pages=1,
            total=len(found),
            patient=patient,
        )

    def one(self, name: str) -> str:
        """`GET /audit/decisions/{id}`"""
        calls = self._calls(name)
        self._desk.record("show", decision=calls[0].record.decision, records=len(calls))
        queries, words = self._desk.queries(), self._desk.words()
        stored, record = calls[0], calls[0].record
        outcomes = reports_once(queries.outcomes(record))  # clients send a report again when they are not sure
        hidden = withheld_from(record, words)
        sees = words.viewer.sees_people
        accesses = (
            queries.accesses(_BEGINNING, self._desk.gate.now() + timedelta(days=1), record.decision) if sees else ()
        )
        return render_template(
            "audit_pages/decision.html",
            name=stored.place.id,
            record=record,
            words=words,
            clinician=words.person(person(record.client, record.user)),
            patient=words.patient(record.client, record.patient),
            cards=_cards(record, outcomes, hidden),
            story=_story(record, outcomes, hidden, sees),
            outcomes=[(each, hidden.of(each.item.comment) if sees else "") for each in outcomes],
            attempts=[Attempt(each.place.id, each.record.at) for each in calls[1:]],
            views=queries.page_views(record.decision),
            accesses=accesses,
            answer=_pretty(record.answer) if sees else "",
            ratings=[RATING.get(each.rating, (each.rating, "")) for each in record.orders],
            outcome=OUTCOME.get(record.outcome, record.outcome),
            plain=plain,
        )

    def request_file(self, name: str) -> Response:
        """`GET /audit/decisions/{id}/request.json`: the stored request, for an auditor."""
        if not viewer().sees_people:
            abort(403)
        record = self._calls(name)[0].record
        self._desk.record("show request", decision=record.decision, records=1)
        try:
            body = unpacked(record.request)
        except NotPacked:
            abort(404)
        if not body:
            abort(404)
        answer = Response(body, content_type="application/json")
        answer.headers["Content-Disposition"] = 'attachment; filename="request.json"'
        return answer

    def _calls(self, name: str) -> tuple[Stored[DecisionRecord], ...]:
        calls = self._desk.queries().calls(name[:200])
        if not calls:
            abort(404)
        return calls


def listed_table(found: list[ListedCall] | tuple[ListedCall, ...], words: Words, file: bool = False) -> TableView:
    """The list as a table; a file has a column for each number."""
    headings = (
        Heading("at", "Time (UTC)"), Heading("study", "Ordered", wide=True), Heading("rating", "Rating"),
        Heading("kind", "Kind of card", wide=True), Heading("card", "Card"), Heading("who", "Clinician"),
        Heading("client", "Client"), *(_FILE_ONLY if file else _PAGE_ONLY), Heading("ms", "Time", True),
    )  # fmt: skip
    return TableView("decisions", "Calls", headings, tuple(_listed(each, words, file) for each in found))


_FILE_ONLY: Final = (
    Heading("row", "Rule row"), Heading("reported", "Reported"), Heading("gaps", "Not read", True),
    Heading("unmapped", "Unmapped codes", True), Heading("decision", "Decision"),
)  # fmt: skip
_PAGE_ONLY: Final = (Heading("data", "Not read"),)


def _listed(each: ListedCall, words: Words, file: bool) -> tuple[Cell, ...]:
    call, first = each.call, each.orders[0] if each.orders else None
    more = f" and {len(each.orders) - 1} more" if len(each.orders) > 1 else ""
    rating, look = RATING.get(first.rating, (first.rating, "")) if first is not None else ("", "")
    failed = f"failed: {call.failure}" if call.outcome == "failed" else OUTCOME.get(call.outcome, call.outcome)
    row = words.row(first.row) if first is not None and first.row else ""
    reported = ", ".join(each.reported)
    missing = [f"{call.gaps} parts" if call.gaps > 1 else "1 part"] if call.gaps else []
    missing += [f"{call.unmapped} codes" if call.unmapped > 1 else "1 code"] if call.unmapped else []
    of_file = (Cell(row), Cell(reported), count(call.gaps), count(call.unmapped), Cell(call.decision))
    return (
        Cell(
            f"{call.at:%Y-%m-%d %H:%M:%S}",
            href=url_for("audit.decision", name=call.place.id),
            sub=call.service.removeprefix("lumbar-imaging-"),
        ),
        Cell(words.study(first.procedure) + more if first is not None else failed),
        Cell(rating, look=look if rating else ""),
        Cell(plain(first.situation) if first is not None else "", sub=row),
        Cell(call.indicator, look=call.indicator, sub=reported),
        Cell(
            words.person(person(call.client, call.user)),
            sub=words.patient(call.client, call.patient) if call.patient else "",
        ),
        Cell(call.client, sub="silent" if call.silent else ""),
        *(of_file if file else (Cell(", ".join(missing)),)),
        milliseconds(call.milliseconds),
    )


def _cards(record: DecisionRecord, outcomes: tuple[Happened, ...], hidden: Withheld) -> tuple[ShownCard, ...]:
    became = {each.item.card.lower(): (each.item.outcome, each.item.accepted_suggestions) for each in outcomes}
    return cards_of(plain_answer(record), became, hidden.of)


def _story(record: DecisionRecord, outcomes: tuple[Happened, ...], hidden: Withheld, sees: bool) -> Story:
    story = story_of(record, outcomes)
    # What happened next has a table of its own on the page, without comments where these are withheld.
    kept = tuple(each for each in story.sections if each.title != "What happened next")
    if sees:
        return Story(story.title, story.lead, kept)
    return Story(hidden.of(story.title), hidden.of(story.lead), tuple(_hidden(each, hidden) for each in kept))


def _hidden(section: Section, hidden: Withheld) -> Section:
    return Section(
        section.title,
        tuple(map(hidden.of, section.text)),
        tuple(map(hidden.of, section.points)),
        section.columns,
        tuple(tuple(map(hidden.of, row)) for row in section.rows),
    )


def _pretty(packed: bytes) -> str:
    try:
        return json.dumps(json.loads(unpacked(packed)), indent=2, ensure_ascii=False) if packed else ""
    except (NotPacked, ValueError):
        return ""
