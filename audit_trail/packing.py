"""Requests, answers and findings as the record keeps them: compressed once, on the way to the journal."""

from __future__ import annotations

import threading
from typing import Final

import zstandard

_LEVEL: Final = (
    1  # a tenth of a hook call's size at 1 to 2 GB a second; higher levels gain little and cost answers time
)
LARGEST_UNPACKED: Final = 256 * 1024 * 1024


class _Local(threading.local):
    """Compressors may not be shared by threads that use them at the same time."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_local = _Local()


class NotPacked(ValueError):
    """Bytes that are no packed content, or unpack to more than any record holds."""


def packed(content: bytes) -> bytes:
    """The content, compressed; nothing stays nothing."""
    return _local.compressor.compress(content) if content else b""


def unpacked(content: bytes) -> bytes:
    """What ``packed`` was given."""
    if not content:
        return b""
    try:
        size = zstandard.frame_content_size(content)
        if not 0 <= size <= LARGEST_UNPACKED:
            raise NotPacked("the size of the content is not stated, or beyond any record's")
        return _local.decompressor.decompress(content, allow_extra_data=False)
    except zstandard.ZstdError as problem:
        raise NotPacked(str(problem)) from None
