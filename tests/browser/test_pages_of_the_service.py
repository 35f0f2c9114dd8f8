"""The service's own pages, reached as people reach them: from a card, or by who looks after the service."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from sandbox.launcher import Running
from sandbox.stories import load
from tests.browser.accessibility import barriers
from tests.browser.screen import Screen

BY_ID = {story.id: story for story in load()}
DEFERRED = BY_ID["three-weeks-of-low-back-pain"]


def _followed(screen: Screen, label: str) -> Page:
    """The page that a link of the card opens."""
    screen.open(DEFERRED)
    screen.place(DEFERRED.orders[0])
    with screen.page.context.expect_page() as opened:
        screen.cards.first.get_by_role("link", name=re.compile(label)).click()
    opened.value.wait_for_load_state()
    return opened.value


def _nothing_of(patient: str, address: str) -> bool:
    return patient not in address and not re.search(r"[?&#]", address)


def test_the_patients_page_opens_from_the_card(screen: Screen) -> None:
    page = _followed(screen, "For the patient")
    assert _nothing_of(DEFERRED.patient_id, page.url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    first = page.get_by_role("main").get_by_role("heading", level=2).first
    expect(first).to_contain_text(re.compile("now|once", re.IGNORECASE))
    assert "Testcase" not in page.content()
    page.get_by_role("link", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")


def test_the_clinicians_page_opens_from_the_card(screen: Screen) -> None:
    page = _followed(screen, "guidelines behind")
    assert _nothing_of(DEFERRED.patient_id, page.url)
    expect(page.get_by_role("table").first).to_contain_text("ACR")


def _until(holds: Callable[[], bool], seconds: float = 15) -> None:
    by = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < by, "it did not come about"
        time.sleep(0.2)


def test_a_decision_is_found_on_record_with_its_feedback(screen: Screen, sandbox: Running) -> None:
    screen.open(DEFERRED)
    screen.place(DEFERRED.orders[0])
    summary = screen.cards.first.get_by_role("heading").inner_text()
    screen.press("Defer: red flags and strength checked, none")
    service = sandbox.places.service

    ours = screen.page.get_by_role("row").filter(has_text=DEFERRED.patient_id).filter(has_text="accepted")

    def told() -> bool:
        screen.page.goto(f"{service}/audit/decisions")
        return ours.count() > 0

    _until(told)
    ours.first.get_by_role("link").first.click()
    expect(screen.page.get_by_role("main")).to_contain_text(summary)
    expect(screen.page.get_by_role("main")).to_contain_text(re.compile("accepted", re.IGNORECASE))
    assert barriers(screen.page) == []
