"""Requests, answers and findings as the record keeps them: compressed on the way to the journal.

The answer waits for that, so that it is done in the quickest way there is: it takes hardly longer than writing bytes
as they are. Whoever stores the record packs it again, tightly (see ``repacking.py``). What is large is packed once and
for all: packing it again would cost half as much as its answer.
"""

from __future__ import annotations

import threading
from typing import Final

import zstandard

LARGE: Final = 256 * 1024
_TIGHT: Final = 1  # half of what the quickest way makes, in three times its time; higher levels gain nothing for theirs
LARGEST_UNPACKED: Final = 256 * 1024 * 1024


def _quick(min_match: int, step: int) -> zstandard.ZstdCompressionParameters:
    """Long matches only, from a table that stays in the first cache, and texts as they are."""
    return zstandard.ZstdCompressionParameters(
        strategy=zstandard.STRATEGY_FAST,
        window_log=21,
        hash_log=12,
        chain_log=6,
        search_log=1,
        min_match=min_match,
        target_length=step,
    )


class _Local(threading.local):
    """Compressors may not be shared by threads that use them at the same time."""

    def __init__(self) -> None:
        self.quickest = zstandard.ZstdCompressor(compression_params=_quick(min_match=7, step=16))
        self.quick = zstandard.ZstdCompressor(compression_params=_quick(min_match=6, step=3))  # of what is large
        self.tight = zstandard.ZstdCompressor(level=_TIGHT)
        self.decompressor = zstandard.ZstdDecompressor()


_local = _Local()


class NotPacked(ValueError):
    """Bytes that are no packed content, or unpack to more than any record holds."""


def packed(content: bytes) -> bytes:
    """The content, compressed; nothing stays nothing."""
    if not content:
        return b""
    return (_local.quickest if len(content) < LARGE else _local.quick).compress(content)


def packed_tightly(packed: bytes) -> bytes:
    """What was packed, in less room, for whom it may take its time; what is large stays as it is."""
    content = unpacked(packed) if _size_of(packed) < LARGE else b""
    tight = _local.tight.compress(content) if content else b""
    return tight if content and len(tight) < len(packed) else packed


def unpacked(content: bytes) -> bytes:
    """What was packed, in whichever way."""
    if not content:
        return b""
    if not 0 <= _size_of(content) <= LARGEST_UNPACKED:
        raise NotPacked("the size of the content is not stated, or beyond any record's")
    try:
        return _local.decompressor.decompress(content, allow_extra_data=False)
    except zstandard.ZstdError as problem:
        raise NotPacked(str(problem)) from None


def _size_of(packed: bytes) -> int:
    """Of the content, as it is stated there; negative: it is not."""
    try:
        return zstandard.frame_content_size(packed)
    except zstandard.ZstdError as problem:
        raise NotPacked(str(problem)) from None
