"""A request as it may be kept: without the access token to the EHR's server, whatever else is in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from audit_trail.record import RequestKept
from cds_service.byte_search import find, holds
from fhir_mappings.access import NO_TOKEN, Access

_KEY: Final = b'"fhirAuthorization"'
_COLON: Final = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*")
_KEYS: Final = ("fhirauthorization", "access_token")  # in any case
_HINTS: Final = (b"access_token", b'uthorization"')
_HINT_OF_ANY_CASE: Final = re.compile(rb"authorization|access_token|\\u00", re.IGNORECASE)
# Letters and digits of a key, or of a token (RFC 6750), written as \\uXXXX: no encoder writes them so.
_ODDLY_SPELT: Final = re.compile(rb"\\u00(?:2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")
# Of a token's other characters, some encoders write these so.
_SPELT_BY_ENCODERS: Final = ((b"/", rb"\/"), (b"+", rb"\u002B"), (b"+", rb"\u002b"), (b"=", rb"\u003d"))
_SPELT_VARIOUSLY: Final = re.compile(rb"[/+=]")
_LONGEST_USUAL_VALUE: Final = 16 * 1024
_SHORTEST_SECRET: Final = 8  # a shorter text is nobody's secret, and taking it out everywhere would spoil the record
_REMOVED: Final = b"removed"


def _every_value(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that names a key twice, which is refused, has two tokens to be taken out."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = [found[key], value] if key in found else value
    return found


_value = json.JSONDecoder(strict=False, object_pairs_hook=_every_value).raw_decode


def without_token(body: bytes, access: Access | None) -> tuple[bytes, RequestKept]:
    """The body as it may be kept. ``access`` is what was read as its token; None where the body was no usable call."""
    if not body:
        return b"", "not kept"
    if not _may_hold_one(body, access):
        return body, "as it came"
    secrets: set[str] = set()
    kept = None if access is None or _is_oddly_spelt(body) else _cut(body, secrets)
    if kept is None:
        kept = _rewritten(body, secrets)
    if kept is None:
        return b"", "not kept"
    kept = _without(kept, secrets | _secret(access))
    return kept, "as it came" if kept == body else "without token"


def without_its_text(answer: bytes, access: Access) -> bytes:
    """What a server answered: one that repeats what it was sent might repeat the token."""
    return _without(answer, _secret(access))


def _secret(access: Access | None) -> set[str]:
    token = None if access is None else access.token
    return set() if token is None else {token.authorization().removeprefix("Bearer ")}


def _may_hold_one(body: bytes, access: Access | None) -> bool:
    if access is NO_TOKEN:  # under the one key that counts there is none; elsewhere there may be
        return any(holds(body, hint) for hint in _HINTS)
    return access is not None or _encoding(body) != "utf-8" or _HINT_OF_ANY_CASE.search(body) is not None


def _is_oddly_spelt(body: bytes) -> bool:
    return holds(body, b"\\u00") and _ODDLY_SPELT.search(body) is not None


def _encoding(body: bytes) -> str:
    """Other encodings than UTF-8 are refused, and can be read all the same."""
    return json.detect_encoding(body).removesuffix("-sig")


def _cut(body: bytes, secrets: set[str]) -> bytes | None:
    """The same bytes but for the values of that key; ``None`` where a token may stand under another."""
    parts: list[bytes | memoryview] = []
    whole, kept_from = memoryview(body), 0
    while (found := find(body, _KEY, kept_from)) >= 0:
        colon = _COLON.match(body, found + len(_KEY))
        if colon is None:
            return None  # a text, and no key
        try:
            value, end = _value_at(body, colon.end())
        except (ValueError, RecursionError):
            return None
        secrets.update(_secrets_of(value))
        parts += [whole[kept_from : colon.end()], b"null"]
        kept_from = end
    kept = b"".join((*parts, whole[kept_from:]))
    return kept if parts and not holds(kept, b"access_token") else None


def _value_at(body: bytes, start: int) -> tuple[Any, int]:
    """The value that begins there, and where it ends. Only as much of a large body is looked at as that takes."""
    for stop in (start + _LONGEST_USUAL_VALUE, len(body)):
        # One character for each byte, and none of JSON's own is beyond ASCII.
        text = body[start:stop].decode("latin-1")
        try:
            value, length = _value(text, 0)
        except ValueError:
            if stop >= len(body):
                raise
            continue
        if length < len(text) or stop >= len(body):  # else it may go on
            break
    return value, start + length


def _rewritten(body: bytes, secrets: set[str]) -> bytes | None:
    """The document without those members, written anew where it has any; ``None`` for what is no JSON."""
    try:
        document = json.loads(body)
        _pruned(json.loads(body, object_pairs_hook=_every_value), secrets)
        pruned = _pruned(document, secrets)
        return body if pruned == document else json.dumps(pruned, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return None


def _pruned(value: Any, secrets: set[str]) -> Any:
    if isinstance(value, list):
        return [_pruned(each, secrets) for each in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for key, each in value.items():
        if key.lower() in _KEYS:
            secrets.update(_secrets_of(each))
            kept[key] = None
        else:
            kept[key] = _pruned(each, secrets)
    return kept


def _secrets_of(authorization: Any) -> Iterator[str]:
    """A client may repeat the token elsewhere, in an extension, say."""
    if isinstance(authorization, dict):
        for key, each in authorization.items():
            if key.lower() in _KEYS:
                yield from _secrets_of(each)
    elif isinstance(authorization, list):
        for each in authorization:
            yield from _secrets_of(each)
    elif isinstance(authorization, str) and authorization.isascii() and len(authorization) >= _SHORTEST_SECRET:
        yield authorization


def _without(kept: bytes, secrets: set[str]) -> bytes:
    for secret in secrets:
        plain = secret.encode()
        if len(plain) < _SHORTEST_SECRET or not holds(kept, _longest_plain_part(plain)):
            continue
        spellings = {plain} | {plain.replace(character, written) for character, written in _SPELT_BY_ENCODERS}
        for spelling in spellings:
            kept = kept.replace(spelling, _REMOVED)
    return kept


def _longest_plain_part(secret: bytes) -> bytes:
    """What stands in every spelling of it; mostly it stands nowhere, and one search tells so."""
    return max(_SPELT_VARIOUSLY.split(secret), key=len)
