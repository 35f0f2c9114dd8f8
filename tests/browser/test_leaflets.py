"""The patient's page and the clinician's in a real browser: from a card's link to paper."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from leaflets.texts import LANGUAGES, texts
from sandbox.launcher import Running
from tests.browser.accessibility import barriers
from tests.browser.conftest import NARROW, WIDE, a_context, a_tab, keep_picture
from tests.browser.pictures import picture
from tests.cds_service.service_under_test import SELECT, a_call

STORED_WITHIN = 20.0  # seconds; records reach the store in the background


def links(sandbox: Running) -> dict[str, str]:
    """Where the links of a card that advises to wait lead: the path's first letter, and the address."""
    answer = requests.post(sandbox.places.service + SELECT, json=a_call(), timeout=20)
    cards: list[dict[str, Any]] = json.loads(answer.content)["cards"]
    found = (link["url"] for card in cards for link in card["links"])
    return {url.split("/")[3]: url for url in found if url.startswith(sandbox.places.service)}


@pytest.fixture(scope="module")
def addresses(sandbox: Running) -> dict[str, str]:
    """The pages of one decision, once it is in the store; their words are the same for all."""
    found = links(sandbox)
    until = time.monotonic() + STORED_WITHIN
    while 'class="notice"' in requests.get(found["p"], timeout=20).text:
        assert time.monotonic() < until, "the decision did not reach the store"
        time.sleep(0.2)
    return {**found, "general": sandbox.places.service + "/p", "tables": sandbox.places.service + "/c"}


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab as wide as on a laptop, or as the test asks for."""
    context = a_context(browser, getattr(request, "param", WIDE))
    tab = a_tab(context)
    yield tab
    keep_picture(tab, request.node.name)
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_of_a_card_opens_the_patients_page_with_its_date(
    language: str, addresses: dict[str, str], page: Page
) -> None:
    page.goto(f"{addresses['p']}?lang={language}")
    words = texts(language)
    expect(page.get_by_role("heading", level=1)).to_have_text(words.page.title)
    expect(page.get_by_text(words.next.come_back)).to_be_visible()
    expect(page.locator(".day strong")).to_have_text(re.compile(r"20\d\d"))
    assert re.fullmatch(r"/p/[0-9a-f-]{36}", page.evaluate("location.pathname"))
    picture(page, f"patient-page-{language}")


@pytest.mark.parametrize(
    ("which", "page"),
    [("p", WIDE), ("p", NARROW), ("general", NARROW), ("c", WIDE), ("c", NARROW), ("tables", NARROW)],
    ids=["patient-wide", "patient-narrow", "patient-general", "clinician-wide", "clinician-narrow", "tables"],
    indirect=["page"],
)
def test_a_page_has_no_barrier_and_fits_the_screen(which: str, addresses: dict[str, str], page: Page) -> None:
    page.goto(addresses[which])
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    if which == "c" and page.viewport_size == WIDE:
        picture(page, "clinician-page")


def test_the_other_language_is_one_click_away(addresses: dict[str, str], page: Page) -> None:
    page.goto(f"{addresses['p']}?lang=en")
    page.get_by_role("link", name="Español").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(texts("es").page.title)
    expect(page.locator(".day strong")).to_be_visible()


def test_the_warning_signs_are_the_first_thing_that_a_keyboard_reaches(addresses: dict[str, str], page: Page) -> None:
    page.goto(addresses["p"])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#now"


def test_on_paper_the_print_is_large_the_signs_come_first_and_the_map_is_whole(
    browser: Browser, addresses: dict[str, str]
) -> None:
    context = a_context(browser, WIDE)
    page = a_tab(context)
    page.goto(addresses["p"])
    page.emulate_media(media="print")
    points = "element => parseFloat(getComputedStyle(element).fontSize) * 0.75"
    assert page.locator("#now li").first.evaluate(points) >= 14
    assert page.locator("#print").is_hidden()
    assert page.locator("svg.map").evaluate("each => each.getBoundingClientRect().height") > 300
    paper = page.pdf(format="A4", print_background=True)
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 7
    context.close()


def test_the_pages_need_no_script(browser: Browser, addresses: dict[str, str]) -> None:
    context = browser.new_context(viewport=WIDE, java_script_enabled=False)
    page = context.new_page()
    page.goto(addresses["p"])
    expect(page.get_by_role("heading", name=texts("en").now.heading)).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()
