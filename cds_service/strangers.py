"""How many calls of nobody known are put on record: whoever calls without a valid token must not fill the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

RECORDED_A_MINUTE: Final = 120  # of each worker; all of them are logged and counted


class Strangers:
    """A bucket of records, filled steadily, and how many calls found it empty."""

    def __init__(self, a_minute: int = RECORDED_A_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(a_minute)
        self._clock = clock
        self._left = self._most
        self._looked_at = clock()
        self._left_out = 0
        self._lock = Lock()

    def take(self) -> bool:
        """May this one be recorded?"""
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._looked_at) * self._most / 60)
            self._looked_at = now
            if self._left < 1:
                self._left_out += 1
                return False
            self._left -= 1
            return True

    def left_out(self) -> int:
        """How many were not, since it was last asked."""
        with self._lock:
            said, self._left_out = self._left_out, 0
            return said
