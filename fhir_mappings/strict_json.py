"""JSON that is kept and written back: read so that it has one meaning and loses nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
from msgspec import Struct

from fhir_mappings.errors import Malformed, MalformedCall

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # half of a pair, perhaps without its other half


class Limits(Struct, frozen=True):
    """How much of a call is read; the size of the body is limited before it gets here."""

    draft_orders: int = 1000
    context_depth: int = 60


def simple_string(text: bytes) -> str:
    """A string without escapes, as ids and references are: it can mean one thing only. Empty for anything else."""
    return _STRING.decode(text) if text[:1] == b'"' and _BACKSLASH not in text else ""


def strict_json(text: bytes, where: str, limits: Limits | None) -> Any:
    """JSON with one meaning: no key twice, no NaN, no number that cannot be written back, not bottomless."""
    if limits is not None:
        marks = text.translate(_MARKS)
        if marks.find(_LONG_NUMBER) < 0:
            value = _if_plainly_strict(text)
            if value is not _NOT_PLAIN and not _is_deeper(value, marks.count(b"["), limits.context_depth):
                return value
    return _strictly_decoded(text, where, limits)


_NOT_PLAIN = object()
# A number: where bytes are asked for bytes, CPython takes them for a number first, and raises and clears an exception.
_BACKSLASH = ord("\\")
_STRING = msgspec.json.Decoder(str)
_PLAIN = msgspec.json.Decoder()
_ENCODE = msgspec.json.Encoder().encode
# Every digit and sign as "0", every bracket that opens as "[", all else as " ".
_MARKS = bytes(ord("0") if each in b"-0123456789" else ord("[") if each in b"[{" else ord(" ") for each in range(256))
_LONG_NUMBER = b"0" * 19


def _if_plainly_strict(text: bytes) -> Any:
    """The value, where writing it again gives the same bytes: then nothing was lost or changed, no key stood twice."""
    try:
        value = _PLAIN.decode(text)
        return value if _ENCODE(value) == text else _NOT_PLAIN
    except (msgspec.DecodeError, RecursionError):
        return _NOT_PLAIN


def _strictly_decoded(text: bytes, where: str, limits: Limits | None) -> Any:
    try:
        value = json.loads(
            text.decode(),
            object_pairs_hook=_object if limits else None,
            parse_constant=_no_constant,
            parse_int=_bounded_int,
            parse_float=_bounded_float,
        )
        if limits is not None:
            if SURROGATE.search(text):
                json.dumps(value, ensure_ascii=False).encode()
            if _is_deeper(value, text.count(b"[") + text.count(b"{"), limits.context_depth):
                raise too_deep(where)
    except RecursionError:
        raise too_deep(where) from None
    except _Ambiguous as problem:
        raise MalformedCall(Malformed.NOT_JSON, where, str(problem)) from None
    except UnicodeEncodeError:
        raise MalformedCall(Malformed.NOT_JSON, where, "half a surrogate pair is no text") from None
    except json.JSONDecodeError:
        raise MalformedCall(Malformed.NOT_JSON, where, "not JSON") from None
    return value


class _Ambiguous(ValueError):
    """JSON that means two things, or a number that JSON or FHIR does not know."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Ambiguous("a key stands twice in one object")
    return members


def _no_constant(name: str) -> object:
    raise _Ambiguous(f"{name} is not JSON")


def _bounded_int(digits: str) -> int:
    if len(digits) > 18:
        raise _Ambiguous("a whole number too large to be kept exactly")
    return int(digits)


def _bounded_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _Ambiguous("a number too large to be kept")
    return number


def _is_deeper(value: object, brackets: int, most: int) -> bool:
    """Nothing is deeper than it has brackets that open; only where it has many need it be looked through."""
    return brackets > most and _depth(value) > most


def _depth(value: object) -> int:
    level = [value]
    depth = 0
    while level:
        depth += 1
        below: list[object] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        level = below
    return depth


def too_deep(where: str) -> MalformedCall:
    """The refusal of what is nested without end."""
    return MalformedCall(Malformed.NOT_JSON, where, "nested too deeply")
