"""Is a card one that can be shown? An EHR that trusts every answer breaks on the first odd one."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

Json = dict[str, Any]


class _Coding(Struct):
    code: str = ""
    system: str = ""
    display: str = ""


class _Source(Struct):
    label: str = ""
    url: str = ""


class _Link(Struct):
    label: str
    url: str


class _Action(Struct):
    type: str
    description: str = ""


class _Suggestion(Struct):
    label: str
    uuid: str = ""
    actions: list[_Action] = []


class _Card(Struct, rename="camel"):
    summary: str
    indicator: str = ""
    detail: str = ""
    uuid: str = ""
    source: _Source | None = None
    suggestions: list[_Suggestion] = []
    links: list[_Link] = []
    override_reasons: list[_Coding] = []


def trouble_with(card: object) -> str:
    """What is wrong with its shape; empty for a card that can be shown. More members than are known do no harm."""
    try:
        msgspec.convert(card, _Card)
    except msgspec.ValidationError as problem:
        return str(problem)
    return ""
