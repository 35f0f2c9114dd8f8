"""What axe-core finds on a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # the rest is not read: half the time
}
_SERIOUS = frozenset({"serious", "critical", "moderate"})


def barriers(page: Page) -> list[str]:
    """Every barrier that is worse than minor: the rule, and the first element that breaks it."""
    found = Axe().run(page, options=_OPTIONS).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {each['nodes'][0]['html'][:160]}"
        for each in found
        if each["impact"] in _SERIOUS
    ]
