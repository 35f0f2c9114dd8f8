"""A request as it may be kept: without the access token to the EHR's server, whatever else is in it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from audit_trail.record import RequestKept
from fhir_mappings.access import NO_TOKEN, Access

_MEMBER: Final = re.compile(rb'"fhirAuthorization"[ \t\r\n]*:[ \t\r\n]*')
# Any spelling of the two keys that a token stands under; JSON lets each letter be written as \\uXXXX.
_HINT: Final = re.compile(rb"authorization|access_token|\\u00", re.IGNORECASE)
_KEYS: Final = ("fhirAuthorization", "access_token")
_SHORTEST_SECRET: Final = 8  # a shorter text is nobody's secret, and taking it out everywhere would spoil the record
_REMOVED: Final = b"removed"
_value = json.JSONDecoder(strict=False).raw_decode


def without_token(body: bytes, access: Access | None) -> tuple[bytes, RequestKept]:
    """The body as it may be kept. ``access`` is what was read as its token; None where the body was no usable call."""
    if not body:
        return b"", "not kept"
    if access is NO_TOKEN:
        return body, "as it came"
    if access is None and not _HINT.search(body):
        return body, "as it came"
    kept = _cut(body) if access is not None else None
    if kept is None:
        kept = _rewritten(body)
    if kept is None:
        return b"", "not kept"
    return _without_text(kept, access), "without token"


def _cut(body: bytes) -> bytes | None:
    """The same bytes but for the values of that key; ``None`` where the key is not written out."""
    text = body.decode("latin-1")  # one character for each byte, and none of JSON's own is beyond ASCII
    parts: list[bytes] = []
    kept_from = 0
    for found in _MEMBER.finditer(body):
        if found.start() < kept_from:
            continue  # inside a value that is cut already
        try:
            _, end = _value(text, found.end())
        except (ValueError, RecursionError):
            return None
        parts += [body[kept_from : found.end()], b"null"]
        kept_from = end
    if not parts:
        return None
    return b"".join((*parts, body[kept_from:]))


def _rewritten(body: bytes) -> bytes | None:
    """The document without those members, written anew; ``None`` for what is no JSON."""
    try:
        return json.dumps(_pruned(json.loads(body)), separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return None


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: None if key in _KEYS else _pruned(each) for key, each in value.items()}
    return [_pruned(each) for each in value] if isinstance(value, list) else value


def _without_text(kept: bytes, access: Access | None) -> bytes:
    """A client may repeat the token elsewhere, in an extension, say."""
    token = access.token if access is not None else None
    if token is None:
        return kept
    secret = token.authorization().removeprefix("Bearer ").encode()
    return kept.replace(secret, _REMOVED) if len(secret) >= _SHORTEST_SECRET else kept
