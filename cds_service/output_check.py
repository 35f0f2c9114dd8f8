"""Checks an answer before it is sent: the CDS Hooks attribute tables, and the R4B model of every resource in it.

Costs about half a millisecond per resource, so it is an option (`--validate-output`) and a part of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from cds_service.schemas import validator


class InvalidOutput(Exception):
    """The service was about to send something invalid; the message names where, not what."""


def check_answer(document: dict[str, Any]) -> None:
    """Raises InvalidOutput unless the answer is valid CDS Hooks holding valid FHIR R4."""
    for error in validator("response").iter_errors(document):
        raise InvalidOutput(f"response: {error.json_path} breaks {error.validator}")
    for place in empties(document):
        raise InvalidOutput(f"response: {place} is empty")
    for place, resource in resources(document):
        check_resource(resource, place)


def check_resource(resource: dict[str, Any], place: str = "resource") -> None:
    """Raises InvalidOutput unless the resource is valid under its R4B model."""
    from pydantic import ValidationError

    try:
        _model(resource["resourceType"]).model_validate(resource)
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise InvalidOutput(f"{place}: {resource['resourceType']}.{path}: {first['type']}") from None


def resources(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every resource that the answer asks a client to write."""
    for number, card in enumerate(document.get("cards", ())):
        for suggestion in card.get("suggestions", ()):
            for action in suggestion["actions"]:
                if "resource" in action:
                    yield f"cards[{number}]", action["resource"]
    for action in document.get("systemActions", ()):
        if "resource" in action:
            yield "systemActions", action["resource"]


def empties(value: object, place: str = "$") -> Iterator[str]:
    """Where something is null or empty. Only `cards` and `services` may be (CDS Hooks, "Use of JSON")."""
    if value is None or value in ("", [], {}):
        if place not in ("$.cards", "$.services"):
            yield place
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from empties(member, f"{place}.{key}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from empties(member, f"{place}[{number}]")


@cache
def _model(resource_type: str) -> Any:
    """The model class; imported when first needed, as the models take a second to load."""
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(resource_type)
