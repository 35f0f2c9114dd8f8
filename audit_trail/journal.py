"""The local journal: where a record goes before the answer leaves, in one write, whatever the store is doing.

Each writer (one worker process, from its start to its end) has files of its own, ``<writer>.<first number>.journal``,
and holds a lock as long as it lives. A frame is a header (magic, length, CRC-32, number) and the encoded record; the
numbers of a writer start at 1 and have no gaps. What a killed process wrote is in the page cache, so it is there
afterwards; with ``sync`` it is on the disk before the answer leaves, and so survives a power failure as well. A frame
that was cut off in the middle of being written belongs to a call that was not answered; it is passed over.
"""

from __future__ import annotations

import fcntl
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct as Layout
from typing import Final

from msgspec import Struct

MAGIC: Final = b"LCJ1"
_HEADER: Final = Layout("<4sIIQ")  # magic, length of the record, CRC-32 of the number and the record, number
_NUMBER: Final = Layout("<Q")
_LARGEST_RECORD: Final = 512 * 1024 * 1024
SEGMENT_BYTES: Final = 32 * 1024 * 1024
_Read = Callable[[int], bytes]
_Seek = Callable[[int], int]


class JournalError(OSError):
    """The journal cannot be written: the disk is full, say. The record was not kept."""


class Frame(Struct, frozen=True, gc=False):
    """One record as it stands in the journal, and its place among its writer's records."""

    number: int
    content: bytes


class Written(Struct, frozen=True, gc=False):
    """How far a file has been written in whole frames."""

    path: Path
    size: int


class JournalWriter:
    """Appends records; made in the process that uses it, never carried over a fork."""

    def __init__(self, folder: Path, writer: str, sync: bool = False, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.writer = writer
        self._folder = folder
        self._sync = sync
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._number = 0
        self._size = 0
        self._file = -1
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._alive = lock_file(_lock_path(folder, writer))
            if self._alive is None:
                raise JournalError(f"another process writes as {writer}")
            self._open_segment()
        except OSError as problem:
            raise JournalError(f"{folder}: {problem.strerror or problem}") from problem

    @property
    def written(self) -> Written:
        """The file that is being written, and the length of its whole frames."""
        with self._lock:
            return Written(self._path, self._size)

    @property
    def last_number(self) -> int:
        """The number of the last record; 0 before the first."""
        return self._number

    def append(self, content: bytes) -> int:
        """Keeps one record and returns its number. When this returns, the record survives the end of the process."""
        with self._lock:
            try:
                number = self._append(content)
            except OSError as problem:
                raise JournalError(problem.strerror or str(problem)) from problem
            file = self._file
            if self._sync:
                file = os.dup(file)  # it may be rolled over by another thread meanwhile
        if self._sync:
            _flush(file)
        return number

    def roll_over(self) -> None:
        """Starts a new file, so that the one before it can be deleted once it has been stored."""
        with self._lock:
            if self._size:
                self._open_segment()

    def close(self) -> None:
        """Ends this writer. Whatever has not been stored is an orphan from now on."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
            if self._alive is not None:
                os.close(self._alive)
                self._alive = None

    def _append(self, content: bytes) -> int:
        if self._alive is None:
            raise JournalError("this journal has been closed")
        if self._size >= self._segment_bytes:
            self._open_segment()
        number = self._number + 1
        digest = zlib.crc32(content, zlib.crc32(_NUMBER.pack(number)))
        header = _HEADER.pack(MAGIC, len(content), digest, number)
        length = len(header) + len(content)
        try:
            done = os.writev(self._file, (header, content))
            while done < length:
                done += os.write(self._file, (header + content)[done:])
        except OSError:
            self._take_back()
            raise
        self._size += length
        self._number = number
        return number

    def _take_back(self) -> None:
        """Half a frame must not stand before whole ones."""
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            self._open_segment()  # a reader passes over the end of the one before

    def _open_segment(self) -> None:
        path = self._folder / f"{self.writer}.{self._number + 1:012}.journal"
        opened = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._path, self._size = opened, path, os.fstat(opened).st_size
        if self._sync:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)  # else the file itself could be missing after a power failure
            finally:
                os.close(folder)


class Abandoned:
    """The journal of a writer that has ended, claimed by whoever drains it now."""

    def __init__(self, folder: Path, writer: str, lock: int) -> None:
        self.writer = writer
        self._folder = folder
        self._lock = lock

    def segments(self) -> list[Path]:
        """Its files, in the order of their records."""
        return segments_of(self._folder, self.writer)

    def finish(self) -> None:
        """Everything has been stored, and its files are deleted: forget that there was such a writer."""
        _lock_path(self._folder, self.writer).unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Leaves the rest to whoever claims it next."""
        os.close(self._lock)


def writers_in(folder: Path) -> list[str]:
    """Everyone whose files are here, dead or alive, in the order of their names."""
    found = (path.name.split(".", 1)[0] for path in folder.iterdir() if path.suffix in (".journal", ".lock"))
    return sorted(set(found))


def segments_of(folder: Path, writer: str) -> list[Path]:
    """The files of one writer, in the order of their records."""
    return sorted(folder.glob(f"{writer}.*.journal"))


def claim_abandoned(folder: Path, writer: str) -> Abandoned | None:
    """The journal of a writer that lives no more; ``None`` while it lives, or another process has claimed it."""
    lock = lock_file(_lock_path(folder, writer))
    return None if lock is None else Abandoned(folder, writer, lock)


def bytes_of(folder: Path) -> dict[str, int]:
    """The journals in this folder that hold anything: how much, by the names of their files."""
    found: dict[str, int] = {}
    for path in folder.glob("*.journal"):
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            continue  # stored and deleted meanwhile
        if size:
            found[path.name] = size
    return found


def read_frames(path: Path, offset: int = 0, end: int | None = None) -> Iterator[tuple[Frame, int]]:
    """Whole frames from ``offset`` on, each with the offset at which it ends; damage is passed over.

    ``end``: as far as is known to be written whole. A gap in the numbers tells whoever reads that frames were lost.
    """
    with path.open("rb") as file:
        while True:
            file.seek(offset)
            found = _frame(file.read(_HEADER.size), file.read, end, offset)
            if found is None:
                offset = _next_frame(file.read, file.seek, offset + 1) if end is None else -1
                if offset < 0:
                    return
                continue
            offset += _HEADER.size + len(found.content)
            yield found, offset


def _frame(header: bytes, read: _Read, end: int | None, offset: int) -> Frame | None:
    if len(header) < _HEADER.size:
        return None
    magic, length, digest, number = _HEADER.unpack(header)
    if magic != MAGIC or length > _LARGEST_RECORD or (end is not None and offset + _HEADER.size + length > end):
        return None
    content = read(length)
    if len(content) < length or zlib.crc32(content, zlib.crc32(_NUMBER.pack(number))) != digest:
        return None
    return Frame(number, content)


def _next_frame(read: _Read, seek: _Seek, offset: int) -> int:
    """Where the next frame may begin, or -1."""
    seek(offset)
    at, rest = offset, b""
    while True:
        block = read(1 << 20)
        if not block:
            return -1
        found = (rest + block).find(MAGIC)
        if found >= 0:
            return at - len(rest) + found
        at += len(block)
        rest = (rest + block)[-(len(MAGIC) - 1) :]


def _lock_path(folder: Path, writer: str) -> Path:
    return folder / f"{writer}.lock"


def lock_file(path: Path) -> int | None:
    """The lock of that file, held until it is released; ``None`` where another process holds it."""
    while True:
        file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        try:
            if os.fstat(file).st_ino == path.stat().st_ino:
                return file
        except FileNotFoundError:
            pass
        os.close(file)  # whoever held it before finished it in the meantime, and the name is another file's now


def release(lock: int) -> None:
    """Gives a lock back."""
    os.close(lock)


def _flush(file: int) -> None:
    try:
        os.fdatasync(file)
    except OSError as problem:
        raise JournalError(problem.strerror or str(problem)) from problem
    finally:
        os.close(file)
