"""Which codes of a record nobody has reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from sandbox.samples import index
from tests.concept_codes import concepts_of

_CLINICAL = ("snomed.info", "loinc.org", "icd-10", "rxnorm", "ama-assn", "nucc.org")


def unreviewed_codes(record: Any) -> list[tuple[str, str]]:
    """Clinical codes that are neither in the service's own value sets nor listed with a public source."""
    return [
        (system, code)
        for system, code in codes_of(record)
        if any(part in system for part in _CLINICAL)
        and not concepts_of({"system": system, "code": code})
        and (system, code) not in _sourced()
    ]


def codes_of(value: Any) -> Iterator[tuple[str, str]]:
    """Every system and code in a piece of JSON."""
    if isinstance(value, dict):
        if isinstance(value.get("system"), str) and isinstance(value.get("code"), str):
            yield value["system"], value["code"]
        for each in value.values():
            yield from codes_of(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from codes_of(each)


@cache
def _sourced() -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(line.split(" ", 1)) for line in index()["sources"])
