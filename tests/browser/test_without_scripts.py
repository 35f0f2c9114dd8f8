"""Scripts switched off: every form works by its button, as a browser sends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from sandbox.launcher import Running
from sandbox.stories import load
from tests.browser.conftest import WIDE
from tests.browser.screen import Screen

STORY = next(story for story in load() if story.id == "left-foot-getting-weaker")


@pytest.fixture
def plain(browser: Browser, sandbox: Running) -> Iterator[Screen]:
    context = browser.new_context(viewport=WIDE, java_script_enabled=False)
    context.set_default_timeout(10_000)
    yield Screen(context.new_page(), sandbox.ehr.address)
    context.close()


def test_an_order_is_placed_changed_and_signed_without_scripts(plain: Screen) -> None:
    page = plain.page
    plain.open(STORY)
    plain.region("Orders").get_by_role("button", name=STORY.orders[0].label, exact=True).click()
    expect(plain.cards.first).to_contain_text("Critical")
    page.get_by_role("radio", name="Stat").check()
    page.get_by_role("button", name="Change priority").click()
    expect(page.get_by_role("radio", name="Stat")).to_be_checked()
    expect(plain.cards.get_by_role("button", name="Make it", exact=False)).to_have_count(0)
    page.get_by_role("button", name="Sign orders").click()
    expect(plain.region("Advice")).to_contain_text("The order is the one that is advised")
    page.get_by_role("button", name="Advice read: sign").click()
    expect(page.get_by_role("list", name="Signed orders")).to_contain_text("MRI lumbar spine without contrast")


def test_an_order_is_signed_against_advice_without_scripts(plain: Screen) -> None:
    page = plain.page
    plain.open(STORY)
    plain.region("Orders").get_by_role("button", name=STORY.orders[0].label, exact=True).click()
    page.get_by_role("button", name="Sign orders").click()
    page.get_by_role("combobox", name="Reason to sign anyway").select_option(index=1)
    page.get_by_role("button", name="Sign anyway").click()
    expect(page.get_by_role("list", name="Signed orders")).to_contain_text("MRI lumbar spine without contrast")


def test_a_fact_is_changed_without_scripts(plain: Screen) -> None:
    page = plain.page
    page.goto(f"{plain.address}/what-if")
    page.get_by_role("group", name="Red flag: cauda equina").get_by_role("radio", name="Saddle numbness").check()
    page.get_by_role("button", name="Show where it leads").click()
    expect(plain.region("Advice")).to_contain_text("Emergency")


def test_chart_and_messages_stand_below_each_other_without_scripts(plain: Screen) -> None:
    plain.open(STORY)
    expect(plain.region("Problems")).to_be_visible()
    expect(plain.region("Messages")).to_be_visible()
