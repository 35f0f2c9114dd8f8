"""Where a page behind a card's link comes from."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from cards.page import Audience, Page


class PagesUnavailable(Exception):
    """Decisions cannot be looked up at the moment."""


class PageSource(Protocol):
    """Whoever keeps decisions, and finds the page of a handle again until the link expires."""

    def opened(self, audience: Audience, handle: str, language: str, now: datetime) -> Page | None:
        """The page of this handle, now opened; ``None``: no such handle for this audience, or the link has expired.

        That it was opened is recorded, whatever was found; by whom is not known. A handle is whatever somebody typed.
        Raises PagesUnavailable.
        """
        ...


class NoPages:
    """No decision is kept: every link leads to the page for everyone."""

    def opened(self, audience: Audience, handle: str, language: str, now: datetime) -> Page | None:
        return None
