"""Calls whose data stands on a FHIR server: what was prefetched, taken out, and served over HTTP."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from cards.wording import wording
from cds_service.service_catalogue import TEMPLATES
from sandbox.fhir_server import Store
from tests.hook_requests import Request

TOKEN = "token-of-this-call"
_KEYS = tuple(template.key for template in TEMPLATES)


def says(text: str, *whys: str) -> bool:
    """Does the card say, in its own words, that something was missing for one of these reasons?"""
    return any(wording().gap[why] in text for why in whys)


def authorization(token: str = TOKEN) -> dict[str, Any]:
    """As a client sends it."""
    return {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs", "subject": "cds"}


def is_whole(request: Request) -> bool:
    """Did everything come along, so that a server that has it all gives the same?"""
    prefetch = request["prefetch"]
    expected = [key for key in _KEYS if key != "encounter" or request["context"].get("encounterId")]
    return all(key in prefetch and _is_plain(prefetch[key]) for key in expected)


def _is_plain(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("resourceType") == "OperationOutcome" or "link" in value:
        return False
    return all(entry["resource"]["resourceType"] != "OperationOutcome" for entry in value.get("entry", ()))


def resources_of(request: Request) -> list[dict[str, Any]]:
    """Everything that was prefetched."""
    found = []
    for value in request["prefetch"].values():
        if value is not None:
            found += [entry["resource"] for entry in value.get("entry", ())] if "entry" in value else [value]
    return [each for each in found if each["resourceType"] != "Bundle"]


def store_of(request: Request) -> Store:
    """A server's store with everything that was prefetched, and the user's own entry, which says nothing."""
    user = {"resourceType": "Practitioner", "id": request["context"]["userId"].rpartition("/")[2]}
    return Store([user, *resources_of(request)])


def without(request: Request, base: str, goes: Callable[[str], bool], token: str = TOKEN) -> Request:
    """The call without these prefetch keys, and with a server to read them from."""
    stripped = copy.copy(request)
    stripped["prefetch"] = {
        key: value for key, value in request["prefetch"].items() if key not in _KEYS or not goes(key)
    }
    stripped["fhirServer"] = base
    if token:
        stripped["fhirAuthorization"] = authorization(token)
    return stripped


def everything(_: str) -> bool:
    """No key stays."""
    return True


def every_other(key: str) -> bool:
    """Half of the keys."""
    return _KEYS.index(key) % 2 == 0
