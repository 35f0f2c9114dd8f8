"""A record as the store keeps it: what was packed in a hurry, on the way to the journal, is packed tightly.

Only those bytes are exchanged; every other byte of the record stays, also members that a later version wrote and this
one does not know. What cannot be read stays as it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from audit_trail.packing import NotPacked, packed_tightly
from audit_trail.record import ContentRecord, DecisionRecord, Record, UnknownRecord, decode

_WORTH_IT: Final = 256  # bytes; of less there is little to gain
_PROBE: Final = 32  # first bytes by which a packed content is found in the record


def repacked(content: bytes) -> bytes:
    """The same record, packed tightly."""
    try:
        record = decode(content)
    except UnknownRecord:
        return content
    parts: list[bytes | memoryview] = []
    whole, kept_from = memoryview(content), 0
    for packed in _packed_members(record):
        tight = _tight(packed)
        stands = _place(content, packed, kept_from) if tight is not packed else -1
        if stands >= 0:
            parts += [whole[kept_from:stands], _head(len(tight)), tight]
            kept_from = stands + len(_head(len(packed))) + len(packed)
    return b"".join((*parts, whole[kept_from:])) if parts else content


def _packed_members(record: Record) -> Iterator[bytes]:
    """In the order in which they are encoded."""
    if isinstance(record, DecisionRecord):
        yield record.request
        for wave in record.fetched:
            for answer in wave.answers:
                yield from answer.pages
        yield record.details
        yield record.answer
    elif isinstance(record, ContentRecord):
        yield record.content


def _tight(packed: bytes) -> bytes:
    """The same content packed tightly, where that is worth while."""
    if len(packed) < _WORTH_IT:
        return packed
    try:
        return packed_tightly(packed)
    except NotPacked:
        return packed


def _place(content: bytes, packed: bytes, start: int) -> int:
    """Where these bytes stand in the record, with the head that says how many they are; -1: nowhere."""
    head = _head(len(packed))
    found = content.find(head + packed[:_PROBE], start)
    first = found + len(head)
    whole = memoryview(content)[first : first + len(packed)]
    return found if found >= 0 and whole == packed else -1


def _head(length: int) -> bytes:
    """What MessagePack writes before that many bytes."""
    if length < 1 << 8:
        return b"\xc4" + length.to_bytes(1, "big")
    if length < 1 << 16:
        return b"\xc5" + length.to_bytes(2, "big")
    return b"\xc6" + length.to_bytes(4, "big")
