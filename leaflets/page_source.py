"""Where a page behind a card's link comes from."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from cards.page import Audience, Page


class PageSource(Protocol):
    """Whoever keeps decisions, and finds the page of a handle again until the link expires."""

    def find(self, audience: Audience, handle: str, now: datetime) -> Page | None:
        """The page of this handle; ``None``: no such handle for this audience, or the link has expired.

        A handle is whatever somebody typed: any text of any length may come.
        """
        ...

    def viewed(self, audience: Audience, handle: str, found: bool, language: str, now: datetime) -> None:
        """Keeps that the page was opened. Nobody is named: who opens a link is not known."""
        ...


class NoPages:
    """No decision is kept: every link leads to the page for everyone."""

    def find(self, audience: Audience, handle: str, now: datetime) -> Page | None:
        return None

    def viewed(self, audience: Audience, handle: str, found: bool, language: str, now: datetime) -> None:
        return None
