"""The public keys of an issuer (RFC 7517), and where they come from: a file, or the issuer's own address.

A key is used for the algorithms that its type and curve fit, and for no other: a token never chooses how it is checked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import jwt
from jwt.exceptions import PyJWTError
from msgspec import Struct

from cds_service.computing import LEAD
from cds_service.errors import MalformedBody
from cds_service.json_bodies import read_json

# Asymmetric algorithms of RFC 7518 and RFC 8037, each with the one key type and curve that it means.
FITTING: Final = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "EdDSA": ("OKP", "Ed25519"),
}
SHORTEST_RSA: Final = 2048  # bits; NIST SP 800-131A
MOST_KEYS: Final = 100
LARGEST_DOCUMENT: Final = 256 * 1024
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeySetError(ValueError):
    """A document that is no usable key set; the message says what would mend it and holds no key."""


class KeySet(Struct, frozen=True):
    """Keys by the id and the algorithm that they verify; ``skipped`` says which were left out, and why."""

    keys: dict[tuple[str, str], tuple[jwt.PyJWK, ...]]
    skipped: tuple[str, ...] = ()
    thumbprints: frozenset[tuple[str, str]] = frozenset()

    def of(self, key_id: str, algorithm: str) -> tuple[jwt.PyJWK, ...]:
        """The keys of that id that the algorithm fits."""
        return self.keys.get((key_id, algorithm), ())

    def knows(self, key_id: str) -> bool:
        """Is there any key of that id?"""
        return any(known == key_id for known, _ in self.keys)


def read_key_set(document: bytes) -> KeySet:
    """The usable keys of a JWK set; one key that cannot be used does not spoil the others."""
    if len(document) > LARGEST_DOCUMENT:
        raise KeySetError(f"the key set is larger than {LARGEST_DOCUMENT // 1024} KiB")
    try:
        value = read_json(document)
    except MalformedBody as problem:
        raise KeySetError(f"not a JWK set: {problem.diagnostics}") from None
    entries = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise KeySetError('not a JWK set: expected a JSON object with an array "keys"')
    if len(entries) > MOST_KEYS:
        raise KeySetError(f"more than {MOST_KEYS} keys")
    return _key_set(entries)


def _key_set(entries: Iterable[object]) -> KeySet:
    keys: dict[tuple[str, str], tuple[jwt.PyJWK, ...]] = {}
    skipped: list[str] = []
    marks: set[tuple[str, str]] = set()
    for place, entry in enumerate(entries):
        try:
            if not isinstance(entry, dict):
                raise KeySetError("not an object")
            for algorithm, key in _keys_of(entry):
                keys[entry["kid"], algorithm] = (*keys.get((entry["kid"], algorithm), ()), key)
            marks.add((entry["kid"], str(entry.get("x") or entry.get("n"))))
        except KeySetError as problem:
            skipped.append(f"keys[{place}]: {problem}")
    if not keys:
        raise KeySetError("; ".join(["no key that can be used", *skipped]))
    return KeySet(keys, tuple(skipped), frozenset(marks))


def _keys_of(entry: dict[str, Any]) -> list[tuple[str, jwt.PyJWK]]:
    kid, kty, curve = entry.get("kid"), entry.get("kty"), entry.get("crv")
    if not isinstance(kid, str) or not kid:
        raise KeySetError("it has no `kid`; tokens name their key by it")
    if kty == "oct":
        raise KeySetError("a shared secret (`oct`); only public keys are used")
    if _PRIVATE & entry.keys():
        raise KeySetError("it holds private parts; publish the public key alone, and make a new pair")
    if entry.get("use", "sig") != "sig" or "verify" not in _texts(entry.get("key_ops", ["verify"])):
        raise KeySetError("it is not for signatures")
    stated = entry.get("alg")
    fitting = [
        name
        for name, (its_type, its_curve) in FITTING.items()
        if its_type == kty and its_curve in (None, curve) and stated in (None, name)
    ]
    if not fitting:
        raise KeySetError("its type, curve or `alg` fits none of " + ", ".join(FITTING))
    return [(name, _public_key(entry, name)) for name in fitting]


def _texts(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _public_key(entry: dict[str, Any], algorithm: str) -> jwt.PyJWK:
    try:
        key = jwt.PyJWK(entry, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError):
        raise KeySetError("its numbers are no public key") from None
    if getattr(key.key, "key_size", SHORTEST_RSA) < SHORTEST_RSA and entry["kty"] == "RSA":
        raise KeySetError(f"an RSA key of fewer than {SHORTEST_RSA} bits")
    return key


class KeySource(Protocol):
    """Where the keys of one issuer are had from."""

    def key_set(self, key_id: str) -> KeySet | None:
        """The issuer's keys, looked for anew where ``key_id`` is not among them; None where none can be had."""
        ...

    @property
    def out_of_order(self) -> bool:
        """Could they not be had when they were last asked for?"""
        ...


class FixedKeys(Struct, frozen=True):
    """Keys from a file; a changed file is read with the next reading of the clients."""

    known: KeySet

    def key_set(self, key_id: str) -> KeySet | None:
        return self.known

    @property
    def out_of_order(self) -> bool:
        return False


class RemoteKeys:
    """Keys from the issuer's address: cached, asked for again on an unknown key, and kept through an outage."""

    SECONDS_FRESH: Final = 600.0
    SECONDS_BETWEEN: Final = 30.0  # however many unknown keys are named, and whether or not the address answers
    SECONDS_KEPT: Final = 86_400.0  # of an outage; after that, a key that was withdrawn meanwhile must not count

    def __init__(
        self,
        fetch: Callable[[], bytes],
        note: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._note = note
        self._clock = clock
        self._known: KeySet | None = None
        self._read_at = 0.0
        self._tried_at: float | None = None
        self.out_of_order = False
        self._lock = threading.Lock()

    def key_set(self, key_id: str) -> KeySet | None:
        known = self._kept()
        stale = self._clock() - self._read_at > self.SECONDS_FRESH
        if known is not None and known.knows(key_id) and not stale:
            return known
        LEAD.leave()  # the address has to be waited for
        # Whoever finds the keys stale asks; the others go on with what is known. Without any, they wait.
        if self._lock.acquire(blocking=known is None or not known.knows(key_id)):
            try:
                self._refresh(key_id)
            finally:
                self._lock.release()
        return self._kept()

    def _kept(self) -> KeySet | None:
        return self._known if self._clock() - self._read_at <= self.SECONDS_KEPT else None

    def _refresh(self, key_id: str) -> None:
        now = self._clock()
        if self._tried_at is not None and now - self._tried_at < self.SECONDS_BETWEEN:
            return
        self._tried_at = now
        try:
            self._known = read_key_set(self._fetch())
            self._read_at = self._clock()
            self.out_of_order = False
        except KeySetError as problem:
            self.out_of_order = True
            self._note(str(problem))
