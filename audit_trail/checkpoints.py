"""Signed checkpoints: how far each chain had come at a moment, so that a chain made anew or cut off later is missed.

A checkpoint is a record of its own, in the chain of the machine that signed it. It names the chains that went on since
that machine's last one, its own among them: whoever holds the newest checkpoint (in a log, on paper, with a notary)
can tell of everything before it whether it is still what it was.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from msgspec import Struct
from sqlalchemy import select

from audit_trail.database import reading, writing
from audit_trail.record import ChainHead, CheckpointRecord, UnknownRecord, decode
from audit_trail.store import Store, add_to
from audit_trail.tables import RECORD, WRITER

_DOMAIN: Final = "lumbar-cds audit checkpoint 1"
_DIGITS_OF_FINGERPRINT: Final = 32
_DIGITS_OF_WRITER: Final = 12


class KeyProblem(Exception):
    """A key that cannot be read, made or used; the message names the file."""


class CheckpointLineError(ValueError):
    """A line that is no checkpoint."""


class Signer:
    """The key of one machine (one state folder), and the chain that it writes under its name."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key()
        self.fingerprint = fingerprint_of(self.public_key)
        self.writer = f"machine-{self.fingerprint[:_DIGITS_OF_WRITER]}"

    def signed(self, at: datetime, heads: Iterable[ChainHead]) -> CheckpointRecord:
        """A checkpoint of these ends."""
        ordered = tuple(sorted(heads, key=lambda head: head.writer))
        plain = CheckpointRecord(at=at, heads=ordered, key=self.fingerprint)
        return msgspec.structs.replace(plain, signature=self._key.sign(statement_of(plain)))


def statement_of(checkpoint: CheckpointRecord) -> bytes:
    """What is signed: plain lines that can be read and kept by anyone."""
    at = checkpoint.at.astimezone(UTC).isoformat(timespec="microseconds")
    heads = (f"{head.writer} {head.number} {head.hash.hex()}" for head in checkpoint.heads)
    return "\n".join((_DOMAIN, at, checkpoint.key, *heads, "")).encode()


def is_signed_by(checkpoint: CheckpointRecord, key: Ed25519PublicKey) -> bool:
    """Was it signed with that key, and not changed since?"""
    try:
        key.verify(checkpoint.signature, statement_of(checkpoint))
    except InvalidSignature:
        return False
    return checkpoint.key == fingerprint_of(key)


def fingerprint_of(key: Ed25519PublicKey) -> str:
    """How a public key is named."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:_DIGITS_OF_FINGERPRINT]


def public_pem(key: Ed25519PublicKey) -> str:
    """The public key, to hand to whoever verifies elsewhere."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def make_checkpoint(store: Store, signer: Signer, now: datetime) -> CheckpointRecord | None:
    """Signs and stores how far each chain has come; ``None`` where nothing was added since this key's last one."""
    with writing(store.engine) as connection:
        known: dict[str, int] = {}
        query = select(RECORD.c.number, RECORD.c.content).where(
            RECORD.c.writer == signer.writer, RECORD.c.kind == "checkpoint"
        )
        for number, content in connection.execute(query.order_by(RECORD.c.number)):
            known[signer.writer] = number  # the checkpoint itself is no news
            for head in _heads_in(content):
                if head.writer != signer.writer:
                    known[head.writer] = head.number
        heads = [
            ChainHead(row.writer, row.number, row.hash)
            for row in connection.execute(select(WRITER).where(WRITER.c.number > 0))
        ]
        if all(known.get(head.writer) == head.number for head in heads):
            return None
        new = [head for head in heads if head.writer == signer.writer or known.get(head.writer) != head.number]
        checkpoint = signer.signed(now, new)
        add_to(connection, signer.writer, checkpoint)
    return checkpoint


def checkpoints_in(store: Store) -> tuple[CheckpointRecord, ...]:
    """All checkpoints that the store holds, the oldest first."""
    query = select(RECORD.c.content).where(RECORD.c.kind == "checkpoint").order_by(RECORD.c.at, RECORD.c.writer)
    with reading(store.engine) as connection:
        found = [_checkpoint_in(content) for content in connection.scalars(query)]
    return tuple(each for each in found if each is not None)


def _checkpoint_in(content: bytes | None) -> CheckpointRecord | None:
    if content is None:
        return None
    try:
        record = decode(content)
    except UnknownRecord:
        return None
    return record if isinstance(record, CheckpointRecord) else None


def _heads_in(content: bytes | None) -> tuple[ChainHead, ...]:
    checkpoint = _checkpoint_in(content)
    return () if checkpoint is None else checkpoint.heads


# --- kept outside the store -------------------------------------------------------------------------------------------


class _Head(Struct, frozen=True):
    writer: str
    number: int
    hash: str


class _Line(Struct, frozen=True):
    at: datetime
    key: str
    heads: tuple[_Head, ...]
    signature: str


def as_line(checkpoint: CheckpointRecord) -> str:
    """A checkpoint as one line of JSON, to be kept where whoever can change the store cannot."""
    heads = tuple(_Head(head.writer, head.number, head.hash.hex()) for head in checkpoint.heads)
    line = _Line(checkpoint.at, checkpoint.key, heads, base64.b64encode(checkpoint.signature).decode())
    return msgspec.json.encode(line).decode()


def from_line(line: str) -> CheckpointRecord:
    """A checkpoint that was kept as a line."""
    try:
        found = msgspec.json.decode(line, type=_Line)
        heads = tuple(ChainHead(head.writer, head.number, bytes.fromhex(head.hash)) for head in found.heads)
        signature = base64.b64decode(found.signature, validate=True)
    except ValueError:
        raise CheckpointLineError("a line that is no checkpoint") from None
    return CheckpointRecord(at=found.at, heads=heads, key=found.key, signature=signature)


def checkpoints_of(file: Path) -> tuple[CheckpointRecord, ...]:
    """The checkpoints that a file holds, one a line."""
    try:
        return tuple(from_line(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    except ValueError:
        raise CheckpointLineError(f"{file}: a line that is no checkpoint") from None


def signer_at(path: Path) -> Signer:
    """The key in that file; made, readable by nobody else, where there is none."""
    try:
        if not path.exists():
            _make_key(path)
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not a private key (PEM, Ed25519)"
        raise KeyProblem(f"{path}: {reason}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyProblem(f"{path}: not an Ed25519 key")
    return Signer(key)


def public_key_at(path: Path) -> Ed25519PublicKey:
    """The public key in that file."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not a public key (PEM, Ed25519)"
        raise KeyProblem(f"{path}: {reason}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyProblem(f"{path}: not an Ed25519 key")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    try:
        os.link(new, path)  # the first of two that start together wins
    except FileExistsError:
        return
    finally:
        new.unlink()
