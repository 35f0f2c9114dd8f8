"""Strict reading of small JSON bodies: one meaning or none."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from cds_service.errors import MalformedBody

LONGEST_WHOLE_NUMBER: Final = 18  # digits and sign


def read_json(body: bytes) -> object:
    """The value of a JSON text; a key twice in one object, NaN, overflow, bad UTF-8 or endless nesting is refused."""
    try:
        return _decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedBody("the body is not UTF-8") from None
    except RecursionError:
        raise MalformedBody("the body is nested too deeply") from None
    except json.JSONDecodeError as problem:
        raise MalformedBody(f"the body is not JSON: line {problem.lineno}, column {problem.colno}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedBody("a key stands twice in one object of the body")
    return members


def _whole_number(digits: str) -> int:
    if len(digits) > LONGEST_WHOLE_NUMBER:
        raise MalformedBody("a whole number is too large to be kept exactly")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise MalformedBody("a number is too large to be kept")
    return number


def _refuse_constant(name: str) -> object:
    raise MalformedBody(f"{name} is not JSON")


# Made once: ``json.loads`` with such hooks makes a decoder for each text, at the cost of reading a part of a token.
_decode: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=_whole_number, parse_float=_number
).decode
