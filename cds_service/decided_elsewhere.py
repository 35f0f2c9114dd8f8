"""A process of its own that decides by other data files than this installation's: its own copy of the packages.

Tables are read once and kept in many places, so other ones need an interpreter of their own. One process serves all the
calls that were made by the same contents; it ends with this one.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path
from typing import IO, Final

import msgspec

_SECONDS: Final = 120.0  # for one decision, its start included
_MOST: Final = 4  # processes at a time
_LENGTH: Final = 8  # bytes before each message
_MODULE: Final = "cds_service.contents_in_use"

Packages = Mapping[str, Mapping[str, str]]  # the data files of each package that has other ones


class Elsewhere:
    """One such process."""

    def __init__(self, packages: tuple[str, ...], changed: Packages) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="lumbar-cds-")
        root = Path(self._folder.name)
        for package in packages:
            _copy(package, root, changed.get(package, {}))
        home = Path(str(files("cds_service"))).parent
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(home)])}
        self._said = (root / "stderr").open("w+b")
        self._process = subprocess.Popen(  # noqa: S603  this interpreter, on a module of ours
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment,
        )

    def ask(self, message: bytes) -> bytes:
        """Its answer; nothing where it ended without one (``last_words`` says why)."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            return b""
        patience = threading.Timer(_SECONDS, process.kill)
        patience.start()
        try:
            send(process.stdin, message)
            return receive(process.stdout)
        except BrokenPipeError:
            return b""
        finally:
            patience.cancel()

    def last_words(self) -> str:
        """The last line of what it said before it ended."""
        self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it did not come to an end in time"

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.communicate()
        self._said.close()
        self._folder.cleanup()


class _Processes:
    """Those that run, by what they decide by; the one that was used longest ago gives way."""

    def __init__(self) -> None:
        self._running: dict[bytes, Elsewhere] = {}
        atexit.register(self.close)

    def deciding_by(self, packages: tuple[str, ...], changed: Packages) -> tuple[bytes, Elsewhere]:
        key = sha256(msgspec.msgpack.encode(changed, order="deterministic")).digest()
        found = self._running.pop(key, None) or Elsewhere(packages, changed)
        self._running[key] = found
        while len(self._running) > _MOST:
            self.end(next(iter(self._running)))
        return key, found

    def end(self, key: bytes) -> None:
        self._running.pop(key).close()

    def close(self) -> None:
        for key in list(self._running):
            self.end(key)


_processes: Final = _Processes()


class Ended(Exception):
    """The process ended without an answer; the message is the last that it said."""


def ask_elsewhere(packages: tuple[str, ...], changed: Packages, message: bytes) -> bytes:
    """What a process with these data files answers."""
    key, process = _processes.deciding_by(packages, changed)
    answer = process.ask(message)
    if answer:
        return answer
    said = process.last_words()
    _processes.end(key)
    raise Ended(said)


def send(stream: IO[bytes], message: bytes) -> None:
    """One message, its length before it."""
    stream.write(len(message).to_bytes(_LENGTH, "big") + message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """One message; nothing at the end of the stream."""
    head = stream.read(_LENGTH)
    return stream.read(int.from_bytes(head, "big")) if len(head) == _LENGTH else b""


def _copy(package: str, root: Path, texts: Mapping[str, str]) -> None:
    """Today's code, as it is compiled already; in the place of today's data files those given, where there are any."""
    with as_file(files(package)) as source:
        shutil.copytree(source, root / package)
    for name, text in texts.items():
        path = root / package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
