"""The pages without a mouse, on a telephone, and for people who do not see them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from sandbox.stories import load
from tests.browser.accessibility import barriers
from tests.browser.screen import Screen, fits

BY_ID = {story.id: story for story in load()}
SHOWN = ("three-weeks-of-low-back-pain", "left-foot-getting-weaker", "six-weeks-of-care-and-no-plan")


def test_the_list_of_patients_has_no_barrier(screen: Screen) -> None:
    screen.list()
    assert barriers(screen.page) == []


@pytest.mark.parametrize("own", SHOWN[:2])
def test_a_patient_with_a_card_has_no_barrier(own: str, screen: Screen) -> None:
    screen.open(BY_ID[own])
    screen.place(BY_ID[own].orders[0])
    expect(screen.cards.first).to_be_visible()
    assert barriers(screen.page) == []


def test_the_messages_have_no_barrier(screen: Screen) -> None:
    screen.open(BY_ID[SHOWN[2]])
    screen.place(BY_ID[SHOWN[2]].orders[0])
    expect(screen.messages().first).to_be_visible()
    assert barriers(screen.page) == []


def test_what_if_has_no_barrier(screen: Screen) -> None:
    screen.page.goto(f"{screen.address}/patients/{SHOWN[0]}/what-if")
    assert barriers(screen.page) == []


_FOCUSED = """() => {
  const focused = document.activeElement;
  return (focused.getAttribute("aria-label") || focused.innerText || "").trim();
}"""


def _tab_to(page: Page, name: str, *, limit: int = 60) -> None:
    """Presses Tab until the element of this name has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate(_FOCUSED) == name:
            return
    raise AssertionError(f"{name!r} is not reached by the Tab key")


def test_an_emergency_is_put_right_by_keyboard_alone(screen: Screen) -> None:
    story = BY_ID["three-weeks-and-a-numb-saddle"]
    page = screen.page
    screen.list()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    page.keyboard.press("Enter")
    _tab_to(page, story.title, limit=80)
    page.keyboard.press("Enter")
    page.wait_for_url("**/patients/*")
    _tab_to(page, story.orders[0].label)
    page.keyboard.press("Enter")
    screen.settled()
    expect(screen.cards.first).to_contain_text("Critical")
    _tab_to(page, "Change to MRI without contrast, stat")
    assert _outlined(page), "the focus is not to be seen"
    page.keyboard.press("Enter")
    screen.settled()
    expect(screen.status).to_contain_text("Suggestion accepted")


def _outlined(page: Page) -> bool:
    return bool(
        page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement);"
            " return parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== 'none' || s.boxShadow !== 'none' }"
        )
    )


def test_the_tabs_beside_the_orders_work_with_arrow_keys(screen: Screen) -> None:
    screen.open(BY_ID[SHOWN[0]])
    screen.page.get_by_role("tab", name="Chart").focus()
    screen.page.keyboard.press("ArrowRight")
    expect(screen.page.get_by_role("tab", name="Messages")).to_be_focused()
    expect(screen.region("Messages")).to_be_visible()


@pytest.mark.parametrize("own", SHOWN)
def test_on_a_telephone_nothing_is_cut_off(own: str, telephone: Screen) -> None:
    story = BY_ID[own]
    telephone.list()
    assert fits(telephone.page)
    telephone.open(story)
    telephone.place(story.orders[0])
    expect(telephone.cards.first).to_be_visible()
    assert fits(telephone.page)
    assert _small_targets(telephone.page) == []
    telephone.page.goto(f"{telephone.address}/patients/{own}/what-if")
    assert fits(telephone.page)


def _small_targets(page: Page) -> list[str]:
    """Buttons below 24 by 24 pixels (WCAG 2.2, 2.5.8)."""
    return list(
        page.evaluate(
            "() => [...document.querySelectorAll('main button')].filter(e => e.offsetParent !== null)"
            ".filter(e => e.offsetWidth < 24 || e.offsetHeight < 24).map(e => e.outerHTML.slice(0, 120))"
        )
    )
