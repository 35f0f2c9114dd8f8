"""What the sentinels see is in the log, in the metrics and on their page; and they outlive a store that is down."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit_pages.sentinels import Watch
from audit_trail.database import SECONDS_A_READER_WAITS, StoreBusy
from audit_trail.draining import StoreDown
from audit_trail.sentinels import Warned
from cds_service.metrics import Metrics
from cds_service.operator_log import OperatorLog
from cds_service.pages_setup import watch_of
from cds_service.sentinel_watch import KINDS, SentinelWatch
from tests.audit_pages.history import past_in, weeks_of_calls
from tests.audit_pages.visiting import signed_in

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SILENCE = Warned("silence", "st-anna", "No call from st-anna", "0 calls", "many", True, "st-anna")
LATENCY = Warned("latency", "", "Answers are slower than usual", "90 ms", "10 ms")


class Lines(OperatorLog):
    def __init__(self) -> None:
        super().__init__("info")
        self.lines: list[tuple[str, str, str]] = []

    def write(self, level: str, event: str, said: str) -> None:
        self.lines.append((level, event, said))


def nothing() -> Any:
    raise StoreDown("out of reach")


def a_watch(folder: Path, log: Lines, metrics: Metrics) -> SentinelWatch:
    return SentinelWatch(nothing, log, metrics, folder / "lock")


def test_a_warning_is_written_once_and_its_end_too(tmp_path: Path):
    log, metrics = Lines(), Metrics()
    watch = a_watch(tmp_path, log, metrics)
    for warnings in ((), (SILENCE,), (SILENCE, LATENCY), (LATENCY,), ()):
        watch.tell(Watch(NOW, warnings))
    assert [(level, said.partition(" (")[0]) for level, _, said in log.lines] == [
        ("warning", "silence: No call from st-anna"),
        ("warning", "latency: Answers are slower than usual"),
        ("info", "over: silence: No call from st-anna"),
        ("info", "over: latency: Answers are slower than usual"),
    ]
    assert {event for _, event, _ in log.lines} == {"sentinel"}


@pytest.mark.parametrize(("key", "told"), [("laboratory", True), ("notesOfMrsDoe", False)])
def test_a_key_that_a_client_made_up_is_not_repeated_in_the_log(tmp_path: Path, key: str, told: bool):
    log = Lines()
    says = f"Nothing comes under the prefetch key {key} from st-anna any more"
    stopped = Warned("source stopped", f"st-anna: {key}", says, "0 of 90 calls", "80 % of calls", True, "st-anna")
    watch = a_watch(tmp_path, log, Metrics())
    watch.tell(Watch(NOW, (stopped,)))
    watch.tell(Watch(NOW, ()))
    assert [key in said for _, _, said in log.lines] == [told, told]


def test_the_metrics_count_each_kind_also_when_there_is_none(tmp_path: Path):
    metrics = Metrics()
    watch = a_watch(tmp_path, Lines(), metrics)
    watch.tell(Watch(NOW, (SILENCE,)))
    text = metrics.text().decode()
    assert 'lumbar_cds_sentinel_warnings{kind="silence"} 1.0' in text
    assert 'lumbar_cds_sentinel_warnings{kind="latency"} 0.0' in text
    assert text.count("lumbar_cds_sentinel_warnings{") == len(KINDS)


def test_what_one_process_sees_stands_in_the_head_of_the_pages_of_all(tmp_path: Path):
    watching, other = (a_watch(tmp_path, Lines(), Metrics()) for _ in range(2))
    assert other.last() is None
    watching.tell(Watch(NOW, (SILENCE,)))
    assert other.last() == Watch(NOW, (SILENCE,))


def test_a_store_that_is_down_is_told_to_whoever_asks(tmp_path: Path):
    with pytest.raises(StoreDown):
        a_watch(tmp_path, Lines(), Metrics()).look(NOW)


def test_one_process_of_a_machine_watches(tmp_path: Path):
    first, second = (a_watch(tmp_path, Lines(), Metrics()) for _ in range(2))
    assert first._alone() is not None
    assert second._alone() is None


def test_the_page_shows_what_is_seen_and_a_day_like_any_other_shows_nothing(tmp_path: Path):
    with past_in(tmp_path) as past:
        weeks_of_calls(past, datetime.now(UTC) - timedelta(minutes=1), days=2, a_day=8)
        visitor = signed_in(past, "quality")
        assert "Nothing unusual." in visitor.get("/audit/sentinels").get_data(as_text=True)
        watch = watch_of(past.app)
        assert watch is not None
        watch._last = Watch(datetime.now(UTC), (SILENCE, LATENCY))
        text = visitor.get("/audit/sentinels").get_data(as_text=True)
        assert "No call from st-anna" in text
        assert "Answers are slower than usual" in text
        assert '<span class="count">2<' in visitor.get("/audit").get_data(as_text=True), "also in the head of each page"


def test_a_page_does_not_wait_for_another_look_that_takes_long(tmp_path: Path):
    begun, on = threading.Event(), threading.Event()

    def slow() -> Any:
        begun.set()
        on.wait(30)
        raise StoreDown("gone meanwhile")

    watch = SentinelWatch(slow, Lines(), Metrics(), tmp_path / "lock")

    def look() -> None:
        with pytest.raises(StoreDown):
            watch.look(NOW)

    background = threading.Thread(target=look)
    background.start()
    try:
        assert begun.wait(30)
        before = time.monotonic()
        with pytest.raises(StoreBusy):
            watch.look(NOW)
        assert time.monotonic() - before < SECONDS_A_READER_WAITS + 5
    finally:
        on.set()
        background.join()
