"""The audit pages in a real browser: signing in, finding a decision, a report card on paper; for everybody."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from werkzeug.serving import make_server

from tests.audit_pages.history import Past, past_in, weeks_of_calls
from tests.audit_pages.visiting import PASSWORD, add_user
from tests.browser.accessibility import barriers
from tests.browser.conftest import NARROW, WIDE, a_tab, keep_picture
from tests.browser.pictures import picture

PAPER = ViewportSize(width=680, height=1010)  # what is left of A4 between the margins, at 96 dots an inch


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with past_in(tmp_path_factory.mktemp("audit")) as made:
        weeks_of_calls(made, datetime.now(UTC) - timedelta(minutes=1), days=21, a_day=11)
        add_user(made, "grace", "auditor")
        add_user(made, "ada", "quality")
        yield made


@pytest.fixture(scope="module")
def address(past: Past) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, past.app, threaded=True, ssl_context="adhoc")
    worker = threading.Thread(target=server.serve_forever, daemon=True)
    worker.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    worker.join(timeout=10)
    server.server_close()


def a_window(browser: Browser, size: ViewportSize) -> Page:
    """As over a site's proxy: https, where cookies and forms are held to more. The certificate is made up."""
    context = browser.new_context(viewport=size, locale="en-GB", reduced_motion="reduce", ignore_https_errors=True)
    context.set_default_timeout(20_000)
    return a_tab(context)


def signed_in(browser: Browser, address: str, name: str, size: ViewportSize = WIDE) -> Page:
    page = a_window(browser, size)
    page.goto(f"{address}/audit")
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What the numbers say")
    return page


def test_an_auditor_signs_in_finds_a_decision_and_signs_out(browser: Browser, address: str):
    page = signed_in(browser, address, "grace")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    expect(page.get_by_role("img", name="Judged orders a day, by rating")).to_be_visible()
    page.get_by_role("combobox", name="Rating").select_option("not appropriate")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Only rating: not appropriate")).to_be_visible()
    page.get_by_role("link", name="The decisions behind these numbers").click()
    page.get_by_role("table").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="The story")).to_be_visible()
    expect(page.locator("article.card").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert complaints == [], "the browser refused nothing of our own pages"
    page.context.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_everybody_can_use_every_page(browser: Browser, address: str, size: ViewportSize):
    page = signed_in(browser, address, "ada", size)
    decision = report = ""
    for path in ("/audit", "/audit/decisions", "/audit/clinicians", "/audit/sentinels", "/dsi", "/hazards"):
        page.goto(f"{address}{path}")
        check(page)
        if path.endswith("decisions"):
            decision = str(page.get_by_role("table").get_by_role("link").first.get_attribute("href"))
        if path.endswith("clinicians"):
            report = str(
                page.get_by_role("table").get_by_role("rowheader").get_by_role("link").first.get_attribute("href")
            )
    for path in (decision, report):
        page.goto(f"{address}{path}")
        check(page)
    page.context.close()


def check(page: Page) -> None:
    assert barriers(page) == [], page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0, f"{page.url} is wider than the window"


def test_the_sign_in_page_can_be_used_by_everybody(browser: Browser, address: str):
    page = a_window(browser, NARROW)
    page.goto(f"{address}/audit/sign-in")
    check(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.context.close()


def test_a_report_card_fits_on_paper(browser: Browser, address: str):
    page = signed_in(browser, address, "grace", PAPER)
    page.goto(f"{address}/audit/clinicians")
    page.get_by_role("table").get_by_role("rowheader").get_by_role("link").first.click()
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Pages")).to_be_hidden()
    expect(page.get_by_role("form", name="Choose the time")).to_be_hidden()
    cut = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    )
    assert cut == 0, "a table is cut off at the edge of the paper"
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 3
    picture(page, "report-card")
    page.context.close()


def test_the_pages_are_pictured(browser: Browser, address: str):
    page = signed_in(browser, address, "grace")
    picture(page, "numbers")
    page.get_by_role("link", name="The decisions behind these numbers").click()
    page.get_by_role("combobox", name="Gravest card").select_option("warning")
    page.get_by_role("combobox", name="Silent").select_option("no")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("table").get_by_role("link").first.click()
    picture(page, "decision")
    page.context.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_while_the_store_is_held_a_page_says_so_and_is_there_at_the_second_try(
    browser: Browser, address: str, past: Past, size: ViewportSize
):
    page = signed_in(browser, address, "grace", size)
    file = past.settings.audit_store_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None, timeout=20)) as other:
        other.execute("BEGIN IMMEDIATE")
        page.goto(f"{address}/audit/decisions?rating=not-appropriate")
        expect(page.get_by_role("heading", level=1)).to_have_text("The record is busy")
        assert barriers(page) == []
        keep_picture(page, f"busy-{size['width']}")
        other.execute("ROLLBACK")
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Decisions")
    expect(page.get_by_label("Rating")).to_have_value("not-appropriate")
