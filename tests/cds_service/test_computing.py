"""One thread computes at a time, and whoever waits for the network lets the others compute."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import pytest

from cds_service.computing import Turn


def test_two_threads_never_hold_the_turn_together():
    turn, inside, worst = Turn(), 0, 0

    def compute() -> None:
        nonlocal inside, worst
        for _ in range(50):
            with turn:
                inside += 1
                worst = max(worst, inside)
                time.sleep(0.0001)
                inside -= 1

    threads = [threading.Thread(target=compute) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert worst == 1


def test_another_thread_computes_while_one_waits():
    turn, computed = Turn(), threading.Event()

    def compute() -> None:
        with turn:
            computed.set()

    with turn:
        threading.Thread(target=compute, daemon=True).start()
        assert not computed.wait(0.05)
        assert turn.while_waiting(lambda: computed.wait(5))


def test_the_turn_is_taken_back_after_waiting_even_when_that_fails():
    turn, computed = Turn(), threading.Event()

    def fail() -> None:
        raise OSError("the network")

    with turn:
        with pytest.raises(OSError, match="network"):
            turn.while_waiting(fail)
        threading.Thread(target=lambda: turn.__enter__() or computed.set(), daemon=True).start()
        assert not computed.wait(0.05)


def test_waiting_outside_a_turn_is_only_waiting():
    assert Turn().while_waiting(lambda: 7) == 7


def test_a_failure_gives_the_turn_back():
    turn = Turn()
    with pytest.raises(ValueError, match="defect"), turn:
        raise ValueError("defect")
    with turn:
        pass


def test_the_turn_goes_to_whoever_has_waited_longest():
    turn, order, entered = Turn(), [], threading.Semaphore(0)

    def compute(number: int) -> None:
        with turn:
            order.append(number)
        entered.release()

    with turn:
        for number in range(5):
            threading.Thread(target=compute, args=(number,), daemon=True).start()
            while len(turn._waiting) <= number:  # each waits before the next one comes
                time.sleep(0.001)
    for _ in range(5):
        assert entered.acquire(timeout=5)
    assert order == [0, 1, 2, 3, 4]


class Meanwhile:
    """A lock; when it is first taken, something else has happened just before."""

    def __init__(self, happens: Callable[[], None]) -> None:
        self._happens: list[Callable[[], None]] = [happens]
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if self._happens:
            self._happens.pop()()
        self._lock.acquire()

    def __exit__(self, *_failure: object) -> None:
        self._lock.release()


def test_a_turn_that_is_given_back_before_the_next_thread_is_seen_to_wait_is_not_lost():
    turn, computed = Turn(), threading.Event()
    turn.__enter__()
    turn._guard = Meanwhile(lambda: turn.__exit__(None, None, None))

    def compute() -> None:
        with turn:
            computed.set()

    threading.Thread(target=compute, daemon=True).start()
    assert computed.wait(5)


def test_no_thread_is_forgotten_when_turns_change_hands_quickly():
    turn, taken = Turn(), [0] * 4

    def compute(number: int) -> None:
        for _ in range(20_000):
            with turn:
                taken[number] += 1

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=compute, args=(number,), daemon=True) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    finally:
        sys.setswitchinterval(before)
    assert taken == [20_000] * 4
    with turn:
        pass
