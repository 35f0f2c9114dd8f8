"""The terminology layer as FHIR, read-only: what each concept covers, what each code means, and our own codes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec
from flask import Flask, Response, request

from cds_service.collaborators import Collaborators
from cds_service.errors import UnknownService
from fhir_mappings.served_terminology import KINDS, resource, resource_ids, search_set
from fhir_mappings.terminology import Terminology

FHIR_JSON: Final = "application/fhir+json"


def register_terminology_pages(app: Flask, tools: Collaborators) -> None:
    """`GET /fhir/{CodeSystem | ValueSet | ConceptMap}` and `/fhir/.../{id}`."""
    pages = TerminologyPages(tools.terminology)
    app.add_url_rule("/fhir/<kind>", view_func=pages.listed, methods=["GET"])
    app.add_url_rule("/fhir/<kind>/<resource_id>", view_func=pages.one, methods=["GET"])


class TerminologyPages:
    """The views; each page is written once, when it is first asked for."""

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology
        self._ids = {kind: frozenset(resource_ids(terminology, kind)) for kind in KINDS}
        self._page = lru_cache(maxsize=64)(self._write)
        self._list = lru_cache(maxsize=2 * len(KINDS))(self._write_list)

    def listed(self, kind: str) -> Response:
        """All resources of a kind; `_summary=true` leaves their codes out, `url=` keeps the one of that address."""
        self._require(kind)
        wanted = request.args.get("url")
        body = self._list(kind, request.args.get("_summary") == "true")
        return _answer(body if wanted is None else _only(body, wanted))

    def one(self, kind: str, resource_id: str) -> Response:
        """One resource."""
        self._require(kind)
        if resource_id not in self._ids[kind]:
            raise UnknownService(f"there is no such {kind}; GET /fhir/{kind}?_summary=true lists them")
        return _answer(self._page(kind, resource_id))

    def _require(self, kind: str) -> None:
        if kind not in self._ids:
            raise UnknownService(f"served as FHIR are {', '.join(KINDS)}")

    def _write(self, kind: str, resource_id: str) -> bytes:
        return msgspec.json.encode(resource(self._terminology, kind, resource_id))

    def _write_list(self, kind: str, summary: bool) -> bytes:
        return msgspec.json.encode(search_set(self._terminology, kind, summary))


def _only(body: bytes, url: str) -> bytes:
    bundle: dict[str, Any] = msgspec.json.decode(body)
    kept = [entry for entry in bundle.pop("entry", []) if entry["resource"].get("url") == url]
    bundle["total"] = len(kept)
    return msgspec.json.encode({**bundle, "entry": kept} if kept else bundle)


def _answer(body: bytes) -> Response:
    return Response(body, content_type=FHIR_JSON)
