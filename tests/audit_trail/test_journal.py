"""The journal: what was written is read again in order, and nothing that was cut off or damaged passes for a record."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from audit_trail.journal import (
    Frame,
    JournalError,
    JournalWriter,
    bytes_of,
    claim_abandoned,
    read_frames,
    segments_of,
    writers_in,
)

RECORDS = [b"", b"one", b"LCJ1 in the middle of LCJ1", os.urandom(5000), b"LCJ1" * 50]


def written(folder: Path, *records: bytes, **more: object) -> Path:
    """A journal with these records, whose writer has ended."""
    journal = JournalWriter(folder, "w", **more)  # type: ignore[arg-type]
    for record in records:
        journal.append(record)
    journal.close()
    return segments_of(folder, "w")[0]


def contents(path: Path, end: int | None = None) -> list[tuple[int, bytes]]:
    return [(frame.number, frame.content) for frame, _ in read_frames(path, 0, end)]


@pytest.mark.parametrize("sync", [False, True])
def test_what_was_written_is_read_again_in_order(tmp_path: Path, sync: bool) -> None:
    path = written(tmp_path, *RECORDS, sync=sync)
    assert contents(path) == list(enumerate(RECORDS, start=1))


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = written(tmp_path, *RECORDS)
    ends = [end for _, end in read_frames(path)]
    assert ends[-1] == path.stat().st_size
    assert [frame.number for frame, _ in read_frames(path, ends[1])] == [3, 4, 5]


@pytest.mark.parametrize("lost", [1, 7, 19, 20, 21, 2500])
def test_a_record_that_was_cut_off_is_passed_over(tmp_path: Path, lost: int) -> None:
    path = written(tmp_path, b"whole", os.urandom(5000))
    os.truncate(path, path.stat().st_size - lost)
    assert contents(path) == [(1, b"whole")]


@pytest.mark.parametrize("at", [0, 4, 9, 13, 25])
def test_a_damaged_record_is_passed_over_and_those_behind_it_are_read(tmp_path: Path, at: int) -> None:
    path = written(tmp_path, b"first record", b"second LCJ1", b"third")
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)
    assert contents(path) == [(2, b"second LCJ1"), (3, b"third")]


def test_of_a_file_that_is_being_written_only_whole_records_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"first", b"second")
    size = path.stat().st_size
    for end in range(size):
        assert [number for number, _ in contents(path, end)] == ([1] if end >= 20 + len(b"first") else [])
    assert [number for number, _ in contents(path, size)] == [1, 2]


def test_numbers_go_on_from_file_to_file(tmp_path: Path) -> None:
    written(tmp_path, b"a" * 60, b"b" * 60, b"c" * 60, segment_bytes=100)
    numbers = [[number for number, _ in contents(path)] for path in segments_of(tmp_path, "w")]
    assert numbers == [[1, 2], [3]]


def test_many_threads_write_whole_records_each_with_a_number_of_its_own(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path, "w", segment_bytes=4000)
    given: dict[int, bytes] = {}

    def write(who: int) -> None:
        for number in range(100):
            record = f"{who}-{number}".encode() * (1 + who)
            given[journal.append(record)] = record

    threads = [threading.Thread(target=write, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    read = {frame.number: frame.content for path in segments_of(tmp_path, "w") for frame, _ in read_frames(path)}
    assert read == given
    assert sorted(read) == list(range(1, 801))


def test_where_the_disk_is_full_the_record_is_refused_and_what_follows_is_whole(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk; in a process of its own, as it holds for all of it."""
    program = f"""
import resource, signal
from pathlib import Path
from audit_trail.journal import JournalError, JournalWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = JournalWriter(Path({str(tmp_path)!r}), "w")
journal.append(b"before")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
try:
    journal.append(b"x" * 5000)
    raise SystemExit("it was taken")
except JournalError as problem:
    print(problem)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert journal.append(b"after") == 2
"""
    assert resource.RLIMIT_FSIZE
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "large" in done.stdout
    (path,) = segments_of(tmp_path, "w")
    assert contents(path) == [(1, b"before"), (2, b"after")]


def test_a_living_writer_cannot_be_claimed_and_a_dead_one_once(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path, "w")
    journal.append(b"one")
    assert claim_abandoned(tmp_path, "w") is None
    journal.close()
    claimed = claim_abandoned(tmp_path, "w")
    assert claimed is not None
    assert claim_abandoned(tmp_path, "w") is None
    claimed.release()
    again = claim_abandoned(tmp_path, "w")
    assert again is not None
    assert [frame for path in again.segments() for frame, _ in read_frames(path)] == [Frame(1, b"one")]
    for path in again.segments():
        path.unlink()
    again.finish()
    assert writers_in(tmp_path) == []


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path, "w")
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.append(b"late")


def test_nobody_else_may_read_it_and_two_writers_never_share_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    journal = JournalWriter(folder, "w")
    journal.append(b"one")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert segments_of(folder, "w")[0].stat().st_mode & 0o777 == 0o600
    assert bytes_of(folder) == {"w.000000000001.journal": 23}
    with pytest.raises(JournalError, match="another process"):
        JournalWriter(folder, "w")
    journal.close()


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="file"):
        JournalWriter(tmp_path / "file", "w")
