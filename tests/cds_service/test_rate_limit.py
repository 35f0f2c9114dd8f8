"""How often a client may call: so many at once, then so many a minute, counted for all workers together."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from cds_service.rate_limit import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 500.0

    def __call__(self) -> float:
        return self.now


def test_a_full_bucket_takes_its_burst_then_one_per_interval() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    assert [limit.wait("a", 60, 3) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert 0.9 < limit.wait("a", 60, 3) <= 1.0
    clock.now += 1.0
    assert limit.wait("a", 60, 3) == 0.0
    assert limit.wait("a", 60, 3) > 0.0
    clock.now += 3600
    assert sum(limit.wait("a", 60, 3) == 0.0 for _ in range(10)) == 3


def test_one_client_does_not_use_up_anothers_calls() -> None:
    limit = RateLimit(Clock())
    while limit.wait("a", 60, 2) == 0.0:
        pass
    assert limit.wait("b", 60, 2) == 0.0


def test_a_refused_call_takes_nothing() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    limit.wait("a", 60, 1)
    for _ in range(100):
        assert limit.wait("a", 60, 1) <= 1.0
    clock.now += 1.0
    assert limit.wait("a", 60, 1) == 0.0


def test_threads_and_forked_workers_share_the_buckets() -> None:
    limit = RateLimit(Clock())
    with ThreadPoolExecutor(8) as threads:
        assert sum(wait == 0.0 for wait in threads.map(lambda _: limit.wait("a", 60, 20), range(15))) == 15
    child = os.fork()
    if child == 0:
        os._exit(sum(limit.wait("a", 60, 20) == 0.0 for _ in range(15)))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 5
    assert limit.wait("a", 60, 20) > 0.0


def test_more_clients_than_places_are_still_limited() -> None:
    limit = RateLimit(Clock())
    taken = [limit.wait(f"client-{number}", 60, 1) for number in range(6000)]
    assert taken[0] == 0.0
    assert limit.wait("client-0", 60, 1) > 0.0
