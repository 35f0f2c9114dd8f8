"""How often a client may call: a token bucket for each client, shared by the workers of a machine.

A bucket is one number, the moment at which it will be full again (the "generic cell rate algorithm"), in memory that
the workers inherit from their parent.
"""

from __future__ import annotations

import mmap
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from fcntl import LOCK_EX, LOCK_UN, lockf
from functools import lru_cache
from hashlib import blake2b
from typing import Final

_SLOT: Final = struct.Struct("=16sd")
_EMPTY: Final = bytes(16)
SLOTS: Final = 4096


class RateLimit:
    """The buckets of all clients. Made before the workers fork; the clock must be one that processes share."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._memory = mmap.mmap(-1, SLOTS * _SLOT.size)
        self._kept = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the limit, and has no name
        self._file = self._kept.fileno()
        self._lock = threading.Lock()

    def wait(self, client: str, per_minute: int, burst: int) -> float:
        """Seconds until this client may call again; 0.0 takes one call from its bucket."""
        mark, interval = _mark_of(client), 60.0 / per_minute
        with self._lock:  # one thread...
            lockf(self._file, LOCK_EX)  # ...of one process; the system gives the lock back when a process dies
            try:
                now = self._clock()
                place, full_at = self._find(mark)
                full_at = max(full_at, now)
                ahead = full_at + interval - now - burst * interval
                if ahead > 1e-9:
                    return ahead
                _SLOT.pack_into(self._memory, place, mark, full_at + interval)
                return 0.0
            finally:
                lockf(self._file, LOCK_UN)

    def _find(self, mark: bytes) -> tuple[int, float]:
        """The place of a client's bucket: its own, or the first that is free; a full table shares its last place."""
        start = int.from_bytes(mark[:4], "little")
        place = 0
        for step in range(64):
            place = (start + step) % SLOTS * _SLOT.size
            found, full_at = _SLOT.unpack_from(self._memory, place)
            if found == mark:
                return place, full_at
            if found == _EMPTY:
                return place, 0.0
        return place, _SLOT.unpack_from(self._memory, place)[1]


@lru_cache(maxsize=256)
def _mark_of(client: str) -> bytes:
    """What stands for a client in the table."""
    return blake2b(client.encode(), digest_size=16).digest()
