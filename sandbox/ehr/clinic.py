"""The patients of the pretend EHR on one day, and their records as prefetch and the R4 server give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any

from msgspec import Struct, field

from sandbox.ehr.chart import Chart, chart_of
from sandbox.ehr.desk import Desk, Visit
from sandbox.ehr.prefetch import SearchFailed
from sandbox.fhir_server.store import NotReadable, Store, UnknownParameter
from sandbox.stories import Story, load, store_of

Json = dict[str, Any]


class NoSuchPatient(LookupError):
    """No story has this id."""


class Today(Struct, frozen=True):
    """The stories as of one day, and their records."""

    day: date
    stories: tuple[Story, ...]
    store: Store
    charts: dict[str, Chart] = field(default_factory=dict)  # as they are asked for

    def chart(self, story: Story) -> Chart:
        """The chart of a story's patient, as it is shown."""
        if story.id not in self.charts:
            self.charts[story.id] = chart_of(story.resources, self.day)
        return self.charts[story.id]

    def story(self, own_id: str) -> Story:
        """One story."""
        for each in self.stories:
            if each.id == own_id:
                return each
        raise NoSuchPatient(own_id)


class Clinic:
    """Stories whose dates stay relative to today, also past midnight. ``renewed`` hears of each new day's records."""

    def __init__(self, fhir_base: str, renewed: Callable[[Store], None] = lambda _: None) -> None:
        self.fhir_base = fhir_base
        self._renewed = renewed
        self._today: Today | None = None
        self._lock = Lock()

    def today(self) -> Today:
        """Everything as of the present day (UTC, as the service counts without a time zone of the order)."""
        day = datetime.now(UTC).date()
        with self._lock:
            if self._today is None or self._today.day != day:
                stories = load(day)
                store = store_of(stories)
                self._today = Today(day, stories, store)
                self._renewed(store)
            return self._today

    def visit(self, story: Story) -> Visit:
        """Today's encounter of a story's patient."""
        return Visit(story.patient_id, story.encounter_id, story.practitioner_id, self.fhir_base)


class RecordsOf:
    """What this EHR reads for one patient: its store, and what was signed a moment ago."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._signed: Sequence[Json] = desk.signed

    def read(self, resource_type: str, own_id: str) -> Json | None:
        """One resource."""
        return self._store.read(resource_type, own_id)

    def search(self, resource_type: str, parameters: Iterable[tuple[str, str]]) -> list[Json]:
        """Those that match, the orders of this session first."""
        try:
            found = self._store.search(resource_type, parameters)
        except (NotReadable, UnknownParameter) as problem:
            raise SearchFailed(str(problem)) from problem
        return [*(each for each in reversed(self._signed) if each["resourceType"] == resource_type), *found]
