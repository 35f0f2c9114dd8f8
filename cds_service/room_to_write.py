"""Can records be written at this moment? Asked of the disk itself, as nobody may have called for a while."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

BYTES_NEEDED: Final = 1024 * 1024  # a few records of a large call
_NOT_OFFERED: Final = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})  # by this file system, or C library
_BYTES_AT_ONCE: Final = 64 * 1024


def has_room(folder: Path) -> bool:
    """Can a file be made in this folder, with room for a few records?"""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            take_room(file.fileno(), BYTES_NEEDED)
    except OSError:
        return False
    return True


def take_room(file: int, length: int) -> None:
    """Makes the file that long, and takes the room for it; ``OSError`` where the disk has none.

    Where room cannot be asked for (macOS; some file systems, with some C libraries), the file is filled instead.
    """
    if sys.platform != "darwin":
        try:
            os.posix_fallocate(file, 0, length)
        except OSError as problem:
            if problem.errno not in _NOT_OFFERED:
                raise
        else:
            return
    end = os.fstat(file).st_size
    while end < length:
        end += os.pwrite(file, bytes(min(length - end, _BYTES_AT_ONCE)), end)
