"""Who takes the next call, and who computes: one thread of a worker each; the others may read, write and wait.

Python runs one thread at a time anyway. Left to itself it hands over between them in the middle of calls, which costs a
sixth of the throughput, and lets a call that came early be answered late. So one thread *leads*: it takes the calls as
they come and answers each, for as long as nothing has to be waited for. A thread that must wait leaves the lead to the
next one first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock, get_ident
from typing import TypeVar

T = TypeVar("T")


def _nothing() -> None:
    pass


class Lead:
    """Held by the thread that takes calls; ``before_leaving`` puts down what only the leader looks after."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._holder = 0
        self.before_leaving: Callable[[], None] = _nothing

    def take(self) -> None:
        """Waits until this thread leads."""
        self._lock.acquire()
        self._holder = get_ident()

    @property
    def mine(self) -> bool:
        """Does this thread lead?"""
        return self._holder == get_ident()

    def leave(self) -> None:
        """Lets another thread lead: for use before whatever may have to wait. Whoever does not lead goes on."""
        if self._holder == get_ident():
            try:
                self.before_leaving()
            finally:
                self._holder = 0
                self._lock.release()


class Turn:
    """Held by the thread that computes; given to whoever has waited longest. Whoever waits has left ``lead``."""

    def __init__(self, lead: Lead | None = None) -> None:
        self._turn = Lock()
        self._holder = 0
        self._guard = Lock()  # of those who wait
        self._waiting: deque[tuple[int, Lock]] = deque()
        self._lead = lead or Lead()

    def __enter__(self) -> None:
        if not self._waiting and self._turn.acquire(False):  # the usual case
            self._holder = get_ident()
            return
        called = Lock()
        called.acquire()
        with self._guard:
            self._waiting.append((get_ident(), called))
        self._hand_on()  # whoever held it may have gone before this thread was seen to wait
        called.acquire()

    def __exit__(self, *_failure: object) -> None:
        self._holder = 0
        self._turn.release()
        if self._waiting:
            self._hand_on()

    def _hand_on(self) -> None:
        """To whoever has waited longest; if somebody else holds it, they will."""
        with self._guard:
            if self._waiting and self._turn.acquire(False):
                self._holder, called = self._waiting.popleft()
                called.release()

    def while_waiting(self, what: Callable[[], T]) -> T:
        """Does what waits for the network, and lets another thread compute in the meantime."""
        self._lead.leave()
        if self._holder != get_ident():  # whoever does not hold the turn has none to give
            return what()
        self.__exit__()
        try:
            return what()
        finally:
            self.__enter__()


LEAD = Lead()
TURN = Turn(LEAD)
