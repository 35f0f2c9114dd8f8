"""Requests, answers and findings as the record keeps them: compressed once, on the way to the journal.

The answer waits for that, so that it is done in the quickest way there is: it takes no longer than writing the bytes as
they are. Whoever stores the record packs it again, tightly (see ``repacking.py``).
"""

from __future__ import annotations

import threading
from typing import Final

import zstandard

# Long matches only, from a table that stays in the first cache, and texts as they are: a tenth to a half of the size.
_QUICK: Final = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_FAST,
    window_log=21,
    hash_log=12,
    chain_log=6,
    search_log=1,
    min_match=7,
    target_length=16,
)
_TIGHT: Final = 1  # half of that, in two to three times the time; higher levels gain nothing more for theirs
LARGEST_UNPACKED: Final = 256 * 1024 * 1024


class _Local(threading.local):
    """Compressors may not be shared by threads that use them at the same time."""

    def __init__(self) -> None:
        self.quick = zstandard.ZstdCompressor(compression_params=_QUICK)
        self.tight = zstandard.ZstdCompressor(level=_TIGHT)
        self.decompressor = zstandard.ZstdDecompressor()


_local = _Local()


class NotPacked(ValueError):
    """Bytes that are no packed content, or unpack to more than any record holds."""


def packed(content: bytes) -> bytes:
    """The content, compressed; nothing stays nothing."""
    return _local.quick.compress(content) if content else b""


def packed_tightly(content: bytes) -> bytes:
    """The same in less room, for whom it may take its time."""
    return _local.tight.compress(content) if content else b""


def unpacked(content: bytes) -> bytes:
    """What was packed, in whichever way."""
    if not content:
        return b""
    try:
        size = zstandard.frame_content_size(content)
        if not 0 <= size <= LARGEST_UNPACKED:
            raise NotPacked("the size of the content is not stated, or beyond any record's")
        return _local.decompressor.decompress(content, allow_extra_data=False)
    except zstandard.ZstdError as problem:
        raise NotPacked(str(problem)) from None
