"""The token of a CDS client (CDS Hooks, "Trusting CDS Clients"): every check but its first use, in order of cost.

Signatures are checked by PyJWT's algorithms, on the segments as they are read here. A refusal carries a code for the
log; the caller hears one wording for all of them.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from jwt.exceptions import PyJWTError
from msgspec import Struct

from cds_service.clients import Client, Registry
from cds_service.errors import MalformedBody
from cds_service.json_bodies import read_json
from cds_service.key_sets import FITTING, KeySource

LEEWAY: Final = 60.0  # seconds by which two clocks may differ
LONGEST_TOKEN: Final = 6000  # characters; real ones have about 1000
LONGEST_TEXT: Final = 1000  # of a claim
MOST_AUDIENCES: Final = 20

# Headers with which a token would bring its own key, or change the rules by which it is read.
_REFUSED_HEADERS: Final = frozenset({"jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+")
_SEGMENTS: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([^.]*)", re.DOTALL)
_HEADERS_KEPT: Final = 64

KeysOf = Callable[[Client], KeySource]


class TokenRefused(Exception):
    """A token that does not count. ``check`` is a word of ours for the log, never a part of the token."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


class CheckedToken(Struct, frozen=True):
    """A token that passed: who sent it, its id, until when it must be remembered, and the tenant that it names."""

    client: Client
    token_id: str
    until: float
    tenant: str = ""


def check_token(authorization: str | None, path: str, registry: Registry, keys_of: KeysOf, now: float) -> CheckedToken:
    """The client behind an `Authorization` header for the endpoint ``path``; ``now`` in seconds since 1970."""
    token = _bearer_token(authorization)
    header_part, payload_part, signature_part = _segments(token)
    header, claims = _header_object(header_part), _object(payload_part, "payload")
    if not _SEGMENT.fullmatch(signature_part):
        raise TokenRefused("signature-form")
    signature = _decoded(signature_part, "signature-form")
    client, tenant = _client(claims, registry)
    algorithm, key_id = _header(header, client)
    until = _times(claims, client, now)
    _audience(claims, client.expects(path))
    token_id = _text(claims, "jti", "token-id")
    signed = f"{header_part}.{payload_part}".encode("ascii")
    _signature(signed, signature, algorithm, key_id, keys_of(client))
    return CheckedToken(client, token_id, until, tenant)


def _bearer_token(authorization: str | None) -> str:
    if authorization is None or not authorization.strip():
        raise TokenRefused("no-token")
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise TokenRefused("scheme")
    token = token.strip(" ")
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("too-long")
    return token


def _segments(token: str) -> tuple[str, str, str]:
    found = _SEGMENTS.fullmatch(token)
    if found is None:
        raise TokenRefused("form")
    return found[1], found[2], found[3]


def _decoded(segment: str, check: str) -> bytes:
    """The bytes of a segment that has been found to hold nothing but base64url's characters."""
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise TokenRefused(check) from None


@lru_cache(maxsize=_HEADERS_KEPT)
def _header_object(segment: str) -> dict[str, Any]:
    """The header, which is the same in all tokens that a key signs; it is only read, and holds nothing of a call."""
    return _object(segment, "header")


def _object(segment: str, check: str) -> dict[str, Any]:
    try:
        value = read_json(_decoded(segment, check))
    except MalformedBody:
        raise TokenRefused(check) from None
    if not isinstance(value, dict):
        raise TokenRefused(check)
    return value


def _text(members: dict[str, Any], name: str, check: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT or not _is_unicode(value):
        raise TokenRefused(check)
    return value


def _is_unicode(text: str) -> bool:
    """Half a surrogate pair is no text, and cannot be written down anywhere."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _client(claims: dict[str, Any], registry: Registry) -> tuple[Client, str]:
    issuer = _text(claims, "iss", "issuer")
    tenant = _text(claims, "tenant", "tenant") if claims.get("tenant") is not None else ""
    client = registry.find(issuer, tenant)
    if client is None:
        raise TokenRefused("tenant" if registry.knows(issuer) else "issuer")
    return client, tenant


def _header(header: dict[str, Any], client: Client) -> tuple[str, str]:
    """Algorithm and key id, where nothing else in the header changes what they mean."""
    if _REFUSED_HEADERS & header.keys():
        raise TokenRefused("header-key")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise TokenRefused("type")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in client.algorithms or algorithm not in FITTING:
        raise TokenRefused("algorithm")
    if "jku" in header and (not client.key_set_address or header["jku"] != client.key_set_address):
        raise TokenRefused("key-set-address")
    return algorithm, _text(header, "kid", "key-id")


def _times(claims: dict[str, Any], client: Client, now: float) -> float:
    """Not expired, not from the future, not made to last; returns until when the token could be used."""
    issued, expires = _seconds(claims, "iat", "issued-at"), _seconds(claims, "exp", "expiry")
    if expires <= now - LEEWAY:
        raise TokenRefused("expired")
    if issued > now + LEEWAY:
        raise TokenRefused("issued-in-the-future")
    if expires <= issued or expires - issued > client.max_token_minutes * 60:
        raise TokenRefused("lifetime")
    if "nbf" in claims and _seconds(claims, "nbf", "not-before") > now + LEEWAY:
        raise TokenRefused("not-yet-valid")
    return expires + LEEWAY


def _seconds(claims: dict[str, Any], name: str, check: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(check)
    if not (math.isfinite(value) and 0 <= value < 1e11):
        raise TokenRefused(check)
    return float(value)


def _audience(claims: dict[str, Any], expected: frozenset[str]) -> None:
    stated = claims.get("aud")
    listed = stated if isinstance(stated, list) else [stated]
    audiences = [each for each in listed if isinstance(each, str)]
    if not listed or len(listed) > MOST_AUDIENCES or len(audiences) < len(listed):
        raise TokenRefused("audience-form")
    if not any(each in expected or _one_slash(each) in expected for each in audiences):
        raise TokenRefused("audience")


def _one_slash(url: str) -> str:
    """As the service reads the address of a call: doubled and final slashes mean nothing."""
    scheme, mark, rest = url.partition("://")
    return scheme + mark + re.sub("/{2,}", "/", rest).rstrip("/")


def _signature(signed: bytes, signature: bytes, algorithm: str, key_id: str, source: KeySource) -> None:
    known = source.key_set(key_id)
    if known is None:
        raise TokenRefused("keys-unavailable")
    if not known.knows(key_id):
        raise TokenRefused("unknown-key")
    keys = known.of(key_id, algorithm)
    if not keys:
        raise TokenRefused("key-does-not-fit")
    for key in keys:
        try:
            if key.Algorithm.verify(signed, key.key, signature):
                return
        except PyJWTError:
            continue
    raise TokenRefused("signature")
