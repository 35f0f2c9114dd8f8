"""The pages over HTTP, with a source of decisions that knows a few."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from cards.ids import ids_of_call
from cards.page import Audience, ClinicianPage, Page, PageError, PatientPage, handles_of, page_handle, page_of
from leaflets.page_source import NoPages, PageSource, PagesUnavailable
from leaflets.texts import texts
from leaflets.views import LONGEST_HANDLE, leaflet_pages
from rules.recommendation import Recommendation
from tests.cards.builders import GUIDELINES, TODAY, advise, an_order, answers, entry, yes
from tests.cards.situations import situations

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CASES = situations()
WAITING = "not_appropriate_red_flags_not_recorded"


def recorded(advice: Recommendation) -> dict[str, Any]:
    """Advice as it is kept: plain JSON."""
    kept: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(advice))
    return kept


class Decisions:
    """Knows every situation by its name as a handle; keeps what was opened."""

    def __init__(self) -> None:
        self.seen: list[tuple[Audience, str, str]] = []

    def opened(self, audience: Audience, handle: str, language: str, now: datetime) -> Page | None:
        self.seen.append((audience, handle, language))
        return page_of(audience, TODAY, recorded(CASES[handle])) if handle in CASES else None


class OutOfOrder:
    def opened(self, audience: Audience, handle: str, language: str, now: datetime) -> Page | None:
        raise PagesUnavailable("the store is down")


def client_of(source: PageSource, now: datetime = NOW) -> FlaskClient:
    app = Flask("pages", static_folder=None)
    app.register_blueprint(leaflet_pages(source, lambda day: GUIDELINES, lambda: now))
    return app.test_client()


def text_of(client: FlaskClient, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_the_patients_page_of_a_link_names_the_day_to_come_back():
    assert "Please come back by: Wednesday, December 23, 2026" in text_of(client_of(Decisions()), f"/p/{WAITING}")
    spanish = text_of(client_of(Decisions()), f"/p/{WAITING}?lang=es")
    assert "Vuelva a más tardar el: miércoles 23 de diciembre de 2026" in spanish


def test_a_day_that_has_passed_is_said_to_have_passed():
    late = client_of(Decisions(), datetime(2026, 12, 24, tzinfo=UTC))
    assert "That day has passed. Please call your clinic." in text_of(late, f"/p/{WAITING}")


@pytest.mark.parametrize("path", ["/p", "/p/unknown", "/p/" + "x" * 3000, "/p/%00", "/p/<script>alert(1)"])
def test_without_a_known_link_the_page_says_what_holds_for_everyone_and_that_it_has_no_date(path: str):
    for source in (Decisions(), NoPages()):
        answer = client_of(source).get(path)
        assert answer.status_code == 200
        assert "So we cannot show your own date." in answer.text
        assert "Get help now" in answer.text
        assert "2026-12" not in answer.text
        assert "December 23" not in answer.text
        assert "alert(1)" not in answer.text


def test_when_decisions_cannot_be_looked_up_the_warning_signs_are_there_all_the_same():
    page = text_of(client_of(OutOfOrder()), f"/p/{WAITING}")
    assert "Get help now" in page
    assert "We cannot look up your own date right now." in page
    assert "Decisions cannot be looked up at the moment." in text_of(client_of(OutOfOrder()), "/c/x")


def test_no_more_of_a_handle_is_passed_on_than_any_handle_has():
    source = Decisions()
    client_of(source).get("/p/" + "x" * 3000)
    assert source.seen == [("patient", "x" * LONGEST_HANDLE, "en")]


@pytest.mark.parametrize(
    ("path", "accepts", "language"),
    [
        ("/p", "", "en"),
        ("/p", "es-MX,es;q=0.9,en;q=0.5", "es"),
        ("/p", "fr,de;q=0.5", "en"),
        ("/p?lang=es", "en", "es"),
        ("/p?lang=en", "es", "en"),
        ("/p?lang=xx", "es", "es"),
    ],
)
def test_the_page_speaks_the_language_of_the_link_else_of_the_browser(path: str, accepts: str, language: str):
    headers = {"Accept-Language": accepts} if accepts else {}
    answer = client_of(NoPages()).get(path, headers=headers)
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}"' in answer.text
    assert texts(language).page.title in unescape(answer.text)


def test_the_warning_signs_come_before_everything_else():
    page = client_of(Decisions()).get(f"/p/{WAITING}").text
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", page)
    words = texts("en")
    assert headings[:3] == [words.now.heading, words.today.heading, words.next.heading]
    parts = [getattr(words, name) for name in words.__struct_fields__]
    assert set(headings) == {part.heading for part in parts if hasattr(part, "heading")}


def test_who_has_been_imaged_reads_so_and_nobody_else():
    said = texts("en").why.imaged[0].says
    assert said in text_of(client_of(Decisions()), "/p/prior_imaging")
    assert said not in text_of(client_of(Decisions()), f"/p/{WAITING}")


def test_the_symptom_map_is_there_to_fill_in():
    page = client_of(NoPages()).get("/p").text
    assert '<svg class="map"' in page
    assert page.count('class="blank"') >= len(texts("en").map.questions)
    assert page.count("<tr><td>") == 6


@pytest.mark.parametrize("path", [f"/p/{WAITING}", f"/c/{WAITING}", "/p", "/c", "/c/unknown"])
def test_a_page_loads_nothing_from_elsewhere_and_is_neither_kept_nor_found(path: str):
    answer = client_of(Decisions()).get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert not re.search(r'(?:src|href)="https?:[^"]+\.(?:js|css|png|svg|woff2?)"', answer.text)
    assert " style=" not in answer.text
    assert not re.search(r"\son[a-z]+=", answer.text)


@pytest.mark.parametrize("name", ["leaflet.css", "clinician.css", "print.js", "icon.svg"])
def test_what_a_page_loads_is_there(name: str):
    assert client_of(NoPages()).get(f"/leaflets/static/{name}").status_code == 200


def test_nothing_outside_its_folder_is_served():
    assert client_of(NoPages()).get("/leaflets/static/../facts.toml").status_code == 404


# The clinician's page.


def test_the_clinicians_page_shows_the_guidelines_the_ratings_what_would_change_it_and_where_it_stands():
    page = text_of(client_of(Decisions()), "/c/wrong_test_fever_xray")
    assert "Lumbar spine X-ray may be appropriate (panel disagreed)" in page
    assert "Advised instead: Lumbar spine MRI without and with contrast, priority urgent" in page
    assert "ACR, variant 7" in page
    assert "Lumbar spine MRI without and with contrast better 9 usually appropriate" in page
    assert "differs" in page
    assert "new bladder, bowel, saddle or two-leg symptoms → an emergency, today" in page
    assert "Presumed absent" in page
    assert "NICE NG59 1.1.1" in page


@pytest.mark.parametrize("name", CASES)
def test_every_decision_has_a_page_for_the_clinician(name: str):
    page = text_of(client_of(Decisions()), f"/c/{name}")
    for view in CASES[name].views:
        assert view.says.casefold() in page.casefold()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("audience", ["patient", "clinician"])
def test_no_word_of_the_record_is_on_a_page(name: str, audience: Audience):
    """Entries, their dates and references, and the order's own text."""
    path = {"patient": "/p", "clinician": "/c"}[audience]
    page = text_of(client_of(Decisions()), f"{path}/{name}")
    public = {TODAY.isoformat(), *(edition.reviewed_on.isoformat() for edition in (GUIDELINES.acp, GUIDELINES.nice))}
    findings = CASES[name].findings
    entries = [each for name in findings.__struct_fields__ for each in getattr(getattr(findings, name), "because", ())]
    for each in entries:
        assert not each.reference or each.reference not in page
        assert not each.dated or each.dated not in page or each.dated in public
        assert f"“{each.says}”" not in page
    assert CASES[name].order.reference not in page


def test_record_text_is_cut_away_before_a_page_is_made():
    marked = entry("Zaphod’s temperature <b>39</b>", "2026-11-23", "Observation/zaphod-1")
    advice = advise(answers(infection=yes("infection", marked, marks=("fever",))), an_order(name="Zaphod’s order"))
    for audience in ("patient", "clinician"):
        kept = msgspec.json.encode(page_of(audience, TODAY, recorded(advice)))
        assert b"Zaphod" not in kept
        assert b"zaphod" not in kept


def test_the_page_for_everyone_shows_the_tables_in_force():
    page = text_of(client_of(NoPages()), "/c")
    for number, variant in GUIDELINES.acr.variants.items():
        assert variant.label in page, number
    assert "Decided on" not in page


# Handles.


def test_the_handles_of_a_call_say_nothing_and_do_not_lead_to_one_another():
    ids = ids_of_call("clinic", "service", "instance-1", "digest")
    found = list(handles_of(ids, ["ServiceRequest/pat-7", "ServiceRequest/2"]))
    handles = [handle for handle, _, _ in found]
    assert len(set(handles)) == 4
    assert all(re.fullmatch(r"[0-9a-f-]{36}", handle) for handle in handles)
    assert not any("pat" in handle for handle in handles)
    assert page_handle(ids, "patient", "ServiceRequest/2") in handles
    other = ids_of_call("clinic", "service", "instance-2", "digest")
    assert page_handle(other, "patient", "ServiceRequest/2") not in handles


def test_the_patients_page_holds_a_day_and_no_reasons():
    page = page_of("patient", TODAY, recorded(CASES[WAITING]))
    assert page == PatientPage("not-appropriate", date(2026, 12, 23))
    assert isinstance(page_of("clinician", TODAY, recorded(CASES[WAITING])), ClinicianPage)


def test_advice_of_another_version_is_shown_as_far_as_it_goes_and_never_guessed_at():
    older = {"situation": "not-appropriate", "something-new": {"a": 1}}
    assert page_of("patient", TODAY, older) == PatientPage("not-appropriate")
    assert "not rated" in text_of(client_of(Kept(page_of("clinician", TODAY, older))), "/c/x")
    with pytest.raises(PageError):
        page_of("patient", TODAY, {"situation": 7})


class Kept:
    """One page under every handle."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def opened(self, audience: Audience, handle: str, language: str, now: datetime) -> Page | None:
        return self._page
