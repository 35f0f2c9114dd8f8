"""JSON schemas of what travels, in our own words, after the attribute tables of CDS Hooks 2.0 and its 3.0 ballot.

`request` (the envelope alone) and `feedback` are checked at run time; `discovery` and `response` in tests and with
`--validate-output`. A validator is compiled once.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

NAMES = ("discovery", "request", "response", "feedback")


def schema(name: str) -> dict[str, Any]:
    """One of the schema documents."""
    document: dict[str, Any] = msgspec.json.decode(files(__name__).joinpath(f"{name}.json").read_bytes())
    return document


@cache
def validator(name: str) -> Draft202012Validator:
    """The compiled validator of a schema; `feedback-item` is one item of a feedback report."""
    if name == "feedback-item":
        return Draft202012Validator({"$ref": "#/$defs/item", "$defs": schema("feedback")["$defs"]})
    return Draft202012Validator(schema(name))
