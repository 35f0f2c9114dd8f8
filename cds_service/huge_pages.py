"""A worker's memory in large pages.

In each call a worker touches objects all over some forty megabytes: code, tables, code lists. In pages of 4 kB those
are more addresses than a processor remembers the places of, and looking them up again costs a twenty-fifth of a call on
a virtual machine. So a worker asks for pages of 2 MB once, when it starts. It is a wish: where the system does not know
it, or has no such pages left, nothing changes but the time.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

Advise = Callable[[int, int, int], int]

# MADV_HUGEPAGE and MADV_COLLAPSE (madvise(2)): may have them from now on, and has them at once (since Linux 6.1).
HUGEPAGE: Final = 14
COLLAPSE: Final = 25
SIZE: Final = 2 * 1024 * 1024  # bytes of a large page on the processors that servers have
_MAPS: Final = Path("/proc/self/smaps")
_OWN: Final = ("", "[heap]")  # neither a file, nor a stack, nor shared with anyone


def use_huge_pages(maps: Path = _MAPS, advise: Advise | None = None) -> int:
    """Asks for large pages for all that the process has in memory now; how many bytes it got."""
    if not sys.platform.startswith("linux"):
        return 0
    advise = advise or _madvise()
    got = 0
    try:
        regions = tuple(dense_regions(maps.read_text(encoding="ascii", errors="replace")))
    except OSError:  # a system that does not show it
        return 0
    for start, end in regions:
        if not advise(start, end - start, HUGEPAGE) and not advise(start, end - start, COLLAPSE):
            got += end - start
    return got


def dense_regions(maps: str) -> Iterator[tuple[int, int]]:
    """The process's own memory as ``smaps`` has it, in whole large pages: start and end of each region.

    Only what is in use for the most part, so that nothing grows by what was reserved and never touched.
    """
    start = end = 0
    for line in maps.splitlines():
        name, *rest = line.split()
        if "-" in name and not name.endswith(":"):
            low, _, high = name.partition("-")
            own = rest[0] == "rw-p" and (rest[4] if len(rest) > 4 else "") in _OWN
            start, end = (int(low, 16), int(high, 16)) if own else (0, 0)
        elif name == "Rss:" and int(rest[0]) * 1024 > (end - start) // 2:
            first, last = -(-start // SIZE) * SIZE, end // SIZE * SIZE
            if first < last:
                yield first, last


def _madvise() -> Advise:
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    madvise.restype = ctypes.c_int
    return lambda start, length, advice: int(madvise(start, length, advice))
