"""What every page of the record needs: the choice that its address makes, the facts, the words for this viewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from flask import Response, request, url_for
from msgspec import Struct

from audit_pages.filters import DEFAULT_DAYS, Filters, read_filters
from audit_pages.gate import Gate, viewer
from audit_pages.seams import Pseudonym, Records
from audit_pages.tables import TableView, csv_of
from audit_pages.words import RATING, Words, plain
from audit_trail.facts import Choices, Facts, choices_in, facts_of
from audit_trail.queries import Queries
from audit_trail.selection import Selection

LABELS: Final = {
    "service": "Service", "client": "Client", "tenant": "Tenant", "study": "Ordered study", "rating": "Rating",
    "situation": "Kind of card", "rule": "Rule row", "outcome": "Outcome of the call", "card": "Gravest card",
    "gap": "Not read", "unmapped": "Unmapped code", "clinician": "Clinician", "silent": "Silent",
}  # fmt: skip


class Chosen(Struct, frozen=True):
    """One choice of calls, with what it could be changed to."""

    filters: Filters
    selection: Selection
    choices: Choices
    words: Words

    def options(self) -> dict[str, list[tuple[str, str]]]:
        """For the form: values that occur, with their words."""
        words = self.words
        return {
            "service": [(each, each) for each in self.choices.services],
            "client": [(each, each) for each in self.choices.clients],
            "study": [*((each, words.study(each)) for each in self.choices.procedures), ("none", "not recognised")],
            "rating": [(each, said) for each, (said, _) in RATING.items() if each],
            "situation": [(each, plain(each)) for each in self.choices.situations],
            "rule": [(each, words.row(each)) for each in self.choices.rows],
            "clinician": sorted((words.alias(each), words.person(each)) for each in self.choices.users),
            "card": [("critical", "critical"), ("warning", "warning"), ("info", "info"), ("none", "no card")],
            "outcome": [("answered", "answered"), ("left alone", "no order of ours"), ("failed", "failed")],
            "silent": [("yes", "silent clients"), ("no", "shown to clinicians")],
        }

    def narrowed(self) -> list[tuple[str, str, str]]:
        """What was chosen beside the period: its label, its words, and the query without it."""
        options = {name: dict(pairs) for name, pairs in self.options().items()}
        return [
            (LABELS[name], options.get(name, {}).get(value, value), self.filters.query(**{name: ""}))
            for name, value in self.filters.narrowed.items()
        ]


class Desk:
    """For one application."""

    def __init__(self, records: Records, gate: Gate, pseudonym: Pseudonym, rows: Callable[[], dict[str, str]]) -> None:
        self._records = records
        self.gate = gate
        self._pseudonym = pseudonym
        self._rows = rows

    def queries(self) -> Queries:
        """Questions to the store."""
        return self._records.queries()

    def words(self) -> Words:
        """For whoever looks."""
        return Words(viewer(), self._pseudonym, self._rows())

    def chosen(self, days: int = DEFAULT_DAYS) -> Chosen:
        """What this address is about."""
        words = self.words()
        filters = read_filters(request.args, self.gate.now().date(), days)
        period = filters.selection(lambda _: ())
        with self.queries().connection() as connection:
            choices = choices_in(connection, period.since, period.until)
        aliases: dict[str, list[str]] = {}
        for user in choices.users:
            aliases.setdefault(words.alias(user), []).append(user)
        selection = filters.selection(lambda alias: tuple(aliases.get(alias, ())))
        return Chosen(filters, selection, choices, words)

    def facts(self, selection: Selection) -> Facts:
        """What the numbers are made of."""
        with self.queries().connection() as connection:
            return facts_of(connection, selection)

    def record(self, action: str, chosen: Chosen | None = None, *, decision: str = "", records: int = 0) -> None:
        """Before anything is shown."""
        filtered = chosen.filters.query() if chosen is not None else ""
        self.gate.record(viewer(), action, decision=decision, filtered=filtered, records=records)

    def record_patient(self, patient: str, records: int) -> None:
        """Before a patient's calls are shown: whose they are, so that it can be told who looked at them."""
        self.gate.record(viewer(), "list of a patient", filtered=urlencode({"patient": patient}), records=records)


def sorted_as_asked(table: TableView) -> TableView:
    """The address may ask for an order of one table: `sort=by-study:-share`."""
    name, _, wanted = request.args.get("sort", "").partition(":")
    return table.by(wanted) if name == table.id and wanted else table


def csv_answer(table: TableView) -> Response:
    """The table as a file."""
    answer = Response(csv_of(table.headings, table.rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{table.id}.csv"'
    return answer


def page_href(endpoint: str, filters: Filters) -> Callable[..., str]:
    """Addresses of a page for this choice, some of it changed."""

    def href(**changes: str) -> str:
        return f"{url_for(endpoint)}?{filters.query(**changes)}"

    return href
