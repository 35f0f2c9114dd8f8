"""One thread computes at a time, and whoever waits for the network lets the others compute."""

from __future__ import annotations

import threading
import time

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
