"""The facts of a patient, changed one by one, and where each leads."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from sandbox.stories import load
from tests.browser.screen import Screen

STORY = next(story for story in load() if story.id == "three-weeks-of-low-back-pain")


def _open(screen: Screen) -> None:
    screen.open(STORY)
    screen.place(STORY.orders[0])
    screen.page.get_by_role("link", name="What if the facts were different?").click()
    expect(screen.page.get_by_role("heading", name="What if?", level=1)).to_be_visible()


def test_it_starts_from_the_record_of_the_patient(screen: Screen) -> None:
    _open(screen)
    expect(screen.region("Advice").get_by_role("article").first).to_contain_text("defer")


@pytest.mark.parametrize(
    ("fact", "choice", "indicator", "says"),
    [
        ("Strength of the legs", "Left ankle 5, now 4", "Critical", "weakness"),
        ("Red flag: cauda equina", "Saddle numbness", "Critical", "cauda equina"),
        ("Red flag: cauda equina", "Bladder trouble, undated", "Warning", "new or worse"),
        ("Red flag: infection", "Discitis suspected", "Critical", "infection"),
        ("Red flag: cancer", "Cancer seven years ago", "Warning", "cancer"),
        ("Red flag: cancer", "Pain at night", "Warning", "defer"),
        ("Red flag: major trauma", "Car crash two days ago", "Critical", "CT"),
        ("Red flag: aorta", "Known aneurysm", "Warning", "defer"),
    ],
)
def test_one_fact_moves_the_decision_or_leaves_it(
    fact: str, choice: str, indicator: str, says: str, screen: Screen
) -> None:
    screen.page.goto(f"{screen.address}/patients/{STORY.id}/what-if")
    group = screen.page.get_by_role("group", name=fact)
    group.get_by_role("radio", name=re.compile(f"^{re.escape(choice)}")).check(force=True)
    screen.settled()
    card = screen.region("Advice").get_by_role("article").first
    expect(card).to_contain_text(indicator)
    expect(card).to_contain_text(re.compile(says, re.IGNORECASE))


def test_two_facts_together_and_back_again(screen: Screen) -> None:
    _open(screen)
    before = screen.region("Advice").get_by_role("article").first.inner_text()
    for fact, choice in (("Red flag: cancer", "Cancer seven years ago"), ("Strength of the legs", "Left ankle 4 of 5")):
        group = screen.page.get_by_role("group", name=fact)
        group.get_by_role("radio", name=re.compile(f"^{re.escape(choice)}")).check(force=True)
        screen.settled()
    expect(screen.region("Advice")).to_contain_text("24 hours")
    screen.page.get_by_role("link", name="Back to the start").click()
    expect(screen.region("Advice").get_by_role("article").first).to_contain_text("defer")
    assert screen.region("Advice").get_by_role("article").first.inner_text() == before


def test_the_facts_of_an_address_are_those_on_the_page(screen: Screen) -> None:
    """What was tried can be shown to somebody else: it stands in the address, and names no patient's data."""
    screen.page.goto(f"{screen.address}/what-if")
    group = screen.page.get_by_role("group", name="Strength of the legs")
    group.get_by_role("radio", name=re.compile("^Left ankle 5, now 4")).check(force=True)
    screen.settled()
    screen.page.reload()
    chosen = screen.page.get_by_role("group", name="Strength of the legs").get_by_role("radio", checked=True)
    expect(chosen).to_have_accessible_name(re.compile("^Left ankle 5, now 4"))
    expect(screen.region("Advice").get_by_role("article").first).to_contain_text("Critical")
