"""The prefetch templates filled in for one call: what a client would have asked, asked by this service."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from msgspec import Struct

from cds_service.service_catalogue import TEMPLATES
from fhir_mappings.decode import HookContext

# FHIR ids, and the few characters beyond them that servers use; nothing that means something in an address or a query.
_ID = re.compile(r"[A-Za-z0-9\-._~]{1,128}")
_TOKEN = re.compile(r"\{\{([^}]+)\}\}")


class Query(Struct, frozen=True):
    """An instance read (``own_id``) or a search (``parameters``) for one resource type."""

    resource_type: str
    own_id: str = ""
    parameters: tuple[tuple[str, str], ...] = ()


def queries_for(context: HookContext, keys: tuple[str, ...]) -> dict[str, Query]:
    """The queries of these prefetch keys; a key whose token this call cannot fill is left out."""
    values = _token_values(context)
    found: dict[str, Query] = {}
    for template in TEMPLATES:
        if template.key in keys:
            tokens = _TOKEN.findall(template.query)
            if all(values.get(token) for token in tokens):
                found[template.key] = _query(_TOKEN.sub(lambda token: values[token[1]], template.query))
    return found


def _query(filled: str) -> Query:
    path, mark, parameters = filled.partition("?")
    if mark:
        return Query(path, parameters=tuple(parse_qsl(parameters, keep_blank_values=True, strict_parsing=True)))
    resource_type, _, own_id = path.partition("/")
    return Query(resource_type, own_id)


def _token_values(context: HookContext) -> dict[str, str]:
    kind, _, user = context.user_id.rpartition("/")
    return {
        "context.patientId": safe_id(context.patient_id),
        "context.encounterId": safe_id(context.encounter_id),
        "userPractitionerId": safe_id(user) if kind.rpartition("/")[2] == "Practitioner" else "",
    }


def safe_id(text: str) -> str:
    """An id that can stand in an address and mean nothing else; empty if it cannot."""
    return text if _ID.fullmatch(text) and text not in (".", "..") else ""
