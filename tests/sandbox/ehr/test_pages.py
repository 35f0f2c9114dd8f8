"""The pages over HTTP: whole without scripts, safe whatever a record holds, and deaf to other sites."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from sandbox.stories import Story, load

STORIES = load()
FIRST = STORIES[0].id
MARKUP = "text-in-the-chart-that-looks-like-markup"
HOST = {"base_url": "http://127.0.0.1"}


def _page(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path, **HOST)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def _do(browser: FlaskClient, what: str, **form: str) -> str:
    answer = browser.post(f"/patients/{FIRST}/{what}", data=form, follow_redirects=True, **HOST)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_every_patient_is_on_the_list_with_the_story(browser: FlaskClient) -> None:
    page = unescape(_page(browser, "/"))
    for story in STORIES:
        assert f'href="/patients/{story.id}"' in page
        assert story.title in page


def test_patients_are_found_by_words_of_their_story(browser: FlaskClient) -> None:
    page = unescape(_page(browser, "/?q=FOOT+weaker"))
    assert 'href="/patients/left-foot-getting-weaker"' in page
    assert f'href="/patients/{FIRST}"' not in page
    assert "No story holds" in _page(browser, "/?q=%3Cb%3Enothing")
    assert "<b>" not in _page(browser, "/?q=%3Cb%3Enothing")


@pytest.mark.parametrize("story", STORIES, ids=[story.id for story in STORIES])
def test_every_patient_has_a_page_and_a_what_if_page(story: Story, browser: FlaskClient) -> None:
    page = _page(browser, f"/patients/{story.id}")
    for order in story.orders:
        assert f'value="{order.id}"' in page
    assert "What if?" in _page(browser, f"/patients/{story.id}/what-if")


def test_a_card_is_there_by_plain_forms(browser: FlaskClient) -> None:
    page = _do(browser, "place", order=STORIES[0].orders[0].id)
    assert '<article class="card warning"' in page
    assert "Not appropriate" in page
    card = re.search(r"/cards/([0-9a-f-]+)/accept", page)
    suggestion = re.search(r'name="suggestion" value="([0-9a-f-]+)"', page)
    assert card is not None
    assert suggestion is not None
    after = _do(browser, f"cards/{card[1]}/accept", suggestion=suggestion[1])
    assert "Suggestion accepted" in after
    assert "Referral to physiotherapy" in after


def test_two_browsers_have_a_desk_each(ehr, browser: FlaskClient) -> None:
    _do(browser, "place", order=STORIES[0].orders[0].id)
    assert '<article class="card' not in _page(ehr.test_client(), f"/patients/{FIRST}")
    assert '<article class="card' in _page(browser, f"/patients/{FIRST}")


def test_starting_over_empties_the_desk(browser: FlaskClient) -> None:
    _do(browser, "place", order=STORIES[0].orders[0].id)
    assert '<article class="card' not in _do(browser, "start-over")


def test_what_makes_no_sense_is_said_and_harms_nothing(browser: FlaskClient) -> None:
    assert "Not possible: no such order" in _do(browser, "place", order="<b>nothing</b>")


def test_the_messages_are_there_to_be_read(browser: FlaskClient) -> None:
    _do(browser, "place", order=STORIES[0].orders[0].id)
    request = browser.get(f"/patients/{FIRST}/messages/1/request", **HOST).get_json()
    assert request["context"]["patientId"] == FIRST
    assert browser.get(f"/patients/{FIRST}/messages/1/answer", **HOST).get_json()["cards"]
    assert "patient" in browser.get(f"/patients/{FIRST}/messages/1/prefetch", **HOST).get_json()
    assert browser.get(f"/patients/{FIRST}/messages/2/request", **HOST).status_code == 404
    assert browser.get(f"/patients/{FIRST}/messages/1/secrets", **HOST).status_code == 404


def test_markup_in_a_record_is_text_on_every_page(browser: FlaskClient) -> None:
    story = next(each for each in STORIES if each.id == MARKUP)
    browser.post(f"/patients/{MARKUP}/place", data={"order": story.orders[0].id}, **HOST)
    pages = [_page(browser, path) for path in ("/", f"/patients/{MARKUP}", f"/patients/{MARKUP}/what-if")]
    pages.append(browser.get(f"/patients/{MARKUP}/messages/1/prefetch", headers={"X-Wanted": "text/html"}, **HOST).text)
    assert "<article" in pages[1]
    for page in pages:
        assert "&lt;" in page, "the record's markup is there, escaped"
        assert not re.search(r"<(?!script src=)(script|img|iframe|b|i|svg onload)\b[^>]*>", page)
        assert "javascript:" not in re.sub(r"&[^;]+;", "", " ".join(re.findall(r'href="([^"]*)"', page)))


@pytest.mark.parametrize("path", ["/", f"/patients/{FIRST}", "/what-if", "/static/ehr.css", "/nowhere"])
def test_no_page_may_run_or_fetch_anything_from_elsewhere(path: str, browser: FlaskClient) -> None:
    headers = browser.get(path, **HOST).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", f"/patients/{FIRST}", "/what-if"])
def test_a_page_needs_no_style_or_script_of_its_own(path: str, browser: FlaskClient) -> None:
    page = _page(browser, path)
    assert " style=" not in page
    assert "<style" not in page
    assert re.findall(r"<script(?! src=)", page) == []
    assert re.findall(r"\son[a-z]+=", page) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//(?!127\.0\.0\.1|sandbox\.cds-hooks\.org)[^"]*"', page) == []


def test_another_sites_name_for_this_address_is_refused(browser: FlaskClient) -> None:
    assert browser.get("/", base_url="http://evil.example.org").status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "http://127.0.0.1:1"])
def test_a_form_of_another_site_is_refused(origin: str, browser: FlaskClient) -> None:
    answer = browser.post(f"/patients/{FIRST}/sign", headers={"Origin": origin}, **HOST)
    assert answer.status_code == 403


def test_a_form_of_this_site_is_taken(browser: FlaskClient) -> None:
    answer = browser.post(f"/patients/{FIRST}/start-over", headers={"Origin": "http://127.0.0.1"}, **HOST)
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/patients/nobody", "/patients/nobody/what-if", "/patients/..%2f..", "/patients"])
def test_a_patient_that_is_not_there_is_a_404(path: str, browser: FlaskClient) -> None:
    answer = browser.get(path, **HOST)
    assert answer.status_code == 404
    assert "All patients" in answer.text


def test_the_name_of_a_browser_is_no_scripts_business(browser: FlaskClient) -> None:
    cookie = browser.get("/", **HOST).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_the_public_sandbox_is_opened_on_this_patient_with_screen_and_hook(browser: FlaskClient) -> None:
    page = unescape(_page(browser, f"/patients/{FIRST}"))
    (link,) = set(re.findall(r'href="(https://sandbox\.cds-hooks\.org[^"]*)"', page))
    assert f"patientId={FIRST}" in link
    assert "screen=pama&hook=order-select" in link
    assert "%2Fcds-services" in link


# --- answers as other kinds of client get them


def test_the_kind_of_client_that_was_chosen_holds_for_every_patient(browser: FlaskClient) -> None:
    _do(browser, "place", order=STORIES[0].orders[0].id)
    page = _do(browser, "profile", profile="epic")
    assert "written for epic" in page
    assert "Lumbar-CDS-Profile: epic" in page
    other = _page(browser, f"/patients/{STORIES[1].id}")
    assert '<option value="epic" selected>' in other


def test_what_such_a_client_would_drop_stands_beside_the_answer(browser: FlaskClient) -> None:
    page = unescape(_do(browser, "place", order=STORIES[0].orders[0].id))
    assert "Such a client uses all of it" in page
    page = unescape(_do(browser, "profile", profile="epic"))
    assert "Such a client: nothing lost or changed" in page
    assert "do nothing until the site has mapped their codes" in page


def test_a_card_for_a_client_without_markdown_is_shown_as_it_was_written(browser: FlaskClient) -> None:
    _do(browser, "place", order=STORIES[0].orders[0].id)
    page = _do(browser, "profile", profile="plain")
    assert '<p class="detail as-written">' in page
    assert 'name="suggestion"' not in page


def test_a_kind_of_client_that_is_none_changes_nothing(browser: FlaskClient) -> None:
    page = _do(browser, "profile", profile="<b>nobody</b>")
    assert "Not possible: no such kind of client" in page
    assert '<option value="cds-hooks-2.0" selected>' in page
    browser.set_cookie("pretend-ehr-profile", "nobody", domain="127.0.0.1")
    assert '<option value="cds-hooks-2.0" selected>' in _page(browser, f"/patients/{FIRST}")
