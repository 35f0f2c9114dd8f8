"""The pretend EHR as somebody in front of it sees it: by roles and names, as a screen reader would."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from sandbox.stories import DraftOrder, Story

INDICATORS = {"critical": "Critical", "warning": "Warning", "info": "Information"}


class Screen:
    """One tab."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def list(self) -> None:
        """The list of patients."""
        self.page.goto(self.address)

    def open(self, story: Story) -> None:
        """One patient's page."""
        self.page.goto(f"{self.address}/patients/{story.id}")

    def place(self, order: DraftOrder) -> None:
        """One of the story's orders, placed."""
        self.region("Orders").get_by_role("button", name=order.label, exact=True).click()
        self.settled()

    def settled(self) -> None:
        """Waits until no answer is being waited for."""
        expect(self.page.get_by_role("main")).not_to_have_attribute("aria-busy", "true")

    def region(self, name: str) -> Locator:
        """A part of the page."""
        return self.page.get_by_role("region", name=name, exact=True)

    @property
    def cards(self) -> Locator:
        """The cards."""
        return self.region("Advice").get_by_role("article")

    @property
    def status(self) -> Locator:
        """What the page says aloud."""
        return self.page.get_by_role("status")

    def press(self, label: str) -> None:
        """A suggestion, by its label."""
        self.cards.get_by_role("button", name=label, exact=True).click()
        self.settled()

    def messages(self) -> Locator:
        """The messages between EHR and service, newest first."""
        self.page.get_by_role("tab", name="Messages").click()
        return self.region("Messages").get_by_role("article")


def fits(page: Page) -> bool:
    """Does nothing stick out at the side?"""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
