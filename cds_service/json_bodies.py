"""Strict reading of small JSON bodies: one meaning or none."""

from __future__ import annotations

import json
from typing import Any

from cds_service.errors import MalformedBody


def read_json(body: bytes) -> object:
    """The value of a JSON text; a key twice in one object, NaN, bad UTF-8 or bottomless nesting is refused."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant)
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


def _refuse_constant(name: str) -> object:
    raise MalformedBody(f"{name} is not JSON")
