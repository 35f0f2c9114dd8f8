"""The page behind a card's link: found again in the record by its handle, for its own reader, until it expires."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from audit_trail.database import reading
from audit_trail.draining import StoreDown
from audit_trail.journal import JournalError
from audit_trail.pages import KeptPage, find_page
from audit_trail.queries import Queries
from audit_trail.record import PageViewRecord, Record
from audit_trail.retention import Why, prune_before
from audit_trail.store import Store
from audit_trail.tables import PAGE
from cards.page import AUDIENCES, ClinicianPage, PatientPage
from cds_service import kept_pages
from cds_service.kept_pages import KeptPages
from cds_service.operator_log import OperatorLog
from leaflets.page_source import PagesUnavailable
from tests.audit_trail.recorded import NOON, recorded
from tests.audit_trail.stores import a_decision, frames
from tests.builders import a_draft, a_patient
from tests.hook_requests import a_request

DAYS = 90


def a_call(instance: str = "one"):
    call = a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=NOON.date()))
    return {**call, "hookInstance": instance}


@pytest.fixture
def handles(store: Store) -> dict[str, str]:
    """Of the pages of one real decision, by audience."""
    store.append("worker-1", frames([recorded(a_call()), recorded(a_call("two")), a_decision(3)]))
    wanted = select(PAGE.c.audience, PAGE.c.handle).where(PAGE.c.writer == "worker-1", PAGE.c.number == 1)
    with reading(store.engine) as connection:
        return {row.audience: row.handle for row in connection.execute(wanted)}


def test_each_reader_gets_the_page_of_the_decision(store: Store, handles: dict[str, str]) -> None:
    queries = Queries(store)
    patient = find_page(queries, "patient", handles["patient"], NOON, DAYS)
    clinician = find_page(queries, "clinician", handles["clinician"].upper(), NOON, DAYS)
    assert patient is not None
    assert clinician is not None
    assert isinstance(patient.page, PatientPage)
    assert isinstance(clinician.page, ClinicianPage)
    assert clinician.page.decided_on == NOON.date()
    assert clinician.page.advice.situation == patient.page.situation
    assert patient.decision == recorded(a_call()).decision


def test_one_readers_link_does_not_open_the_others_page(store: Store, handles: dict[str, str]) -> None:
    assert set(handles) == set(AUDIENCES)
    assert find_page(Queries(store), "clinician", handles["patient"], NOON, DAYS) is None
    assert find_page(Queries(store), "patient", handles["clinician"], NOON, DAYS) is None


@pytest.mark.parametrize(("after", "found"), [(0, True), (89, True), (90, False), (400, False), (-1, False)])
def test_a_link_expires(store: Store, handles: dict[str, str], after: int, found: bool) -> None:
    page = find_page(Queries(store), "patient", handles["patient"], NOON + timedelta(days=after), DAYS)
    assert (page is not None) == found


def test_a_call_that_is_repeated_begins_the_time_anew(store: Store, handles: dict[str, str]) -> None:
    late = NOON + timedelta(days=60)
    store.append("worker-2", frames([recorded(a_call(), now=late)]))
    page = find_page(Queries(store), "patient", handles["patient"], NOON + timedelta(days=100), DAYS)
    assert page is not None


@pytest.mark.parametrize(
    "handle",
    ["", "x", "0" * 36, "../../etc/passwd", "\x00" * 36, "\ud800" * 36, "é" * 36, "x" * 100_000, "%" * 36, "'" * 36],
)
def test_whatever_somebody_types_is_no_handle(store: Store, handles: dict[str, str], handle: str) -> None:
    assert find_page(Queries(store), "patient", handle, NOON, DAYS) is None


def test_a_pruned_decision_has_no_page(store: Store, handles: dict[str, str]) -> None:
    why = Why(writer="machine", by="ada", because="r", now=NOON)
    prune_before(store, NOON + timedelta(hours=1), why)
    assert find_page(Queries(store), "patient", handles["patient"], NOON, DAYS) is None


class OneStore:
    """Stands for the store that a process opens for itself."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.down = False

    def queries(self) -> Queries:
        if self.down:
            raise StoreDown("the disk is gone")
        return Queries(self._store)


def test_that_a_page_was_opened_is_recorded_and_nobody_is_named(store: Store, handles: dict[str, str]) -> None:
    kept: list[Record] = []
    pages = KeptPages(OneStore(store), kept.append, OperatorLog("error"), DAYS)  # type: ignore[arg-type]
    assert pages.opened("patient", handles["patient"], "es", NOON) is not None
    assert pages.opened("patient", "whatever somebody typed", "en", NOON) is None
    decision = recorded(a_call()).decision
    assert kept == [
        PageViewRecord(at=NOON, page="patient", handle=handles["patient"], decision=decision, language="es"),
        PageViewRecord(at=NOON, page="patient", language="en"),
    ]


def test_a_link_that_is_opened_before_its_decision_is_stored_waits_for_it(
    store: Store, handles: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    late = OneStore(store)
    looks: list[int] = []
    monkeypatch.setattr(kept_pages, "SECONDS_BETWEEN_LOOKS", 0)

    def not_at_once(*asked: Any) -> KeptPage | None:
        looks.append(1)
        return find_page(*asked) if len(looks) > 3 else None

    monkeypatch.setattr(kept_pages, "find_page", not_at_once)
    pages = KeptPages(late, [].append, OperatorLog("error"), DAYS, lambda: True)  # type: ignore[arg-type]
    assert pages.opened("patient", handles["patient"], "en", NOON) is not None
    assert len(looks) == 4


@pytest.mark.parametrize(
    ("handle", "waiting", "looked"),
    [
        ("00000000-0000-4000-8000-000000000000", False, 1),
        ("whatever somebody typed", True, 1),
        ("00000000-0000-4000-8000-000000000000", True, 1 + kept_pages.LOOKS),
    ],
)
def test_an_unknown_link_is_looked_up_again_only_while_records_wait(
    handle: str, waiting: bool, looked: int, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(kept_pages, "SECONDS_BETWEEN_LOOKS", 0)
    monkeypatch.setattr(kept_pages, "find_page", lambda *_: looks.append(1))
    pages = KeptPages(OneStore(store), [].append, OperatorLog("error"), DAYS, lambda: waiting)  # type: ignore[arg-type]
    assert pages.opened("patient", handle, "en", NOON) is None
    assert len(looks) == looked


def broken(_: Record) -> None:
    raise JournalError("no space left on device")


def test_a_journal_that_cannot_be_written_keeps_no_page_from_a_patient(store: Store, handles: dict[str, str]) -> None:
    pages = KeptPages(OneStore(store), broken, OperatorLog("error"), DAYS)  # type: ignore[arg-type]
    assert pages.opened("patient", handles["patient"], "en", NOON) is not None


def test_a_store_that_is_down_is_said_to_be_and_no_handle_is_logged(
    store: Store, handles: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    place = OneStore(store)
    place.down = True
    pages = KeptPages(place, broken, OperatorLog("error"), DAYS)  # type: ignore[arg-type]
    with pytest.raises(PagesUnavailable):
        pages.opened("patient", handles["patient"], "en", NOON)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {line["event"] for line in lines} == {"audit-store"}
    assert handles["patient"] not in str(lines)
