"""Where workers share their counts: in memory, as a full disk must cost records and not workers.

The counts are files that are mapped into memory. Where such a file has no room on its disk, touching it kills the
process (SIGBUS): every call would end without an answer.
"""

from __future__ import annotations

import os
import stat
from errno import EACCES
from hashlib import blake2b
from pathlib import Path
from typing import Final

IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108  Linux; a folder of our own in it is readable by nobody else
_BYTES_NEEDED: Final = 16 * 1024 * 1024  # 64 workers with 4 files of 64 kB each


def folder_for_counts(state_folder: Path, memory: Path = IN_MEMORY) -> Path:
    """A folder in memory, for the service of this state folder; a folder in it where there is no such memory."""
    try:
        found = state_folder.stat()
        mark = blake2b(f"{state_folder.resolve()} {found.st_dev} {found.st_ino}".encode(), digest_size=8).hexdigest()
        folder = memory / f"lumbar-cds-{os.geteuid()}-{mark}"
        if _has_room(memory) and _is_ours(folder):
            return folder
    except OSError:
        pass  # no such memory here, or somebody else has that name
    return state_folder / "metrics"


def put_back(folder: Path) -> None:
    """Makes a folder of workers' counts anew that was taken away; ``OSError`` where somebody else has its place.

    When the last session of a user ends who is no system user, systemd takes away what is that user's there
    (``RemoveIPC=`` in logind.conf(5)), also what a running service needs.
    """
    if not _is_ours(folder.parent):
        raise PermissionError(EACCES, os.strerror(EACCES), str(folder.parent))
    folder.mkdir(mode=0o700, exist_ok=True)


def _has_room(memory: Path) -> bool:
    room = os.statvfs(memory)
    return room.f_bavail * room.f_frsize >= _BYTES_NEEDED


def _is_ours(folder: Path) -> bool:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
