"""Every story is placed in a real browser, and its card is there to be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from sandbox.launcher import Running
from sandbox.stories import ExpectedCard, Story, load
from tests.browser.conftest import WIDE, a_context, a_tab, keep_picture
from tests.browser.screen import INDICATORS, Screen

STORIES = load()


@pytest.fixture(scope="module")
def one_tab(browser: Browser, sandbox: Running) -> Iterator[Screen]:
    """One tab for all stories, as a clinician has it through a day."""
    context = a_context(browser, WIDE)
    yield Screen(a_tab(context), sandbox.ehr.address)
    context.close()


@pytest.mark.parametrize("story", STORIES, ids=[story.id for story in STORIES])
def test_the_card_of_a_story_is_seen(story: Story, one_tab: Screen) -> None:
    one_tab.open(story)
    for order in story.orders:
        if order.hook != "order-select":
            continue
        if one_tab.region("Orders").get_by_role("group").count():
            one_tab.page.get_by_role("button", name="Start over").click()
            one_tab.settled()
        one_tab.place(order)
        _sees(one_tab, order.expected)
    keep_picture(one_tab.page, f"story-{story.id}")


def _sees(screen: Screen, expected: ExpectedCard) -> None:
    advice = screen.region("Advice")
    if not expected.kind:
        expect(advice).to_contain_text("nothing to say")
        expect(screen.cards).to_have_count(0)
        return
    expect(screen.cards.first).to_contain_text(INDICATORS[expected.indicator])
    said = re.sub(r"\s+", " ", advice.inner_text()).casefold()
    assert [word for word in expected.words if word.casefold() not in said] == []
    assert [word for word in expected.never if word.casefold() in said] == []


def test_a_card_is_at_most_six_clicks_away(screen: Screen) -> None:
    """Opened, searched for nothing, patient chosen, order pressed: the card stands there."""
    story = STORIES[0]
    clicks = 0
    screen.list()
    screen.page.get_by_role("link", name=story.title, exact=True).click()
    clicks += 1
    screen.place(story.orders[0])
    clicks += 1
    expect(screen.cards).to_have_count(1)
    assert clicks <= 6
