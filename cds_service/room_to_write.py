"""Can records be written at this moment? Asked of the disk itself, as nobody may have called for a while."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

BYTES_NEEDED: Final = 1024 * 1024  # a few records of a large call


def has_room(folder: Path) -> bool:
    """Can a file be made in this folder, with room for a few records?"""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, BYTES_NEEDED)
    except OSError:
        return False
    return True
