"""A worker that is told to stop while it still starts: it hears it, whoever's handlers it has by then."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import time
from collections.abc import Callable

import pytest

from cds_service.server import stop_if_told


class Arbiter:
    """What a worker has of the arbiter right after the fork: its queue, and handlers that fill it."""

    def __init__(self) -> None:
        self.SIG_QUEUE: queue.SimpleQueue[int] = queue.SimpleQueue()
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(each, lambda number, _frame: self.SIG_QUEUE.put_nowait(number))


def told_before(number: int) -> None:
    arbiter = Arbiter()
    os.kill(os.getpid(), number)
    stop_if_told(arbiter)
    time.sleep(60)


def told_after(number: int) -> None:
    stop_if_told(Arbiter())
    os.kill(os.getpid(), number)
    time.sleep(60)


def told_something_else(_number: int) -> None:
    arbiter = Arbiter()
    arbiter.SIG_QUEUE.put(signal.SIGCHLD)
    stop_if_told(arbiter)
    os._exit(7)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize(
    ("worker", "ends"),
    [(told_before, lambda _: 0), (told_after, lambda number: -number), (told_something_else, lambda _: 7)],
)
def test_a_worker_ends_when_it_is_told_to_and_only_then(
    worker: Callable[[int], None], ends: Callable[[int], int], number: int
) -> None:
    process = multiprocessing.get_context("fork").Process(target=worker, args=(number,))
    process.start()
    process.join(30)
    assert process.exitcode == ends(number)
