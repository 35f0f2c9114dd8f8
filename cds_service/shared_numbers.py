"""Numbers that every process of the service adds to, and that any of them can tell the sums of.

Each process has two files of its own, mapped into memory or only ever appended to: the numbers, and beside them their
names. So an addition is one write to memory, and what a process has counted outlives it. Whoever is asked reads the
files of all.
"""

from __future__ import annotations

import mmap
import os
import sys
import time
from array import array
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

Name = tuple[str, ...]

_NAMES: Final = ".names"  # a JSON array a line; the place of a line is the place of its number
_NUMBERS: Final = ".numbers"  # doubles, as this machine writes them
_AT_FIRST: Final = 512  # numbers; one page
_BYTES_OF_ONE: Final = 8


class Numbers:
    """Those of one process, by their places. Without a folder they are in its memory, and nobody else can tell them."""

    def __init__(self, folder: Path | None) -> None:
        self.process = os.getpid()
        self.together: dict[tuple[object, ...], tuple[int, ...]] = {}  # places that are looked up together, by what
        self._places: dict[Name, int] = {}
        self._lock = Lock()
        self._files: tuple[int, int] | None = None
        if folder is None:
            self._values: array[float] | memoryview[float] = array("d", bytes(_AT_FIRST * _BYTES_OF_ONE))
        else:
            path = folder / f"{self.process}-{time.time_ns()}"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._files = (
                os.open(path.with_suffix(_NUMBERS), flags, 0o600),
                os.open(path.with_suffix(_NAMES), flags | os.O_APPEND, 0o600),
            )
            self._values = _mapped(self._files[0], _AT_FIRST)

    def place(self, *name: str) -> int:
        """Where the number of that name is; it begins at 0."""
        found = self._places.get(name)
        if found is not None:
            return found
        with self._lock:
            found = self._places.get(name)
            if found is None:
                found = len(self._places)
                try:
                    self._make_room(found + 1)
                    if self._files is not None:
                        os.write(self._files[1], msgspec.json.encode(name) + b"\n")
                except (
                    OSError
                ):  # no room on the disk: what is counted from here on is told by nobody, and no call fails
                    self._files, self._values = None, array("d", self._values.tobytes())
                    self._make_room(found + 1)
                self._places[name] = found
            return found

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

    def told(self) -> dict[Name, float]:
        """Each number by its name."""
        with self._lock:
            return {name: self._values[place] for name, place in self._places.items()}

    def _make_room(self, count: int) -> None:
        if count <= len(self._values):
            return
        room = 2 * len(self._values)
        if self._files is None:
            self._values = array("d", self._values.tobytes() + bytes(len(self._values) * _BYTES_OF_ONE))
        else:
            self._values = _mapped(self._files[0], room)


def _mapped(file: int, room: int) -> memoryview[float]:
    length = room * _BYTES_OF_ONE
    if sys.platform == "linux":
        os.posix_fallocate(file, 0, length)  # a mapped file without room on its disk would kill the process
    else:
        os.ftruncate(file, length)
    return memoryview(mmap.mmap(file, length)).cast("d")


class SharedNumbers:
    """The numbers of this process, after a fork new ones, and the sums of all that share the folder."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._own = Numbers(folder)
        self._lock = Lock()

    def own(self) -> Numbers:
        """Those of this process."""
        if self._own.process != os.getpid():
            with self._lock:
                if self._own.process != os.getpid():
                    try:
                        self._own = Numbers(self._folder)
                    except OSError:  # a full disk costs counts, and not the process
                        self._own = Numbers(None)
        return self._own

    def sums(self) -> dict[Name, float]:
        """Of each number of any process."""
        if self._folder is None:
            return self.own().told()
        sums: dict[Name, float] = {}
        for names in sorted(self._folder.glob(f"*{_NAMES}")):
            for name, value in _read(names).items():
                sums[name] = sums.get(name, 0.0) + value
        return sums


def _read(names: Path) -> dict[Name, float]:
    """What one process has counted so far, whether or not it still lives."""
    lines = names.read_bytes().split(b"\n")[:-1]  # the last one may be half written
    values = array("d", names.with_suffix(_NUMBERS).read_bytes())
    return {tuple(msgspec.json.decode(line, type=list[str])): values[place] for place, line in enumerate(lines)}
