"""A thread that runs when the processor has nothing better to do, beside one that runs as usual.

Linux has priorities for threads; a process that has lowered its own may not raise it again. Elsewhere both run alike.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import Final, TypeVar

# Of the time that answers leave nothing of, a sixtieth is left all the same (nice(2)): whoever holds the lock of the
# store must get on. With SCHED_IDLE it would be a three-hundredth, and a page would wait for seconds.
NICENESS: Final = 19
T = TypeVar("T")


class LowPriority:
    """One such thread, for as long as it is needed."""

    def __init__(self, niceness: int = NICENESS) -> None:
        self._thread = ThreadPoolExecutor(1, "low-priority", lambda: lower_this_thread(niceness))

    def do(self, what: Callable[[], T], while_waiting: Callable[[], None], seconds: float) -> T:
        """Does it there and returns its result; ``while_waiting`` is called here every few ``seconds``."""
        result: Future[T] = self._thread.submit(what)
        while True:
            try:
                return result.result(seconds)
            except NotYet:
                while_waiting()

    def end(self) -> None:
        """Lets the thread go."""
        self._thread.shutdown()


def lower_this_thread(niceness: int) -> None:
    """What this thread does from now on has that priority, and so has what it starts."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
