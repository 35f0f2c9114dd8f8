"""Requests, answers and findings as the record keeps them: compressed once, on the way to the journal."""

from __future__ import annotations

import threading
from typing import Final

import zstandard

_LEVEL: Final = 1  # a tenth of a hook call's size, at over 1 GB a second; higher levels gain little for their time
_QUICK: Final = -3  # for what is large: half as much again, in two thirds of the time
_LARGE: Final = 512 * 1024
LARGEST_UNPACKED: Final = 256 * 1024 * 1024


class _Local(threading.local):
    """Compressors may not be shared by threads that use them at the same time."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self.quick = zstandard.ZstdCompressor(level=_QUICK)
        self.decompressor = zstandard.ZstdDecompressor()


_local = _Local()


class NotPacked(ValueError):
    """Bytes that are no packed content, or unpack to more than any record holds."""


def packed(content: bytes) -> bytes:
    """The content, compressed; nothing stays nothing."""
    if not content:
        return b""
    compressor = _local.compressor if len(content) < _LARGE else _local.quick
    return compressor.compress(content)


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
