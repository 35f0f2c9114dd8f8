"""The hash chain of one writer: each record's hash covers its place, its content and the hash before it.

Whoever changes, deletes, inserts or moves a record breaks the chain at that place, unless they make every later hash
anew; that, and a tail that is cut off, is what signed checkpoints show (see ``checkpoints.py``).
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct as Layout
from typing import Final

from msgspec import Struct

_DOMAIN: Final = b"lumbar-cds audit chain 1\n"
_LINK: Final = Layout(">32sQqII")  # hash before, number, moment, lengths of writer and kind


class Link(Struct, frozen=True, gc=False):
    """One place in a chain, without the content: what stays when a record is pruned."""

    writer: str
    number: int
    kind: str
    at: int  # microseconds since 1970
    content_hash: bytes


def beginning(writer: str) -> bytes:
    """The hash before a writer's first record."""
    return sha256(_DOMAIN + writer.encode()).digest()


def hash_of_content(content: bytes) -> bytes:
    """SHA-256 of a record as it is kept."""
    return sha256(content).digest()


def hash_of(link: Link, before: bytes) -> bytes:
    """The hash of a record, behind the hash of the one before it."""
    writer, kind = link.writer.encode(), link.kind.encode()
    head = _LINK.pack(before, link.number, link.at, len(writer), len(kind))
    return sha256(_DOMAIN + head + writer + kind + link.content_hash).digest()
