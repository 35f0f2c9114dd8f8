"""Every browser has its own desks, one for each patient; kept in memory, and forgotten when there are too many."""

from __future__ import annotations

from collections import OrderedDict
from secrets import token_urlsafe
from threading import Lock

from sandbox.ehr.desk import Desk

DESKS_KEPT = 500


class Desks:
    """Desks by browser and story, with a lock each: one click at a time."""

    def __init__(self) -> None:
        self._desks: OrderedDict[tuple[str, str], tuple[Desk, Lock]] = OrderedDict()
        self._lock = Lock()

    def at(self, browser: str, story: str) -> tuple[Desk, Lock]:
        """The desk of this browser for this patient."""
        with self._lock:
            found = self._desks.get((browser, story))
            if found is None:
                found = self._desks[browser, story] = (Desk(), Lock())
            self._desks.move_to_end((browser, story))
            while len(self._desks) > DESKS_KEPT:
                self._desks.popitem(last=False)
            return found

    def cleared(self, browser: str, story: str) -> None:
        """An empty desk in place of this one."""
        with self._lock:
            self._desks.pop((browser, story), None)


def new_browser() -> str:
    """A name for a browser that nobody guesses."""
    return token_urlsafe(18)
