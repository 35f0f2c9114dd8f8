"""`GET /audit/sentinels`: what stopped, jumped or fell silent, and what is compared with what."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from flask import render_template
from msgspec import Struct

from audit_pages.desk import Desk
from audit_trail.sentinels import (
    BEFORE_DAYS,
    CHANCE,
    FEWEST,
    RECENT_HOURS,
    SILENCE_HOURS,
    TIMES,
    WEEKS,
    Warned,
)


class Watch(Struct, frozen=True):
    """What the sentinels saw when they last looked."""

    at: datetime
    warnings: tuple[Warned, ...]


class Sentinels(Protocol):
    """Whoever watches."""

    def look(self, now: datetime) -> Watch:
        """What is unusual now, or was a minute ago; may raise ``StoreDown``."""
        ...

    def last(self) -> Watch | None:
        """What was seen last, without looking."""
        ...


class SentinelsPage:
    """The view."""

    def __init__(self, desk: Desk, sentinels: Sentinels) -> None:
        self._desk = desk
        self._sentinels = sentinels

    def page(self) -> str:
        """`GET /audit/sentinels`"""
        watch = self._sentinels.look(self._desk.gate.now())
        self._desk.record("sentinels", records=len(watch.warnings))
        return render_template(
            "audit_pages/sentinels.html",
            watch=watch,
            words=self._desk.words(),
            recent=RECENT_HOURS,
            before=BEFORE_DAYS,
            times=TIMES,
            fewest=FEWEST,
            silence=SILENCE_HOURS,
            weeks=WEEKS,
            chance=round(1 / CHANCE),
        )
