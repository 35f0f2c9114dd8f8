"""What another EHR would receive, tried in the pretend one: by keyboard, on a telephone, and for every patient."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from cards.profiles import PROFILES
from sandbox.stories import load
from tests.browser.accessibility import barriers
from tests.browser.screen import Screen, fits

BY_ID = {story.id: story for story in load()}
EMERGENCY = "three-weeks-and-a-numb-saddle"
CHOICE = "Answers written for"


def _placed(screen: Screen, own: str) -> None:
    screen.open(BY_ID[own])
    screen.place(BY_ID[own].orders[0])
    screen.messages()


def test_the_card_is_the_one_that_the_chosen_kind_of_client_gets(screen: Screen) -> None:
    _placed(screen, EMERGENCY)
    heading = screen.cards.first.get_by_role("heading").inner_text()
    for profile in PROFILES:
        screen.page.get_by_label(CHOICE).select_option(profile)
        screen.settled()
        newest = screen.region("Messages").get_by_role("article").first
        expect(newest).to_contain_text(f"Lumbar-CDS-Profile: {profile}")
        expect(newest).not_to_contain_text("lost cards[")
        expect(screen.cards.first.get_by_role("heading")).to_have_text(heading)
    expect(screen.region("Advice")).to_contain_text(f"written for {list(PROFILES)[-1]}")
    assert barriers(screen.page) == []


def test_the_choice_is_made_by_keyboard_and_the_focus_stays_on_it(screen: Screen) -> None:
    _placed(screen, EMERGENCY)
    screen.page.get_by_label(CHOICE).focus()
    screen.page.keyboard.press("e")
    screen.settled()
    expect(screen.region("Advice")).to_contain_text("written for epic")
    expect(screen.page.get_by_label(CHOICE)).to_be_focused()


@pytest.mark.parametrize("profile", ["epic", "plain"])
def test_on_a_telephone_nothing_of_it_is_cut_off(profile: str, telephone: Screen) -> None:
    _placed(telephone, EMERGENCY)
    telephone.page.get_by_label(CHOICE).select_option(profile)
    telephone.settled()
    expect(telephone.region("Advice")).to_contain_text(f"written for {profile}")
    assert fits(telephone.page)
