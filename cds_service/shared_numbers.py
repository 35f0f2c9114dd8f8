"""Numbers that every process of the service adds to, and that any of them can tell the sums of.

Each process has two files of its own, mapped into memory or only ever appended to: the numbers, and beside them their
names. So an addition is one write to memory, and what a process has counted outlives it. Whoever is asked reads the
files of all.
"""

from __future__ import annotations

import errno
import mmap
import os
import time
from array import array
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from cds_service.counts_in_memory import put_back
from cds_service.room_to_write import take_room

Name = tuple[str, ...]

_NAMES: Final = ".names"  # a JSON array a line; the place of a line is the place of its number
_NUMBERS: Final = ".numbers"  # doubles, as this machine writes them
_WITHOUT_ROOM: Final = 0  # the place of whatever is counted under names that the disk had no room for
_AT_FIRST: Final = 512  # numbers; one page
_BYTES_OF_ONE: Final = 8


class Numbers:
    """Those of one process, by their places. Without a folder they are in its memory, and nobody else can tell them.

    What is named at the start can be counted whatever becomes of the disk.
    """

    def __init__(self, folder: Path | None, at_start: Iterable[Name] = ()) -> None:
        self.process = os.getpid()
        self.together: dict[tuple[object, ...], tuple[int, ...]] = {}  # places that are looked up together, by what
        self._places: dict[Name, int] = {}
        self._used = 0  # places
        self._is_full = False  # the disk: no name can be added any more
        self._lock = Lock()
        self._files: tuple[int, int] | None = None
        if folder is None:
            self._values: array[float] | memoryview[float] = array("d", bytes(_AT_FIRST * _BYTES_OF_ONE))
        else:
            self._files, self._values = _files_in(folder, self.process)
        for name in ((), *at_start):
            self.place(*name)

    def place(self, *name: str) -> int:
        """Where the number of that name is; it begins at 0."""
        found = self._places.get(name)
        if found is not None:
            return found
        with self._lock:
            found = self._places.get(name)
            if found is None:
                found = self._places[name] = self._new_place(name)
            return found

    def _new_place(self, name: Name) -> int:
        if not self._is_full:
            try:
                self._make_room(self._used + 1)
                if self._files is not None:
                    _append(self._files[1], msgspec.json.encode(name) + b"\n")
            except OSError:
                if not self._used:
                    raise
                self._is_full = True
        if self._is_full:
            return _WITHOUT_ROOM  # a full disk costs the counts of new names, and no call
        self._used += 1
        return self._used - 1

    def add_to(self, place: int, amount: float) -> None:
        """Adds an amount at a place."""
        with self._lock:
            self._values[place] += amount

    def add(self, ones: Iterable[int], one: int, place: int, amount: float) -> None:
        """Adds 1 at each of these places and at one more, and an amount at another: all of a call at once."""
        with self._lock:
            values = self._values
            for each in ones:
                values[each] += 1.0
            values[one] += 1.0
            values[place] += amount

    @property
    def is_alone(self) -> bool:
        """Are they in the memory of this process only?"""
        return self._files is None

    @property
    def are_told_by_others(self) -> bool:
        """Do the files stand where others look for them?"""
        return self._files is not None and os.fstat(self._files[0]).st_nlink > 0

    def told(self) -> dict[Name, float]:
        """Each number by its name."""
        with self._lock:
            return {name: self._values[place] for name, place in self._places.items() if place != _WITHOUT_ROOM}

    def _make_room(self, count: int) -> None:
        if count <= len(self._values):
            return
        room = 2 * len(self._values)
        if self._files is None:
            self._values = array("d", self._values.tobytes() + bytes(len(self._values) * _BYTES_OF_ONE))
        else:
            self._values = _mapped(self._files[0], room)


def _files_in(folder: Path, process: int) -> tuple[tuple[int, int], memoryview[float]]:
    """New files for numbers and for their names, and the numbers; no files where there is no room for them."""
    path = folder / f"{process}-{time.time_ns()}"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    numbers, names = path.with_suffix(_NUMBERS), path.with_suffix(_NAMES)
    with ExitStack() as undo:
        opened: list[int] = []
        for each, more in ((numbers, 0), (names, os.O_APPEND)):
            opened.append(os.open(each, flags | more, 0o600))
            undo.callback(each.unlink, missing_ok=True)
            undo.callback(os.close, opened[-1])
        values = _mapped(opened[0], _AT_FIRST)
        undo.pop_all()
    return (opened[0], opened[1]), values


def _mapped(file: int, room: int) -> memoryview[float]:
    length = room * _BYTES_OF_ONE
    take_room(file, length)  # a mapped file without room on its disk would kill the process
    return memoryview(mmap.mmap(file, length)).cast("d")


class SharedNumbers:
    """The numbers of this process, after a fork new ones, and the sums of all that share the folder."""

    def __init__(self, folder: Path | None, at_start: Sequence[Name] = ()) -> None:
        self._folder = folder
        self._at_start = at_start
        self._own = Numbers(folder, at_start)
        self._lock = Lock()

    def own(self) -> Numbers:
        """Those of this process."""
        if self._own.process != os.getpid():
            with self._lock:
                if self._own.process != os.getpid():
                    try:
                        self._own = Numbers(self._folder, self._at_start)
                    except OSError:  # a full disk costs counts, and not the process
                        self._own = Numbers(None)
        return self._own

    def sums(self) -> dict[Name, float]:
        """Of each number of any process."""
        if self._folder is None:
            return self.own().told()
        self.put_back()
        own = self.own()
        sums = {} if own.are_told_by_others else own.told()
        for names in sorted(self._folder.glob(f"*{_NAMES}")):
            for name, value in _read(names).items():
                sums[name] = sums.get(name, 0.0) + value
        return sums

    def put_back(self) -> bool:
        """Puts the folder back, and in it what this process has counted, where somebody took it away; False: in vain.

        What others have counted is told again once they do the same, each of them when it is asked.
        """
        folder, own = self._folder, self.own()
        if folder is None or own.are_told_by_others or (own.is_alone and folder.is_dir()):
            return True
        with self._lock:
            try:
                if not folder.is_dir():
                    put_back(folder)
                again = Numbers(folder, self._at_start)
                for name, value in self._own.told().items():
                    again.add_to(again.place(*name), value)
            except OSError:
                return folder.is_dir()  # its disk is full
            self._own = again
        return True


def _read(names: Path) -> dict[Name, float]:
    """What one process has counted so far, whether or not it still lives."""
    try:
        lines = names.read_bytes().split(b"\n")[:-1]  # the last one may be half written
        values = array("d", names.with_suffix(_NUMBERS).read_bytes())
    except FileNotFoundError:
        return {}  # it was taken away meanwhile
    named = (tuple(msgspec.json.decode(line, type=list[str])) for line in lines)
    return {name: values[place] for place, name in enumerate(named) if place != _WITHOUT_ROOM}


def _append(file: int, line: bytes) -> None:
    if os.write(file, line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
