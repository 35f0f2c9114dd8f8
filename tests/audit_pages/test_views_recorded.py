"""Every view is an appended record, and without it nothing is shown."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from audit_trail.database import SECONDS_A_READER_WAITS
from audit_trail.draining import StoreDown
from audit_trail.record import AccessRecord
from audit_trail.store import Store
from tests.audit_pages.history import Past
from tests.audit_pages.visiting import PAGES, Visitor, add_user, signed_in

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def accesses(past: Past) -> list[AccessRecord]:
    from cds_service.store_of_process import store_of

    store = store_of(past.settings)
    assert store is not None
    found = store.queries().accesses(LONG_AGO, datetime.now(UTC) + timedelta(days=1))
    return [each.record for each in found]


@pytest.mark.parametrize("page", PAGES)
def test_every_view_is_recorded_before_it_is_shown(past: Past, page: str):
    visitor = signed_in(past, "auditor")
    before = len(accesses(past))
    assert visitor.get(page).status_code == 200
    last = accesses(past)[0]
    assert len(accesses(past)) == before + 1
    assert (last.who, last.role, last.through) == (visitor.name, "auditor", "web")
    assert last.action


def test_a_decision_that_was_looked_at_is_named(past: Past):
    visitor = signed_in(past, "auditor")
    page = visitor.get("/audit/decisions").get_data(as_text=True)
    name = page.split('href="/audit/decisions/')[1].split('"')[0]
    assert visitor.get(f"/audit/decisions/{name}").status_code == 200
    last = accesses(past)[0]
    assert last.action == "show"
    assert last.decision
    assert visitor.name in visitor.get(f"/audit/decisions/{name}").get_data(as_text=True), "who looked is shown, too"


def test_what_was_chosen_is_recorded(past: Past):
    visitor = signed_in(past, "quality")
    visitor.get("/audit/decisions?rating=not-appropriate&from=2026-01-01")
    assert "rating=not-appropriate" in accesses(past)[0].filter


@pytest.mark.parametrize("page", PAGES)
def test_a_view_that_cannot_be_recorded_is_not_shown(past: Past, page: str, monkeypatch: pytest.MonkeyPatch):
    visitor = signed_in(past, "auditor")

    def refuse(*_: object) -> None:
        raise StoreDown("full")

    monkeypatch.setattr(Store, "accessed", refuse)
    answer = visitor.get(page)
    assert answer.status_code == 503
    assert "orders" not in answer.get_data(as_text=True)


def test_while_somebody_else_writes_to_the_store_a_page_says_so_soon_and_leads_back(fresh: Past):
    visitor = signed_in(fresh, "auditor")
    file = fresh.settings.audit_store_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None, timeout=20)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = monotonic()
        answer = visitor.get("/audit/decisions?rating=appropriate&client=a+b")
        assert monotonic() - began < SECONDS_A_READER_WAITS + 1.5
        text = answer.get_data(as_text=True)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "The record is busy" in text
        assert 'href="/audit/decisions?rating=appropriate&amp;client=a+b">Try again</a>' in text
        form = {"csrf_token": visitor.token("/audit/sign-in"), "patient": "pat-1"}
        sent = visitor.post("/audit/decisions", form)
        assert sent.status_code == 503
        assert "Go back and try again" in sent.get_data(as_text=True)
        assert "pat-1" not in sent.get_data(as_text=True)
        other.execute("ROLLBACK")
    assert visitor.get("/audit/decisions?rating=appropriate&client=a+b").status_code == 200


def test_nobody_is_signed_in_whose_sign_in_cannot_be_recorded(fresh: Past, monkeypatch: pytest.MonkeyPatch):
    add_user(fresh, "ann", "auditor")
    visitor = Visitor(fresh)

    def refuse(*_: object) -> None:
        raise StoreDown("locked")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "accessed", refuse)
        assert visitor.sign_in("ann").status_code == 503
    answer = visitor.get("/audit")
    assert answer.status_code == 302, "there is no session"
    assert "sign-in" in answer.headers["Location"]


def test_whoever_lists_a_patients_calls_is_recorded_with_whose_they_were(fresh: Past):
    visitor = signed_in(fresh, "auditor")
    form = {"csrf_token": visitor.token("/audit/decisions"), "patient": "pat 1&2"}
    assert visitor.post("/audit/decisions", form).status_code == 200
    last = accesses(fresh)[0]
    assert (last.who, last.action, last.filter) == (visitor.name, "list of a patient", "patient=pat+1%262")


def test_a_sign_in_and_a_refused_one_are_recorded(fresh: Past):
    add_user(fresh, "ann", "quality")
    Visitor(fresh).sign_in("ann", "wrong wrong wrong")
    Visitor(fresh).sign_in("ann")
    assert [(each.who, each.action) for each in accesses(fresh)] == [
        ("ann", "sign-in"),
        ("ann", "sign-in refused: wrong name or password"),
    ]
