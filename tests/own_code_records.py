"""The service's own codes, for test records: bedside findings and answers that no standard system covers."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from cds_service.settings import DEFAULT_CANONICAL_BASE

OWN_SYSTEM = f"{DEFAULT_CANONICAL_BASE}/CodeSystem/lumbar-cds"


@cache
def own_codes() -> frozenset[str]:
    """Every code of the service's own CodeSystem."""
    text = files("fhir_mappings").joinpath("own_codes.toml").read_text(encoding="utf-8")
    return frozenset(entry["code"] for entry in tomllib.loads(text)["code"])


def own_concept(code: str) -> dict[str, Any]:
    """A CodeableConcept with one of our own codes; one that the CodeSystem lacks is a mistake in the test."""
    if code not in own_codes():
        raise LookupError(f"{code!r} is not in the service's CodeSystem")
    return {"coding": [{"system": OWN_SYSTEM, "code": code}]}
