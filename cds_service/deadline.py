"""One budget of time, handed down through everything that a call waits for."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """A moment that nothing may outlast. Made once for a call, and asked by every part that waits."""

    __slots__ = ("_clock", "_ends")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock() + seconds

    def remaining(self) -> float:
        """Seconds left; never below zero."""
        return max(0.0, self._ends - self._clock())

    @property
    def passed(self) -> bool:
        """Is it over?"""
        return self._clock() >= self._ends

    def sooner(self, seconds: float) -> Deadline:
        """A deadline that many seconds before this one, to leave time for what follows."""
        return Deadline(self._ends - self._clock() - seconds, self._clock)

    def within(self, seconds: float) -> Deadline:
        """This deadline, or that many seconds from now, whichever comes first."""
        return Deadline(min(self._ends - self._clock(), seconds), self._clock)
