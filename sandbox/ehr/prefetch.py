"""Prefetch as an EHR makes it: the templates of discovery filled in, and asked of the EHR's own R4 store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

Json = dict[str, Any]
_TOKEN = re.compile(r"\{\{\s*([^}]+?)\s*\}\}")


class SearchFailed(LookupError):
    """A search that this EHR cannot do."""


class Records(Protocol):
    """Where records are read from."""

    def read(self, resource_type: str, own_id: str) -> Json | None:
        """One resource."""
        ...

    def search(self, resource_type: str, parameters: Iterable[tuple[str, str]]) -> list[Json]:
        """Those that match."""
        ...


def prefetch(templates: Mapping[str, str], tokens: Mapping[str, str], records: Records, fhir_base: str) -> Json:
    """The value of every key that can be filled. A key whose token is not known, or whose search fails, is left out."""
    found: Json = {}
    for key, template in templates.items():
        query = _filled(template, tokens)
        if query is None:
            continue
        value = _asked(query, records, fhir_base)
        if value is not None:
            found[key] = value
    return found


def _filled(template: str, tokens: Mapping[str, str]) -> str | None:
    names = _TOKEN.findall(template)
    if not all(tokens.get(name) for name in names):
        return None
    return _TOKEN.sub(lambda token: tokens[token[1]], template)


def _asked(query: str, records: Records, fhir_base: str) -> Json | None:
    path, is_search, parameters = query.partition("?")
    if not is_search:
        resource_type, _, own_id = path.partition("/")
        return records.read(resource_type, own_id)
    asked = parse_qsl(parameters, keep_blank_values=True)
    try:
        matches = records.search(path, asked)
    except SearchFailed:
        return None
    count = int(dict(asked).get("_count", len(matches)))
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(matches),
        "entry": [
            {
                "fullUrl": f"{fhir_base}/{each['resourceType']}/{each['id']}",
                "resource": each,
                "search": {"mode": "match"},
            }
            for each in matches[:count]
        ],
    }
