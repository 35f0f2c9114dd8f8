"""What processes count together is right at any moment, across them, and after one of them has died."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import prometheus_client  # noqa: F401  at its import it looks for the folder variable, which is set here for a moment
import pytest

from cds_service.audit import CallLine
from cds_service.metrics import FOLDER_VARIABLE, Metrics
from cds_service.shared_numbers import SharedNumbers


def _in_a_process_that_is_killed(work: Callable[[], None]) -> None:
    """Does it in a fork, which then ends without a word."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def _count(numbers: SharedNumbers, name: str, amount: float = 1.0) -> None:
    own = numbers.own()
    own.add_to(own.place(name, "label"), amount)


def test_what_a_process_counted_outlives_it_and_adds_to_what_others_count(tmp_path: Path) -> None:
    numbers = SharedNumbers(tmp_path)
    _count(numbers, "calls")
    for _ in range(2):
        _in_a_process_that_is_killed(lambda: _count(numbers, "calls", 20.0))
    _in_a_process_that_is_killed(lambda: _count(numbers, "cards"))
    assert numbers.sums() == SharedNumbers(tmp_path).sums() == {("calls", "label"): 41.0, ("cards", "label"): 1.0}


def test_numbers_without_a_folder_are_of_one_process() -> None:
    numbers = SharedNumbers(None)
    _count(numbers, "calls")
    _in_a_process_that_is_killed(lambda: _count(numbers, "calls"))
    assert numbers.sums() == {("calls", "label"): 1.0}


@pytest.mark.parametrize("shared", [True, False])
def test_more_names_than_there_was_room_for_lose_nothing(tmp_path: Path, shared: bool) -> None:
    numbers = SharedNumbers(tmp_path if shared else None)
    for round_ in range(2):
        for number in range(1_500):
            own = numbers.own()
            own.add((own.place("many", str(number)),), own.place("all"), own.place("sum"), number + round_)
    sums = numbers.sums()
    assert [sums["many", str(number)] for number in range(1_500)] == [2.0] * 1_500
    assert (sums["all",], sums["sum",]) == (3_000.0, 2 * sum(range(1_500)) + 1_500)


def test_a_folder_that_was_taken_away_is_put_back_with_what_was_counted(tmp_path: Path) -> None:
    folder = tmp_path / "metrics" / "1"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    numbers = SharedNumbers(folder)
    _count(numbers, "calls", 5.0)
    shutil.rmtree(folder.parent)  # as at a logout: systemd's RemoveIPC
    _count(numbers, "calls")
    assert numbers.sums() == {("calls", "label"): 6.0}
    _in_a_process_that_is_killed(lambda: _count(numbers, "calls", 20.0))
    _count(numbers, "calls")
    assert numbers.sums() == SharedNumbers(folder).sums() == {("calls", "label"): 27.0}
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700


def test_where_the_place_of_that_folder_is_somebody_elses_a_process_tells_its_own_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "metrics" / "1"
    folder.mkdir(parents=True)
    numbers = SharedNumbers(folder)
    _count(numbers, "calls", 5.0)
    shutil.rmtree(folder.parent)
    folder.parent.mkdir()
    folder.parent.chmod(0o777)  # anybody may exchange what is in it
    assert not numbers.put_back()
    assert numbers.sums() == {("calls", "label"): 5.0}
    assert list(folder.parent.iterdir()) == []


def test_metrics_are_answered_after_their_folder_was_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "metrics" / "1"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    metrics = Metrics(shared=True)
    metrics.record_kept()
    shutil.rmtree(folder.parent)
    metrics.set_warnings("silence", 1)
    metrics.record_kept()
    assert b"lumbar_cds_records_kept_total 2.0" in metrics.text()


def test_threads_that_count_at_once_lose_nothing(tmp_path: Path) -> None:
    numbers = SharedNumbers(tmp_path)

    def counts(_: int) -> None:
        for _ in range(500):
            own = numbers.own()
            own.add((own.place("a"), own.place("b")), own.place("c"), own.place("sum"), 0.5)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(counts, range(8)))
    assert numbers.sums() == {("a",): 4_000.0, ("b",): 4_000.0, ("c",): 4_000.0, ("sum",): 2_000.0}


def test_a_name_that_is_half_written_is_not_told_yet(tmp_path: Path) -> None:
    numbers = SharedNumbers(tmp_path)
    _count(numbers, "calls")
    (names,) = tmp_path.glob("*.names")
    with names.open("ab") as file:
        file.write(b'["car')
    assert numbers.sums() == {("calls", "label"): 1.0}


def test_where_there_is_no_room_a_start_fails_and_no_process_dies_of_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        SharedNumbers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_later_costs_counts_and_no_process_and_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = SharedNumbers(tmp_path)
    _count(numbers, "calls")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    for number in range(1_500):
        _count(numbers, f"name {number}")
        _count(numbers, "calls")
    sums = numbers.sums()
    assert sums["calls", "label"] == 1_501.0  # what had a name before is counted as before
    assert sums["name 0", "label"] == 1.0
    assert ("name 1499", "label") not in sums
    assert set(sums.values()) == {1_501.0, 1.0}

    def counts_on() -> None:
        _count(numbers, "calls")
        (tmp_path / "lived").touch()

    _in_a_process_that_is_killed(counts_on)
    assert (tmp_path / "lived").exists()


@pytest.mark.parametrize("written", [None, 3], ids=["nothing", "half a name"])
def test_a_name_that_the_disk_has_no_room_for_breaks_none_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int | None
) -> None:
    numbers = SharedNumbers(tmp_path, [("failed",)])
    writes = os.write

    def full(file: int, content: bytes) -> int:
        if written is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return writes(file, content[:written])

    monkeypatch.setattr(os, "write", full)
    _count(numbers, "another")
    monkeypatch.undo()
    _count(numbers, "a third")
    own = numbers.own()
    own.add_to(own.place("failed"), 1.0)
    assert numbers.sums() == {("failed",): 1.0}


def _line(milliseconds: float, **more: object) -> CallLine:
    said = {"service": "s", "status": 200, "outcome": "answered", "client": 'a "b"\n', "body_bytes": 1, **more}
    return CallLine(milliseconds=milliseconds, **said)  # type: ignore[arg-type]


def test_calls_of_all_workers_are_told_in_the_form_that_prometheus_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    metrics = Metrics(shared=True)
    metrics.call(_line(250.0, gaps=("Procedure: not provided",), unmapped_codes=3))
    _in_a_process_that_is_killed(lambda: metrics.call(_line(250.5, fetch_troubles=("conditions: timeout",))))
    metrics.call(_line(9_000.0, status=412, outcome="failed"))
    told = metrics.text().decode()
    client = 'client="a \\"b\\"\\n"'
    for expected in (
        f'lumbar_cds_calls_total{{{client},outcome="answered",service="s",status="200"}} 2.0',
        f'lumbar_cds_calls_total{{{client},outcome="failed",service="s",status="412"}} 1.0',
        'lumbar_cds_call_seconds_bucket{le="0.1",service="s"} 0.0',
        'lumbar_cds_call_seconds_bucket{le="0.25",service="s"} 1.0',
        'lumbar_cds_call_seconds_bucket{le="0.5",service="s"} 2.0',
        'lumbar_cds_call_seconds_bucket{le="5.0",service="s"} 2.0',
        'lumbar_cds_call_seconds_bucket{le="+Inf",service="s"} 3.0',
        'lumbar_cds_call_seconds_count{service="s"} 3.0',
        'lumbar_cds_call_seconds_sum{service="s"} 9.5005',
        'lumbar_cds_gaps_total{source="Procedure",why="not provided"} 1.0',
        'lumbar_cds_fetch_troubles_total{trouble="timeout"} 1.0',
        "lumbar_cds_unmapped_codes_total 3.0",
        "lumbar_cds_records_failed_total 0.0",
    ):
        assert f"\n{expected}\n" in told
